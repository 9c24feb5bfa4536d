import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { takeOver } from '../nodes.js';
import { scalarOf } from '../scalar.js';
import { frontAxis, rankOf } from '../types.js';
import { becomeConstant } from './become-constant.js';
import { passThrough } from './pass-through.js';
import { partSizes, splitInstead } from './split-to-sequence.js';

/**
 * Sequences and optionals that are built and taken apart again: `SequenceAt(SequenceConstruct(a, b), 1) = b`, the
 * concatenation of what was split is the whole, a sequence of known parts has a known length, Optional(x) has x; a
 * sequence of which only single parts are read, and all of known size, is a Split.
 *
 * Fires when the sequence is built in the same graph (SequenceConstruct, SequenceEmpty, SplitToSequence) and positions
 * in it are constant. SequenceInsert and SequenceErase become a SequenceConstruct. Refuses: positions and sizes that
 * are known at run time only, stacking along a new axis, and parts without the axis they were split along. Numerics:
 * exact.
 */
export const eliminateSequences = defineRewrite<object>({
  name: 'eliminate-sequences',
  summary: 'Removes sequences and optionals that are built and taken apart in the same graph.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [11, null],
  options: {},
  roots: [
    ...['SequenceAt', 'SequenceInsert', 'SequenceErase', 'SequenceLength', 'ConcatFromSequence', 'SplitToSequence'],
    ...['OptionalGetElement', 'OptionalHasElement'],
  ],
  rules: () => ({ match: matchSequence }),
});

type Rule = (node: Node, context: RewriteContext) => Match;

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['SequenceAt', matchAt],
  ['SequenceInsert', matchInsert],
  ['SequenceErase', matchErase],
  ['SequenceLength', matchLength],
  ['ConcatFromSequence', matchConcat],
  ['SplitToSequence', splitInstead],
  ['OptionalGetElement', matchElement],
  ['OptionalHasElement', matchHasElement],
]);

function matchSequence(node: Node, context: RewriteContext): Match {
  return node.outputs[0] && !hasReference(node) ? RULES.get(node.opType)?.(node, context) : undefined;
}

/** The values that a sequence holds, where it is put together from them. */
function partsOf(sequence: Value | undefined): readonly Value[] | undefined {
  const producer = sequence?.producer;
  if (producer?.is('SequenceEmpty')) return [];
  if (!producer?.is('SequenceConstruct')) return undefined;
  return producer.inputs.filter((input) => input !== undefined);
}

/** A constant place as one from the front, from 0 up to `last`; undefined where it is computed or out of range. */
function placeOf(value: Value | undefined, count: number, last: number, context: RewriteContext): number | undefined {
  const given = scalarOf(context.constant(value));
  const place = given !== undefined && given < 0 ? given + count : given;
  return place !== undefined && place >= 0 && place <= last ? place : undefined;
}

function matchAt(node: Node, context: RewriteContext): Match {
  const parts = partsOf(node.input(0));
  if (!parts) return undefined;
  const place = placeOf(node.input(1), parts.length, parts.length - 1, context);
  const part = place === undefined ? undefined : parts[place];
  return part ? passThrough(node, part) : 'its position in the sequence is not constant';
}

function matchInsert(node: Node, context: RewriteContext): Match {
  const [sequence, added, position] = node.inputs;
  const parts = partsOf(sequence);
  if (!parts || !added) return undefined;
  const place = position ? placeOf(position, parts.length, parts.length, context) : parts.length;
  if (place === undefined) return 'its position in the sequence is not constant';
  return construct(node, [...parts.slice(0, place), added, ...parts.slice(place)]);
}

function matchErase(node: Node, context: RewriteContext): Match {
  const [sequence, position] = node.inputs;
  const parts = partsOf(sequence);
  if (!parts || parts.length === 0) return undefined;
  const place = position ? placeOf(position, parts.length, parts.length - 1, context) : parts.length - 1;
  if (place === undefined) return 'its position in the sequence is not constant';
  if (parts.length === 1) return 'the sequence would be empty, and its type is unknown';
  return construct(node, [...parts.slice(0, place), ...parts.slice(place + 1)]);
}

function construct(node: Node, parts: readonly Value[]): Match {
  const before = node.input(0)?.producer;
  return {
    nodes: before ? [node, before] : [node],
    apply: () => takeOver(node, { opType: 'SequenceConstruct', inputs: parts }),
  };
}

function matchLength(node: Node, context: RewriteContext): Match {
  const producer = node.input(0)?.producer;
  const count = producer?.is('SplitToSequence') ? partSizes(producer, context)?.length : partsOf(node.input(0))?.length;
  return count === undefined ? undefined : becomeConstant(node, Tensor.int64([count], []));
}

function matchConcat(node: Node): Match {
  const inner = node.input(0)?.producer;
  const isStacked = node.int('new_axis', 0) !== 0;
  const axis = node.attributes.get('axis');
  if (!inner || !axis) return undefined;
  if (inner.is('SplitToSequence')) {
    const whole = inner.input(0);
    const rank = rankOf(whole);
    const same = rank !== undefined && frontAxis(node.int('axis', 0), rank) === frontAxis(inner.int('axis', 0), rank);
    const keepsAxis = inner.input(1) !== undefined || inner.int('keepdims', 1) !== 0;
    return whole && same && keepsAxis && !isStacked ? passThrough(node, whole) : undefined;
  }
  const parts = partsOf(node.input(0));
  if (!parts || parts.length === 0) return undefined;
  if (isStacked) return 'it stacks along a new axis, which Concat does not support';
  return { nodes: [node, inner], apply: () => takeOver(node, { opType: 'Concat', inputs: parts, attributes: [axis] }) };
}

function matchElement(node: Node): Match {
  const input = node.input(0);
  const content = input?.producer?.is('Optional') ? input.producer.input(0) : undefined;
  if (content) return passThrough(node, content);
  return input && isPresent(input) ? passThrough(node, input) : undefined;
}

function matchHasElement(node: Node): Match {
  const input = node.input(0);
  const producer = input?.producer;
  const has = !input
    ? false
    : producer?.is('Optional')
      ? producer.input(0) !== undefined
      : isPresent(input) || undefined;
  return has === undefined ? undefined : becomeConstant(node, Tensor.of(DataType.BOOL, [], Uint8Array.of(Number(has))));
}

/** True for a plain tensor or sequence, which from opset 18 on may stand where an optional is asked for. */
function isPresent(value: Value): boolean {
  return value.type?.kind === 'tensor' || value.type?.kind === 'sequence';
}
