import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { RepairLayer } from '../../prune/repair/repair-layers.js';
import { Builder, dropUnneeded, inputRows } from '../../prune/repair/sum-builder.js';

/** Sums of what one layer reads. */
export interface InputSumsOutputs {
  /** Σ x, groups × K. */
  readonly sum: string;
  readonly rows: string;
  /** Σ x·xᵀ, groups × K × K; empty where it was not asked for. */
  readonly gram: string;
  /** Σ |x|, groups × K; empty where it was not asked for. */
  readonly magnitude: string;
}

/** What is summed beside Σ x: products of inputs with each other, or their magnitudes. */
export type SummedInputs = 'values' | 'products' | 'magnitudes';

/**
 * A copy of a model that gives sums of what layers read instead of its own outputs.
 * @param layers each a layer as its FLOAT weights describe it, and the node of `model` that computes it, which may read dequantized values
 */
export function inputSumsModel(
  model: Model,
  layers: readonly { readonly layer: RepairLayer; readonly node: Node }[],
  summed: SummedInputs,
): { readonly model: Model; readonly outputs: readonly InputSumsOutputs[] } {
  const copy = model.clone();
  const { graph } = copy;
  const build = new Builder(graph);
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  const outputs = layers.map(({ layer, node }): InputSumsOutputs => {
    const x = graph.values.get(node.input(layer.data)?.name ?? '');
    if (!x) return { sum: '', rows: '', gram: '', magnitude: '' };
    const inputs = inputRows(build, x, layer);
    const sum = build.sum(inputs);
    const rows = build.node('Slice', [build.node('Shape', [inputs]), build.ints([2]), build.ints([3])]);
    const gram = summed === 'products' ? build.product(inputs, inputs) : undefined;
    const magnitude = summed === 'magnitudes' ? build.sum(build.node('Abs', [inputs])) : undefined;
    for (const value of [sum, rows, gram, magnitude]) if (value) graph.addOutput(value);
    return { sum: sum.name, rows: rows.name, gram: gram?.name ?? '', magnitude: magnitude?.name ?? '' };
  });
  dropUnneeded(graph);
  return { model: copy, outputs };
}
