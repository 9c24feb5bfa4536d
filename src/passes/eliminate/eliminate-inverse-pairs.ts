import type { Node } from '../../ir/node.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { hasReference } from '../engine/operands.js';
import { defineRewrite, type Match } from '../engine/rewrite.js';
import { dataTypeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * What undoes what came just before: `Not(Not(x))`, `Neg(Neg(x))`, `BitwiseNot(BitwiseNot(x))`, and a Cast to a type that
 * holds every value of the first, followed by one back.
 *
 * Fires on each such pair; the first of it stays while somebody else reads it. Refuses nothing: a Cast that may lose
 * something, such as float → float16 → float, stays. Numerics: exact.
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

/** The types that hold every value of a type. */
const WIDER: ReadonlyMap<DataTypeCode, ReadonlySet<DataTypeCode>> = new Map(
  (
    [
      ['FLOAT16', 'FLOAT DOUBLE'],
      ['BFLOAT16', 'FLOAT DOUBLE'],
      ['FLOAT', 'DOUBLE'],
      ['BOOL', 'FLOAT DOUBLE FLOAT16 BFLOAT16 INT8 UINT8 INT16 UINT16 INT32 UINT32 INT64 UINT64'],
      ['INT8', 'FLOAT DOUBLE FLOAT16 BFLOAT16 INT16 INT32 INT64'],
      ['UINT8', 'FLOAT DOUBLE FLOAT16 BFLOAT16 INT16 UINT16 INT32 UINT32 INT64 UINT64'],
      ['INT16', 'FLOAT DOUBLE INT32 INT64'],
      ['UINT16', 'FLOAT DOUBLE INT32 UINT32 INT64 UINT64'],
      ['INT32', 'DOUBLE INT64'],
      ['UINT32', 'DOUBLE INT64 UINT64'],
    ] as const
  ).map(([from, to]) => [
    DataType[from],
    new Set(to.split(' ').map((name) => (DataType as Readonly<Record<string, DataTypeCode>>)[name] ?? -1)),
  ]),
);

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
  return from !== undefined && node.int('to', DataType.UNDEFINED) === from && (WIDER.get(from)?.has(over) ?? false);
}
