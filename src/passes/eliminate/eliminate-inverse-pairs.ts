import type { Node } from '../../ir/node.js';
import { DataType } from '../../tensor/dtype.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match } from '../engine/rewrite.js';
import { holdsAll } from '../lossless-casts.js';
import { dataTypeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * An operator that undoes the one before it: `Not(Not(x))`, `Neg(Neg(x))`, `BitwiseNot(BitwiseNot(x))`, and a Cast to a
 * type that holds every value of the first, followed by one back.
 *
 * Fires on each such pair; the first of the pair stays while it has other readers. Refuses nothing: a Cast that may
 * lose something, such as float → float16 → float, stays. Numerics: exact.
 */
export const eliminateInversePairs = defineRewrite<object>({
  name: 'eliminate-inverse-pairs',
  summary: 'Removes operators that undo each other, such as Not of Not.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Not', 'Neg', 'BitwiseNot', 'Cast'],
  rules: () => ({ match: matchPair }),
});

function matchPair(node: Node): Match {
  const inner = node.input(0)?.producer;
  const source = inner?.input(0);
  const output = node.outputs[0];
  if (!inner || !source || !output || inner.opType !== node.opType || inner.domain !== '') return undefined;
  if (hasReference(node) || hasReference(inner)) return undefined;
  if (node.is('Cast') && !isThereAndBack(node, inner)) return undefined;
  return passThrough(node, source, output);
}

function isThereAndBack(node: Node, inner: Node): boolean {
  const from = dataTypeOf(inner.input(0));
  const over = inner.int('to', DataType.UNDEFINED);
  return from !== undefined && node.int('to', DataType.UNDEFINED) === from && from !== over && holdsAll(from, over);
}
