import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { onlyConsumer } from '../../nodes.js';
import { isRow } from '../../row-vector.js';
import { sameDim, sameShape, shapeOf } from '../../types.js';

/** input + skip, with a bias for the last axis if there is one. */
export interface Residual {
  readonly input: Value;
  readonly skip: Value;
  readonly bias: Value | undefined;
  /** The Adds, the last one first. */
  readonly nodes: readonly Node[];
}

/** The sum that a value is, where its sizes are those that com.microsoft.SkipLayerNormalization takes; undefined where it is none. */
export function residualOf(sum: Value): Residual | undefined {
  const add = operandsOf(sum);
  if (!add) return undefined;
  const { node, operands } = add;
  for (const [one, other] of inBothOrders(operands)) {
    // (input + skip) + bias
    const inner = isRow(one, sum) && onlyConsumer(other) === node ? operandsOf(other) : undefined;
    const pair = inner && pairOf(inner.operands, sum);
    if (inner && pair) return { ...pair, bias: one, nodes: [node, inner.node] };
  }
  const pair = pairOf(operands, sum);
  if (!pair) return undefined;
  for (const [one, other] of inBothOrders([pair.input, pair.skip])) {
    // (input + bias) + skip
    const inner = onlyConsumer(one) === node ? operandsOf(one) : undefined;
    for (const [bias, rest] of inner ? inBothOrders(inner.operands) : []) {
      const biased = isRow(bias, sum) ? pairOf([rest, other], sum) : undefined;
      if (inner && biased) return { ...biased, bias, nodes: [node, inner.node] };
    }
  }
  return { ...pair, bias: undefined, nodes: [node] };
}

function operandsOf(sum: Value): { node: Node; operands: readonly [Value, Value] } | undefined {
  const node = sum.producer?.is('Add') ? sum.producer : undefined;
  const [a, b] = node?.inputs ?? [];
  return node && a && b ? { node, operands: [a, b] } : undefined;
}

function inBothOrders([a, b]: readonly [Value, Value]): readonly (readonly [Value, Value])[] {
  return [
    [a, b],
    [b, a],
  ];
}

/** Two operands of which one has the sizes of the sum, three axes or two, and the other the same, or no or one batch. */
function pairOf(operands: readonly [Value, Value], sum: Value): { input: Value; skip: Value } | undefined {
  const shape = shapeOf(sum);
  if (shape?.length !== 2 && shape?.length !== 3) return undefined;
  for (const [input, skip] of inBothOrders(operands))
    if (sameShape(shapeOf(input), shape) && isBroadcast(shapeOf(skip), shape)) return { input, skip };
  return undefined;
}

function isBroadcast(skip: readonly Dim[] | undefined, shape: readonly Dim[]): boolean {
  if (sameShape(skip, shape)) return true;
  if (!skip || shape.length !== 3) return false;
  const rows = skip.length === 3 && skip[0] === 1 ? skip.slice(1) : skip;
  return rows.length === 2 && rows.every((dim, axis) => sameDim(dim, shape[axis + 1]));
}
