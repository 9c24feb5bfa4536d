import type { NodeSpec } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { forward, isUnused, onlyConsumer, takeOver, whyNotForwardable } from '../../nodes.js';
import { dataTypeOf, shapeOf } from '../../types.js';
import { replaceByEqual } from './equal-value.js';
import { axisOf, type GatherParts, gatherSpec, readGather } from './gather-indices.js';
import { sliceSpec } from './slice-ranges.js';
import { areAdjacent, isWholeRange, partReader, type ValuePart } from './value-parts.js';

/**
 * Concat of Concats along one axis is one Concat. Pieces of one value that follow each other, by Split or Slice, are that
 * value or one Slice of it, and lists of its elements, by Gather, one list.
 *
 * Fires when nothing else reads the inner Concat, or the pieces that one node replaces; pieces that are the whole value are
 * replaced in any case. Refuses Slices that count from both ends of an axis of unknown size. Numerics: exact.
 */
export const fuseConcats = defineRewrite<object>({
  name: 'fuse-concats',
  summary: 'Merges consecutive Concats, and Concats of slices of one value.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [4, null],
  options: {},
  roots: ['Concat'],
  rules: () => ({ match: (node, context) => matchNested(node) ?? matchPieces(node, context) }),
});

/** A Concat of more inputs is not written anew for each Concat that it is merged into: the last of a row takes all at once. */
const MANY_INPUTS = 64;

function matchNested(node: Node): Match {
  if (!node.inputs.some((value) => innerConcat(node, value)) || hasReference(node)) return undefined;
  const flat = flattened(node, isInner(node) ? MANY_INPUTS : Number.POSITIVE_INFINITY);
  if (!flat || [...flat.inner].some(hasReference)) return undefined;
  const { inputs, inner } = flat;
  const attributes = [...node.attributes.values()];
  return { nodes: [node, ...inner], apply: () => takeOver(node, { opType: 'Concat', inputs, attributes }) };
}

/** The Concat whose inputs can stand in the place of an input. */
function innerConcat(node: Node, value: Value | undefined): Node | undefined {
  const producer = value?.producer;
  if (!value || !producer?.is('Concat') || producer.inputs.length === 0 || onlyConsumer(value) !== node)
    return undefined;
  const axis = axisOf(node, 0);
  const sameAxis = axis === undefined ? sameRawAxis(producer, node) : axisOf(producer, 0) === axis;
  return sameAxis ? producer : undefined;
}

/** Whether the only reader of a Concat will take its inputs over. */
function isInner(node: Node): boolean {
  const output = node.outputs[0];
  const reader = output && onlyConsumer(output);
  return reader?.is('Concat') === true && !hasReference(reader) && innerConcat(reader, output) === node;
}

/**
 * The inputs of a Concat with those of inner ones in their place, at any depth, and the inner ones, innermost first.
 * Undefined where it takes more than `most` of both.
 */
function flattened(
  node: Node,
  most: number,
): { readonly inputs: (Value | undefined)[]; readonly inner: Set<Node> } | undefined {
  const inputs: (Value | undefined)[] = [];
  const inner = new Set<Node>();
  const open = [{ concat: node, next: 0 }];
  for (let frame = open.at(-1); frame; frame = open.at(-1)) {
    const { concat } = frame;
    if (frame.next >= concat.inputs.length) {
      open.pop();
      if (concat !== node) inner.add(concat);
      continue;
    }
    const value = concat.input(frame.next++);
    const producer = innerConcat(concat, value);
    if (producer) open.push({ concat: producer, next: 0 });
    else inputs.push(value);
    if (inputs.length + open.length > most) return undefined;
  }
  return { inputs, inner };
}

/** Axes that count from the end count from the same end: inputs of a Concat are of one rank. */
function sameRawAxis(a: Node, b: Node): boolean {
  return a.attributes.has('axis') && a.int('axis', 0) === b.int('axis', 0);
}

/** Inputs of the Concat that follow each other, and what stands for them. */
interface Run {
  readonly from: number;
  readonly count: number;
  readonly replacement: Replacement;
}

/** A value that is there, or a node to make. */
type Replacement = { readonly value: Value } | { readonly make: () => Value };

function matchPieces(node: Node, context: RewriteContext): Match {
  const axis = axisOf(node, 0);
  if (axis === undefined || hasReference(node)) return undefined;
  const parts = node.inputs.map(partReader(context, axis));
  for (let from = 0; from < node.inputs.length; from++) {
    const run =
      allOfSplit(node, from, axis) ??
      piecesRun(node, parts, from, axis, context) ??
      gatheredRun(node, from, axis, context);
    if (run) return replaceRun(node, run);
  }
  return undefined;
}

