import type { CheckpointReport } from './checkpoint-types.js';

/** What a mode does, for tables and pages. */
export const CHECKPOINT_MODE_WORDS: Readonly<Record<CheckpointReport['mode'], string>> = {
  w4a16: '4-bit weights',
  w8a16: '8-bit weights',
  w8a8: 'INT8 weights and activations',
  fp8: 'FP8 weights and activations',
};

/** Layers of one kind: their names but for numbers, how many they are, and how much of them is kept. */
export interface LayerKind {
  readonly kind: string;
  readonly layers: number;
  readonly parameters: number;
  /** Of the worst of them. */
  readonly leastSqnrDb: number;
  readonly worst: string;
}

/** Groups layers that differ in numbers only: `model.layers.*.mlp.up_proj`. In the order of the model. */
export function layerKinds({ quantized }: CheckpointReport): readonly LayerKind[] {
  const kinds = new Map<string, LayerKind>();
  for (const { name, outputs, inputs, sqnrDb } of quantized) {
    const kind = kindOf(name);
    const known = kinds.get(kind);
    const isWorse = known === undefined || sqnrDb < known.leastSqnrDb;
    kinds.set(kind, {
      kind,
      layers: (known?.layers ?? 0) + 1,
      parameters: (known?.parameters ?? 0) + outputs * inputs,
      leastSqnrDb: isWorse ? sqnrDb : known.leastSqnrDb,
      worst: isWorse ? name : known.worst,
    });
  }
  return [...kinds.values()];
}

/** Modules that stay, by kind and reason. */
export function leftKinds({ left }: CheckpointReport): readonly { kind: string; count: number; reason: string }[] {
  const kinds = new Map<string, { kind: string; count: number; reason: string }>();
  for (const { name, reason } of left) {
    const key = `${kindOf(name)}\0${reason}`;
    const known = kinds.get(key);
    if (known) known.count++;
    else kinds.set(key, { kind: kindOf(name), count: 1, reason });
  }
  return [...kinds.values()];
}

function kindOf(name: string): string {
  return name.replace(/(^|\.)\d+(?=\.|$)/g, '$1*');
}
