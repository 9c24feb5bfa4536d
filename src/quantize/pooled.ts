/** What follows a global pooling: tensors with one element a channel, as in squeeze-and-excite blocks. */
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';

/** Operators that give one element a channel when they are fed one. */
const ELEMENTWISE = new Set(['Relu', 'Clip', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'LeakyRelu']);

/** True when the node's output has one element a channel, given the values known to have. */
export function keepsPooled(node: Node, pooled: ReadonlySet<Value>): boolean {
  if (node.domain !== '' || !node.outputs[0]) return false;
  if (node.is('GlobalAveragePool') || node.is('GlobalMaxPool')) return true;
  const input = node.input(0);
  return input !== undefined && pooled.has(input) && (ELEMENTWISE.has(node.opType) || isPointwise(node));
}

function isPointwise(node: Node): boolean {
  return (
    node.is('Conv') &&
    constantTensor(node.input(1))
      ?.dims.slice(2)
      .every((dim) => dim === 1) === true
  );
}

/** A pooled convolution with fewer weights does next to no work: conversions around it cost more, and its gates are sensitive. */
const SMALLEST_POOLED_WEIGHT = 65536;

/** Why a convolution of pooled values stays in float, or undefined when it is none or has weights enough. */
export function pooledReason(node: Node, pooled: ReadonlySet<Value>): string | undefined {
  const input = node.input(0);
  const size = isPointwise(node) ? constantTensor(node.input(1))?.size : undefined;
  if (!input || !pooled.has(input) || size === undefined || size >= SMALLEST_POOLED_WEIGHT) return undefined;
  return 'it works on one value per channel and has too few weights to gain from INT8';
}