function replaceRun(node: Node, { from, count, replacement }: Run): Match {
  const producers = new Set(node.inputs.slice(from, from + count).flatMap((value) => value?.producer ?? []));
  const nodes = [node, ...producers];
  const alone = count === node.inputs.length;
  if (alone && 'value' in replacement) {
    const merge = replaceByEqual(node, replacement.value, freed(node, from, count) > 0);
    return typeof merge === 'string' ? merge : { nodes, apply: merge };
  }
  return {
    nodes,
    apply() {
      const value = 'value' in replacement ? replacement.value : replacement.make();
      if (alone && whyNotForwardable(node.output(), value) === undefined) {
        forward(node.output(), value);
        return value.producer;
      }
      const inputs = [...node.inputs.slice(0, from), value, ...node.inputs.slice(from + count)];
      return takeOver(node, { opType: 'Concat', inputs, attributes: [...node.attributes.values()] });
    },
  };
}

/** All outputs of a Split, in order. */
function allOfSplit(node: Node, from: number, axis: number): Run | undefined {
  const split = node.input(from)?.producer;
  const source = split?.input(0);
  if (!split?.is('Split') || !source || hasReference(split) || axisOf(split, 0) !== axis) return undefined;
  const count = split.outputs.length;
  if (!split.outputs.every((output, at) => output && node.input(from + at) === output)) return undefined;
  return { from, count, replacement: { value: source } };
}

/** The longest run of pieces of one value that can be replaced. */
function piecesRun(
  node: Node,
  parts: readonly (ValuePart | undefined)[],
  from: number,
  axis: number,
  context: RewriteContext,
): Run | undefined {
  const first = parts[from];
  const source = first?.source;
  if (!source) return undefined;
  const dim = shapeOf(source)?.[axis];
  const size = typeof dim === 'number' ? dim : undefined;
  for (let count = adjacentFrom(parts, from); count >= 1; count--) {
    const run = parts.slice(from, from + count) as ValuePart[];
    const last = run.at(-1);
    if (!last || !context.maySearch(count) || !areAdjacent(run, size)) continue;
    if (isWholeRange(first.start, last.end, size)) return { from, count, replacement: { value: source } };
    const gone = freed(node, from, count) + Number(count === node.inputs.length);
    if (count < 2 || gone < 2) continue;
    const range = { start: first.start, end: last.end, step: 1 };
    return { from, count, replacement: { make: () => slicePiece(node, context, source, axis, range) } };
  }
  return undefined;
}

/** How many pieces from one on follow each other in one value; areAdjacent may refuse some of them. */
function adjacentFrom(parts: readonly (ValuePart | undefined)[], from: number): number {
  let count = 1;
  for (; from + count < parts.length; count++) {
    const [before, part] = [parts[from + count - 1], parts[from + count]];
    if (!part || part.source !== before?.source || part.start !== before.end) break;
  }
  return count;
}

/** How many nodes go when this Concat no longer reads these inputs. */
function freed(node: Node, from: number, count: number): number {
  const pieces = new Set(node.inputs.slice(from, from + count));
  const producers = new Set([...pieces].flatMap((value) => value?.producer ?? []));
  return [...producers].filter((producer) =>
    producer.outputs.every(
      (output) => !output || isUnused(output) || (pieces.has(output) && onlyConsumer(output) === node),
    ),
  ).length;
}

function slicePiece(
  node: Node,
  context: RewriteContext,
  source: Value,
  axis: number,
  range: { readonly start: number; readonly end: number; readonly step: number },
): Value {
  const spec = sliceSpec(context, node, source, new Map([[axis, range]]));
  return addPiece(node, source, axis, spec);
}

/** Lists of elements that Gathers take of one value. */
function gatheredRun(node: Node, from: number, axis: number, context: RewriteContext): Run | undefined {
  const found: GatherParts[] = [];
  const source = node.input(from)?.producer?.input(0);
  for (let at = from; at < node.inputs.length; at++) {
    const value = node.input(at);
    const gather = value?.producer;
    const parts = gather && gather.input(0) === source && onlyConsumer(value) === node && readGather(context, gather);
    if (!parts || parts.axis !== axis || parts.dims.length !== 1 || parts.dataType !== (found[0] ?? parts).dataType)
      break;
    found.push(parts);
  }
  const [first] = found;
  if (!source || !first || found.length < 2) return undefined;
  const indices = found.flatMap((parts) => parts.indices);
  const make = () => {
    const spec = gatherSpec(node, source, { ...first, indices, dims: [indices.length] });
    return addPiece(node, source, axis, spec, indices.length);
  };
  return { from, count: found.length, replacement: { make } };
}

function addPiece(node: Node, source: Value, axis: number, spec: Omit<NodeSpec, 'outputs'>, size?: number): Value {
  const name = `${node.output().name}_piece`;
  const dataType = dataTypeOf(source);
  const shape = shapeOf(source)?.map((dim, at) => (at === axis ? size : dim));
  const type = dataType === undefined ? undefined : tensorType(dataType, shape);
  return node.graph.addNode({ ...spec, name, outputs: [{ name, type }] }, node).output();
}
