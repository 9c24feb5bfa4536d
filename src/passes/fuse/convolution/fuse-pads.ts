import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference, isInput, readList, writeList } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { scalarOf } from '../../scalar.js';
import { dataTypeOf, frontAxis, rankOf } from '../../types.js';

/**
 * Pad(Pad(x)) = Pad(x) with the pads added up, for a constant of one value, or edges repeated.
 *
 * Fires when the pads are known and none is negative, and nothing else reads the value between. Refuses reflected pads
 * and two different constants. Numerics: exact.
 */
export const fusePads = defineRewrite<object>({
  name: 'fuse-pads',
  summary: 'Merges consecutive Pads into one.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [2, null],
  options: {},
  roots: ['Pad'],
  rules: () => ({ match: matchPad }),
});

function matchPad(node: Node, context: RewriteContext): Match {
  const middle = node.input(0);
  const first = middle?.producer;
  const source = first?.input(0);
  if (!middle || !source || !first?.is('Pad') || onlyConsumer(middle) !== node) return undefined;
  if (hasReference(node) || hasReference(first)) return undefined;
  const mode = node.string('mode', 'constant');
  if (mode !== first.string('mode', 'constant') || (mode !== 'constant' && mode !== 'edge')) return undefined;
  const inner = padsOf(context, first);
  const outer = padsOf(context, node);
  if (!inner || !outer) return 'the pads, or the rank, are unknown';
  if ([...inner, ...outer].some((pad) => pad < 0)) return 'one of the two crops';
  if (mode === 'constant' && !sameFill(first, node, context)) return 'the two pad with different values';
  const pads = inner.map((pad, at) => pad + (outer[at] ?? 0));
  const asInput = isInput('Pad', 'pads', context.opset(node));
  return {
    nodes: [node, first],
    apply() {
      const { inputs, attributes } = writeList(context, node, 'Pad', 'pads', pads);
      const fill = asInput ? node.input(2) : undefined;
      const kept = [...node.attributes.values()].filter(({ name }) => name !== 'pads');
      return takeOver(node, {
        opType: 'Pad',
        inputs: [source, ...inputs, ...(fill ? [fill] : [])],
        attributes: [...attributes, ...kept],
      });
    },
  };
}

/** Pads before all axes, then after all axes. */
function padsOf(context: RewriteContext, node: Node): number[] | undefined {
  const pads = readList(context, node, 'pads', 1);
  const axes = readList(context, node, 'axes', 3);
  const rank = rankOf(node.input(0)) ?? (axes === 'absent' && typeof pads !== 'string' ? pads.length / 2 : undefined);
  if (typeof pads === 'string' || axes === 'unknown' || rank === undefined) return undefined;
  const list = axes === 'absent' ? Array.from({ length: rank }, (_, axis) => axis) : axes;
  if (pads.length !== 2 * list.length) return undefined;
  const all = new Array<number>(2 * rank).fill(0);
  for (const [at, given] of list.entries()) {
    const axis = frontAxis(given, rank);
    if (axis === undefined) return undefined;
    all[axis] = pads[at] ?? 0;
    all[rank + axis] = pads[list.length + at] ?? 0;
  }
  return all;
}

function sameFill(first: Node, second: Node, context: RewriteContext): boolean {
  if (!isInput('Pad', 'pads', context.opset(second)))
    return Object.is(first.float('value', 0), second.float('value', 0));
  const [a, b] = [first.input(2), second.input(2)];
  if (a === b) return true;
  const [x, y] = [fillOf(a, context), fillOf(b, context)];
  return x !== undefined && Object.is(x, y) && dataTypeOf(a ?? b) === dataTypeOf(b ?? a);
}

function fillOf(value: Value | undefined, context: RewriteContext): number | undefined {
  return value ? scalarOf(context.constant(value)) : 0;
}
