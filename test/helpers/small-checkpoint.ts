import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layOutSafetensors } from '../../src/codec/safetensors/safetensors-layout.js';
import type { SafetensorsEntry } from '../../src/codec/safetensors/safetensors-types.js';
import { float32ToBfloat16 } from '../../src/tensor/bfloat16.js';
import { createRandom } from '../../src/tensor/random.js';

export interface SmallCheckpointOptions {
  readonly layers?: number;
  readonly hidden?: number;
  readonly inner?: number;
  /** Weight files; one without an index by default. */
  readonly shards?: number;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Tensors of a safetensors file as BFLOAT16. */
export function safetensorsFile(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Uint8Array {
  const entries = [...tensors].map(([name, { shape }]): SafetensorsEntry => ({ name, type: 'BF16', shape }));
  const layout = layOutSafetensors(entries, metadata);
  const file = new Uint8Array(layout.sizeBytes);
  file.set(layout.head);
  for (const [name, { start }] of layout.tensors) {
    const values = tensors.get(name)?.values ?? new Float32Array();
    const narrow = new Uint16Array(values.length);
    float32ToBfloat16(values, narrow);
    file.set(new Uint8Array(narrow.buffer), start);
  }
  return file;
}

/** Writes a checkpoint in the manner of Llama, random weights in BFLOAT16. */
export function writeSmallCheckpoint(folder: string, options: SmallCheckpointOptions = {}): void {
  const { layers = 2, hidden = 128, inner = 256, shards = 1, config = {} } = options;
  const random = createRandom(7);
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  const add = (name: string, ...shape: number[]): void => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.float() - 0.5);
    tensors.set(name, { shape, values });
  };
  add('model.embed_tokens.weight', 100, hidden);
  for (let i = 0; i < layers; i++) {
    const at = `model.layers.${i}`;
    for (const name of ['q_proj', 'k_proj', 'v_proj', 'o_proj']) add(`${at}.self_attn.${name}.weight`, hidden, hidden);
    add(`${at}.mlp.gate_proj.weight`, inner, hidden);
    add(`${at}.mlp.up_proj.weight`, inner, hidden);
    add(`${at}.mlp.down_proj.weight`, hidden, inner);
    add(`${at}.input_layernorm.weight`, hidden);
  }
  add('lm_head.weight', 100, hidden);
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ model_type: 'llama', vocab_size: 100, ...config }, undefined, 2);
  // As writers of Python do, who keep the type of a number.
  writeFileSync(join(folder, 'config.json'), text.replace(/\n}$/, ',\n  "rope_theta": 10000.0\n}\n'));
  writeFileSync(join(folder, 'tokenizer.json'), '{"model":{}}');
  if (shards === 1) {
    writeFileSync(join(folder, 'model.safetensors'), safetensorsFile(tensors));
    return;
  }
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const name = `model-0000${shard + 1}-of-0000${shards}.safetensors`;
    const own = new Map([...tensors].filter((_, i) => i % shards === shard));
    for (const tensor of own.keys()) weightMap[tensor] = name;
    writeFileSync(join(folder, name), safetensorsFile(own));
  }
  const index = { metadata: { total_size: 1 }, weight_map: weightMap };
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
}
