import type { Node } from '../../ir/node.js';
import type { Dim } from '../../ir/type.js';
import { atLeast } from '../../ops/dim.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference, readItems, readList } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { frontAxis, shapeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Slice that selects all of every axis.
 *
 * Fires when, on each axis it names, the step is 1, the start is 0 (or so negative that it is clamped to 0) and the end
 * is not before that of the axis: `INT_MAX`, or a size that is provably not smaller, symbolic ones included. Refuses
 * nothing: where elements may be removed, the node stays. Numerics: exact.
 */
export const eliminateNoOpSlice = defineRewrite<object>({
  name: 'eliminate-no-op-slice',
  summary: 'Removes Slice that selects the whole tensor.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Slice'],
  rules: () => ({ match: matchSlice }),
});

/** Exporters write INT32_MAX or INT64_MAX for "to the end": no size reaches this. */
const TO_THE_END = 2 ** 31 - 1;

function matchSlice(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!input || !output || hasReference(node)) return undefined;
  const starts = readItems(context, node, 'starts', 1);
  const ends = readItems(context, node, 'ends', 2);
  const axes = readList(context, node, 'axes', 3);
  const steps = readItems(context, node, 'steps', 4);
  if (typeof starts === 'string' || typeof ends === 'string' || axes === 'unknown' || steps === 'unknown')
    return undefined;
  const shape = shapeOf(input);
  const takesAll = starts.every((start, at) => {
    const dim = dimAt(shape, axes === 'absent' ? at : axes[at]);
    const step = steps === 'absent' ? 1 : steps[at];
    return step === 1 && isFromStart(start, dim) && isToEnd(ends[at], dim);
  });
  return takesAll ? passThrough(node, input, output) : undefined;
}

function dimAt(shape: readonly Dim[] | undefined, axis: number | undefined): Dim {
  const front = shape && axis !== undefined ? frontAxis(axis, shape.length) : undefined;
  return front === undefined ? undefined : shape?.[front];
}

function isFromStart(start: Dim, dim: Dim): boolean {
  if (start === 0) return true;
  if (typeof start !== 'number' || start > 0) return false;
  return start <= -TO_THE_END || (typeof dim === 'number' && start + dim <= 0);
}

function isToEnd(end: Dim, dim: Dim): boolean {
  if (end === undefined) return false;
  if (typeof end === 'number' && end >= TO_THE_END) return true;
  return dim !== undefined && atLeast(end, dim);
}
