import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';

/** A weight of a layer that can have single elements set to zero. */
export interface LayerWeight {
  readonly node: Node;
  readonly slot: number;
  readonly value: Value;
  readonly tensor: Tensor;
  /** The axis that the layer sums over. */
  readonly inputAxis: number;
}

const FLOATS: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16, DataType.BFLOAT16]);

/** Constant float weights of convolutions and products of matrices in the main graph, each once. */
export function layerWeights(model: Model): LayerWeight[] {
  const found = new Map<Value, LayerWeight>();
  for (const node of model.graph.nodes) {
    for (const [slot, inputAxis] of weightSlots(node)) {
      const value = node.input(slot);
      const tensor = constantTensor(value);
      if (!value || !tensor || tensor.rank < 2 || !FLOATS.has(tensor.dataType) || found.has(value)) continue;
      found.set(value, { node, slot, value, tensor, inputAxis: inputAxis < 0 ? inputAxis + tensor.rank : inputAxis });
    }
  }
  return [...found.values()];
}

/** Inputs that hold weights, with the axis that is summed over. */
function weightSlots(node: Node): readonly (readonly [slot: number, inputAxis: number])[] {
  if (node.is('Conv') || (node.opType === 'FusedConv' && node.domain === 'com.microsoft')) return [[1, 1]];
  if (node.is('ConvTranspose')) return [[1, 0]];
  if (node.is('Gemm')) return [[1, node.int('transB', 0) === 1 ? 1 : 0]];
  if (node.is('LSTM') || node.is('GRU') || node.is('RNN'))
    return [
      [1, 2],
      [2, 2],
    ];
  if (node.is('MatMul'))
    return [
      [1, -2],
      [0, -1],
    ];
  return [];
}
