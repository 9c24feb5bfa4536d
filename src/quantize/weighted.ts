import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import { scaledTensor } from '../tensor/scaled-tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { constantOperand, whyNotConstant } from './constant-operand.js';

/** A bias to be stored as INT32: a constant with one value an output channel (or one value in all). */
export interface BiasInput {
  /** The Conv or Gemm itself, or the Add after a MatMul. */
  readonly node: Node;
  readonly slot: number;
  readonly tensor: Tensor;
}

/** A Conv, Gemm or MatMul with constant weights, as quantization sees it. The data is input 0, the weight input 1. */
export interface WeightedNode {
  readonly node: Node;
  /** With the `alpha` of a Gemm in it. */
  readonly weight: Tensor;
  /** Axis of the weight with one scale an output channel. */
  readonly axis: number;
  readonly channels: number;
  readonly bias: BiasInput | undefined;
  /** What follows from it: its output, or that of the Add that holds its bias. */
  readonly output: Value;
}

/** Describes a node with weights, or says why it cannot be quantized. `joinBias` also takes the Add after a MatMul. */
export function weightedNode(node: Node, joinBias: boolean): WeightedNode | { readonly reason: string } {
  if (node.is('ConvTranspose')) return { reason: 'ONNX Runtime has no INT8 kernel for ConvTranspose' };
  if (node.is('LSTM') || node.is('GRU') || node.is('RNN')) {
    return { reason: `ONNX Runtime has no static INT8 kernel for ${node.opType}` };
  }
  const weight = constantTensor(node.input(1));
  if (!weight) {
    const operand = constantOperand(node, 1);
    if (!operand) return { reason: whyNotConstant(node, 1) };
    const shared = operand.value.uses.size > 1 ? ', because it is also used elsewhere' : '';
    return { reason: `its weight is "${operand.value.name}" behind a Transpose that was not folded${shared}` };
  }
  if (constantTensor(node.input(0))) return { reason: 'its data is constant' };
  if (weight.dataType !== DataType.FLOAT) return { reason: 'its weight is not FLOAT' };
  if (weight.size === 0) return { reason: 'its weight is empty' };
  if (node.is('Conv')) return convolution(node, weight);
  if (node.is('Gemm')) return gemm(node, weight);
  return matMul(node, weight, joinBias);
}

function convolution(node: Node, weight: Tensor): WeightedNode | { readonly reason: string } {
  if (weight.rank < 3) return { reason: `its weight has rank ${weight.rank}` };
  const channels = weight.dims[0] as number;
  const bias = biasInput(node, 2, channels);
  if (typeof bias === 'string') return { reason: bias };
  return { node, weight, axis: 0, channels, bias, output: node.output() };
}

function gemm(node: Node, weight: Tensor): WeightedNode | { readonly reason: string } {
  if (weight.rank !== 2) return { reason: `its weight has rank ${weight.rank}` };
  if (node.int('transA', 0) !== 0) return { reason: 'its data is transposed (transA)' };
  const axis = node.int('transB', 0) !== 0 ? 0 : 1;
  const channels = weight.dims[axis] as number;
  const bias = biasInput(node, 2, channels);
  if (typeof bias === 'string') return { reason: bias };
  const alpha = node.float('alpha', 1);
  const scaled = alpha === 1 ? weight : scaledTensor(weight, { factors: Float64Array.of(alpha), inner: weight.size });
  return { node, weight: scaled, axis, channels, bias, output: node.output() };
}

function matMul(node: Node, weight: Tensor, joinBias: boolean): WeightedNode | { readonly reason: string } {
  if (weight.rank > 2)
    return {
      reason: `its weight is a batch of matrices (rank ${weight.rank}), whose columns cannot have separate scales`,
    };
  if (weight.rank !== 2) return { reason: `its weight has rank ${weight.rank}` };
  const channels = weight.dims[1] as number;
  const add = joinBias ? biasAdd(node, channels) : undefined;
  return { node, weight, axis: 1, channels, bias: add, output: add ? add.node.output() : node.output() };
}

/**
 * The bias that an Add puts on a MatMul. It is quantized too, because ONNX Runtime joins MatMul and Add to a Gemm first, and a
 * Gemm with a float bias has no INT8 kernel.
 */
function biasAdd(node: Node, channels: number): BiasInput | undefined {
  const product = node.output();
  if (product.uses.size !== 1 || product.isGraphOutput) return undefined;
  const [use] = product.uses;
  if (!use?.node.is('Add') || use.node.graph !== node.graph) return undefined;
  const slot = 1 - use.slot;
  const tensor = constantTensor(use.node.input(slot));
  if (tensor?.dataType !== DataType.FLOAT || tensor.rank !== 1 || tensor.size !== channels) return undefined;
  return { node: use.node, slot, tensor };
}

function biasInput(node: Node, slot: number, channels: number): BiasInput | string | undefined {
  const input = node.input(slot);
  if (!input) return undefined;
  const tensor = constantTensor(input);
  if (!tensor) return whyNotConstant(node, slot, 'its bias');
  if (tensor.dataType !== DataType.FLOAT) return 'its bias is not FLOAT';
  const last = tensor.dims[tensor.rank - 1] ?? 1;
  const fits = tensor.size === 1 || (tensor.size === channels && last === channels);
  return fits ? { node, slot, tensor } : 'its bias is not one value per channel';
}
