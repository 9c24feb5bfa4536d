import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference, writeList } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { forward, isUnused, onlyConsumer, releaseOutputs, takeOver, whyNotForwardable } from '../../nodes.js';
import { sameDim, shapeOf } from '../../types.js';
import { axisOf } from './gather-indices.js';
import { sliceSpec } from './slice-ranges.js';
import { splitSizes } from './value-parts.js';

/**
 * Split of an output of a Split, along one axis, is one Split; Split of a Concat that gives its inputs back is those
 * inputs; a Split of which one output is used is a Slice.
 *
 * Fires when the sizes are known as numbers (for Split of Concat: equal) and nothing else reads the value between.
 * Refuses inputs that cannot take the name of a graph output. Numerics: exact.
 */
export const fuseSplits = defineRewrite<object>({
  name: 'fuse-splits',
  summary:
    'Merges consecutive Splits, removes Concat before Split, and replaces a Split with one used output by a Slice.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [2, null],
  options: {},
  roots: ['Split'],
  rules: () => ({ match: matchSplit }),
});

function matchSplit(node: Node, context: RewriteContext): Match {
  const axis = axisOf(node, 0);
  const producer = node.input(0)?.producer;
  if (axis === undefined || hasReference(node)) return undefined;
  const merged = producer?.is('Split') ? mergeSplits(producer, node, axis, context) : undefined;
  const undone = producer?.is('Concat') ? undoConcat(producer, node, axis, context) : undefined;
  return merged ?? undone ?? writeAsSlice(node, axis, context);
}

function mergeSplits(first: Node, node: Node, axis: number, context: RewriteContext): Match {
  const middle = node.input(0);
  const source = first.input(0);
  if (!middle || !source || onlyConsumer(middle) !== node || hasReference(first) || axisOf(first, 0) !== axis)
    return undefined;
  const outer = splitSizes(context, first);
  const inner = splitSizes(context, node);
  if (!outer || !inner) return 'the sizes of both are unknown';
  const sizes = outer.flatMap((size, at) => (at === middle.outputIndex ? inner : [size]));
  return {
    nodes: [node, first],
    apply() {
      const inner = releaseOutputs(node);
      const { inputs, attributes } = writeList(context, first, 'Split', 'split', sizes);
      const split = takeOver(first, {
        opType: 'Split',
        inputs: [source, ...inputs],
        attributes: [...attributes, attribute('axis', axis)],
      });
      const outputs = split.outputs.flatMap((output) => (output === middle ? inner : [output]));
      for (const [index, output] of outputs.entries()) split.setOutput(index, output);
      middle.graph.forget(middle);
      return split;
    },
  };
}

/** Where every used output is an input of the Concat. */
function undoConcat(concat: Node, node: Node, axis: number, context: RewriteContext): Match {
  if (hasReference(concat) || axisOf(concat, 0) !== axis) return undefined;
  const sizes = splitSizes(context, node);
  const equal = concat.inputs.map((value) => shapeOf(value)?.[axis]);
  const places = placesOf(equal);
  const isEqual = isSplitEqually(equal, node);
  const pairs: (readonly [output: Value, input: Value])[] = [];
  let start: number | undefined = 0;
  for (const [at, output] of node.outputs.entries()) {
    const end: number | undefined = start === undefined || !sizes ? undefined : start + (sizes[at] ?? 0);
    const input = sizes
      ? start === undefined || end === undefined
        ? undefined
        : inputAt(concat, places, start, end)
      : isEqual
        ? concat.input(at)
        : undefined;
    if (output && !isUnused(output)) {
      if (!input) return undefined;
      const reason = whyNotForwardable(output, input);
      if (reason !== undefined) return reason;
      pairs.push([output, input]);
    }
    start = end;
  }
  // A value can take over one name only.
  const named = pairs.filter(([output]) => output.isGraphOutput).map(([, input]) => input);
  if (pairs.length === 0 || new Set(named).size < named.length) return undefined;
  return {
    nodes: [node, concat],
    apply() {
      // An output of the graph takes over from its input, for others that equal the same one too.
      const now = new Map<Value, Value>();
      for (const [output, input] of pairs.sort(([a], [b]) => Number(b.isGraphOutput) - Number(a.isGraphOutput))) {
        const named = output.isGraphOutput;
        forward(output, now.get(input) ?? input);
        if (named) now.set(input, output);
      }
      return undefined;
    },
  };
}

/** The input of a Concat that fills exactly elements `start` to `end` of its axis. */
function inputAt(concat: Node, places: ReadonlyMap<number, Place>, start: number, end: number): Value | undefined {
  const place = places.get(start);
  return place && place.end === end ? concat.input(place.index) : undefined;
}

/** An input of a Concat that is not empty, and where it ends. */
interface Place {
  readonly index: number;
  readonly end: number;
}

/** The inputs of a Concat by where they start, as far as the sizes before them are known. */
function placesOf(sizes: readonly (number | string | undefined)[]): Map<number, Place> {
  const places = new Map<number, Place>();
  let at = 0;
  for (const [index, size] of sizes.entries()) {
    if (typeof size !== 'number') break;
    if (size > 0) places.set(at, { index, end: at + size });
    at += size;
  }
  return places;
}

/** Whether the Concat has as many inputs, all of one size, as the Split has equal outputs. */
function isSplitEqually(sizes: readonly (number | string | undefined)[], split: Node): boolean {
  if (split.input(1) || split.attributes.has('split') || sizes.length !== split.outputs.length) return false;
  return sizes.every((size) => sameDim(size, sizes[0]));
}

function writeAsSlice(node: Node, axis: number, context: RewriteContext): Match {
  const source = node.input(0);
  const used = node.outputs.filter((output) => output !== undefined && !isUnused(output));
  const [output] = used;
  if (!source || !output || used.length !== 1 || node.outputs.length < 2) return undefined;
  const sizes = splitSizes(context, node);
  if (!sizes) return 'the sizes are unknown';
  const start = sizes.slice(0, output.outputIndex).reduce((sum, size) => sum + size, 0);
  const end = start + (sizes[output.outputIndex] ?? 0);
  return {
    nodes: [node],
    apply() {
      const spec = sliceSpec(context, node, source, new Map([[axis, { start, end, step: 1 }]]));
      const slice = node.graph.addNode({ name: node.name, ...spec, outputs: [] }, node);
      for (const value of releaseOutputs(node)) if (value && value !== output) slice.graph.forget(value);
      slice.addOutput(output);
      return slice;
    },
  };
}
