import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { writeList } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { releaseOutputs } from '../../nodes.js';
import { shapeOf } from '../../types.js';
import { readGather } from './gather-indices.js';
import { indexRun, readSlice } from './slice-ranges.js';

/**
 * Slices of one value that together cover an axis exactly once are the outputs of a Split; a Gather of one element, by
 * a list, is such a Slice.
 *
 * Fires when the size of the axis and all ranges are known, and there are two pieces or more. Numerics: exact.
 */
export const fuseSlicesIntoSplit = defineRewrite<object>({
  name: 'fuse-slices-into-split',
  summary: 'Replaces Slices that cover an axis with one Split.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [2, null],
  options: {},
  roots: ['Slice', 'Gather'],
  rules: () => ({ match: matchPiece }),
});

/** A node that takes elements `start` to `end` of an axis. */
interface Piece {
  readonly node: Node;
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

function matchPiece(node: Node, context: RewriteContext): Match {
  const source = node.input(0);
  const piece = source && pieceOf(node, source, context);
  if (!piece) return undefined;
  const size = shapeOf(source)?.[piece.axis];
  if (typeof size !== 'number' || !context.maySearch(source.uses.size)) return undefined;
  const byStart = new Map<number, Piece>();
  for (const { node: reader, slot } of source.uses) {
    const other = slot === 0 && reader.graph === node.graph ? pieceOf(reader, source, context) : undefined;
    // Of two that take the same piece one will do: the other is a common subexpression.
    if (other?.axis === piece.axis && !byStart.has(other.start)) byStart.set(other.start, other);
  }
  byStart.set(piece.start, piece);
  const pieces: Piece[] = [];
  for (let at = 0; at < size; at = pieces.at(-1)?.end ?? size) {
    const next = byStart.get(at);
    if (!next) return undefined;
    pieces.push(next);
  }
  if (pieces.length < 2 || byStart.get(piece.start) !== piece || !pieces.includes(piece) || pieces.at(-1)?.end !== size)
    return undefined;
  if (!context.maySearch(node.graph.nodes.size)) return undefined;
  return { nodes: pieces.map((each) => each.node), apply: () => writeSplit(source, pieces, context) };
}

function pieceOf(node: Node, source: Value, context: RewriteContext): Piece | undefined {
  if (node.input(0) !== source) return undefined;
  const gathered = readGather(context, node);
  const ranges = node.is('Slice') ? readSlice(context, node) : undefined;
  const [axis] = gathered ? [gathered.axis] : [...(ranges?.keys() ?? [])];
  const size = axis === undefined ? undefined : shapeOf(source)?.[axis];
  if (axis === undefined || typeof size !== 'number') return undefined;
  if (gathered) {
    const [index] = gathered.indices;
    if (gathered.dims.length !== 1 || gathered.indices.length !== 1 || index === undefined) return undefined;
    const start = index < 0 ? index + size : index;
    return { node, axis, start, end: start + 1 };
  }
  const range = ranges?.size === 1 ? ranges.get(axis) : undefined;
  if (range?.step !== 1) return undefined;
  const { first, count } = indexRun(range, size);
  return count > 0 ? { node, axis, start: first, end: first + count } : undefined;
}

function writeSplit(source: Value, pieces: readonly Piece[], context: RewriteContext): Node | undefined {
  const nodes = new Set(pieces.map(({ node }) => node));
  const [first] = pieces;
  if (!first) return undefined;
  const { graph } = first.node;
  // The Split stands where the first of them stood, before all who read any.
  let place = first.node;
  for (const node of graph.nodes) {
    if (!nodes.has(node)) continue;
    place = node;
    break;
  }
  const sizes = pieces.map(({ start, end }) => end - start);
  const { inputs, attributes } = writeList(context, place, 'Split', 'split', sizes);
  const split = graph.addNode(
    {
      opType: 'Split',
      name: place.name,
      inputs: [source, ...inputs],
      outputs: [],
      attributes: [...attributes, attribute('axis', first.axis)],
    },
    place,
  );
  for (const { node } of pieces) for (const output of releaseOutputs(node)) split.addOutput(output);
  return split;
}
