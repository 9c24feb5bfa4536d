/** The constant that a layer multiplies by, and the true reason where it has none. */
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import type { Tensor } from '../tensor/tensor.js';

/** A constant operand, also one that a Transpose of the last two axes hands on. */
export interface ConstantOperand {
  /** The constant itself. */
  readonly value: Value;
  readonly tensor: Tensor;
  /** The Transpose between the constant and the node. */
  readonly through: Node | undefined;
}

/** The constant at an input of a node, or undefined. */
export function constantOperand(node: Node, slot: number): ConstantOperand | undefined {
  const value = node.input(slot);
  const tensor = constantTensor(value);
  if (value && tensor) return { value, tensor, through: undefined };
  const through = value?.producer;
  const source = through?.is('Transpose') ? through.input(0) : undefined;
  const constant = constantTensor(source);
  if (!through || !source || !constant || !exchangesLastAxes(through, constant.rank)) return undefined;
  return { value: source, tensor: constant, through };
}

/** Whether a Transpose exchanges the last two of `rank` axes and nothing else. */
export function exchangesLastAxes(transpose: Node, rank: number): boolean {
  const perm = transpose.ints('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const expected = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return rank >= 2 && perm.length === rank && perm.every((axis, at) => axis === expected[at]);
}

/** Why a layer has no constant weight at `slot`. `what` is how to speak of it. */
export function whyNotConstant(node: Node, slot: number, what = 'its weight'): string {
  const value = node.input(slot);
  if (!value) return `${what} is missing`;
  if (value.tensor) {
    return `${what} "${value.name}" is an input with a default, which callers may override: --fix-initializers makes it a constant`;
  }
  if (value.producer?.is('DequantizeLinear')) return 'it is already quantized';
  if (!value.producer && value.graph !== node.graph.model.graph)
    return `${what} "${value.name}" is passed in by the caller of the enclosing graph`;
  if (isComputedFromConstants(value)) {
    return `${what} is computed from constants (by ${value.producer?.opType}) and was not folded`;
  }
  if (slot !== 1 || !(node.is('MatMul') || node.is('Gemm'))) return `${what} is not constant`;
  return constantTensor(node.input(0))
    ? 'its weight is its left input: only weights on the right are quantized'
    : 'both inputs are computed: it multiplies activations';
}

/** Nodes looked at: weights are a few steps from their constants. */
const MOST_NODES = 50;

function isComputedFromConstants(value: Value): boolean {
  const queue = [value];
  for (let seen = 0; seen < queue.length; seen++) {
    const each = queue[seen] as Value;
    if (constantTensor(each)) continue;
    const { producer } = each;
    if (!producer || producer.subgraphs().length > 0 || queue.length > MOST_NODES) return false;
    for (const input of producer.inputs) if (input) queue.push(input);
  }
  return true;
}
