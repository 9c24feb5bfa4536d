import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { holdsAll, skipsExactly } from '../../lossless-casts.js';
import { forward, onlyConsumer, whyNotForwardable } from '../../nodes.js';
import { dataTypeOf, shapeOf } from '../../types.js';

/**
 * Cast(Cast(x)) = Cast(x), or x, where the type between holds every value of the first one, or loses only bits of
 * integers that the last one drops as well. Reshape, Transpose, Slice, Gather and others that only move elements may be
 * between the two: they then move elements of the first type.
 *
 * Fires when all types are known and nothing else reads the values between. Refuses a detour that rounds, such as float
 * → float16 → float. Numerics: exact.
 */
export const fuseCasts = defineRewrite<object>({
  name: 'fuse-casts',
  summary: 'Merges consecutive Casts where the intermediate type loses nothing.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [6, null],
  options: {},
  roots: ['Cast'],
  rules: () => ({ match: matchCast }),
});

/** Operators that move elements of their first input, for all types; and those that do for the common ones. */
const MOVES_ANY: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Slice', 'Gather']);
const MOVES_COMMON: ReadonlySet<string> = new Set(['Flatten', 'Expand', 'Tile']);
const COMMON: ReadonlySet<DataTypeCode> = new Set([
  DataType.FLOAT,
  DataType.DOUBLE,
  DataType.INT32,
  DataType.INT64,
  DataType.BOOL,
]);

function matchCast(node: Node, context: RewriteContext): Match {
  const to = node.int('to', DataType.UNDEFINED);
  const moves: Node[] = [];
  let cursor: Node = node;
  let first: Node | undefined;
  for (;;) {
    const value: Value | undefined = cursor.input(0);
    first = value?.producer;
    if (!value || !first || onlyConsumer(value) !== cursor) return undefined;
    if (first.is('Cast')) break;
    if (first.domain !== '' || !(MOVES_ANY.has(first.opType) || MOVES_COMMON.has(first.opType))) return undefined;
    moves.push(first);
    cursor = first;
  }
  const source = first.input(0);
  const from = dataTypeOf(source);
  const over = first.int('to', DataType.UNDEFINED);
  if (!source || from === undefined || hasReference(first) || hasReference(node)) return undefined;
  if (!skipsExactly(from, over, to))
    return holdsAll(from, over) || moves.length > 0 ? undefined : 'the intermediate type rounds';
  if (moves.some((move) => MOVES_COMMON.has(move.opType)) && (context.opset(node) < 9 || !COMMON.has(from)))
    return undefined;
  return { nodes: [node, first], apply: () => moveUncast(node, cursor, moves, source, from, to) };
}

/** Lets `cursor`, which read the first Cast, read its source, and gives what stands between the type of that. */
function moveUncast(
  last: Node,
  cursor: Node,
  moves: readonly Node[],
  source: Value,
  from: DataTypeCode,
  to: DataTypeCode,
): Node | undefined {
  cursor.setInput(0, source);
  for (const move of moves) move.output().type = tensorType(from, shapeOf(move.output()));
  const before = last.input(0);
  if (from !== to || !before || whyNotForwardable(last.output(), before) !== undefined) return last;
  forward(last.output(), before);
  return undefined;
}
