import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { rankOf, sameDim, sameShape, shapeOf } from '../../types.js';
import { replaceByEqual } from './equal-value.js';
import { type MakeView, oneView, viewByAxes } from './one-view.js';
import { isReadBy } from './sole-readers.js';
import { axisChange, failingSizes, followable, isTransposedView, isView, shapeAfter } from './view-shapes.js';

/** Views further up are not looked at for an earlier shape. */
const LONGEST_CHAIN = 16;

/**
 * Reshape, Flatten, Squeeze and Unsqueeze in sequence, and a Transpose among them that only moves axes of size 1,
 * become one view; views that return to an earlier shape are removed. The order of elements is the same in all of them,
 * so only the last shape counts.
 *
 * Fires when that shape can be written for one operator: the constant of the last Reshape, a new one with sizes copied
 * by 0 and at most one -1, axes of a Squeeze or an Unsqueeze, the axis of a Flatten. The value in between must have no
 * readers but views. Refuses a -1 where it would newly fail for a size of 0. Numerics: exact.
 */
export const fuseViews = defineRewrite<object>({
  name: 'fuse-views',
  summary: 'Merges consecutive Reshape, Flatten, Squeeze and Unsqueeze into one of them, or none.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose'],
  rules: () => ({ match: matchView }),
});

function matchView(node: Node, context: RewriteContext): Match {
  const output = node.outputs[0];
  const middle = node.input(0);
  const first = middle?.producer;
  const source = first?.input(0);
  if (!output || !middle || !first || !source || !(isView(first) || first.is('Transpose'))) return undefined;
  if (!isView(node) && !isView(first)) return undefined;
  const earlier = earlierShape(node, context);
  if (earlier) {
    const merge = replaceByEqual(node, earlier);
    return typeof merge === 'string' ? merge : { nodes: [node, first], apply: merge };
  }
  if (!isReadBy(middle, node.graph, isView) && onlyConsumer(middle) !== node) return undefined;
  // A Transpose that moves elements is nothing to speak of.
  const from = followable(shapeOf(source));
  if (!isView(first) && !(from && isTransposedView(first, from))) return undefined;
  if (!isView(node) && !isTransposedView(node, (from && viewedShape(first, from, context)) ?? [])) return undefined;
  const spec = mergedView(first, node, source, context);
  if (!spec) return `no single view gives the shape that ${first.opType} and ${node.opType} make together`;
  return { nodes: [node, first], apply: () => takeOver(node, spec()) };
}

/** What a view, or a Transpose that is one, makes of a shape. */
function viewedShape(node: Node, from: readonly Dim[], context: RewriteContext): readonly Dim[] | undefined {
  return isView(node) || isTransposedView(node, from) ? shapeAfter(context, node, from) : undefined;
}

/** A value that the views in front of `last` start from and that has the shape they end with. */
function earlierShape(last: Node, context: RewriteContext): Value | undefined {
  const chain = [last];
  let found: Value | undefined;
  for (let source = last.input(0); source && chain.length <= LONGEST_CHAIN; source = chain[0]?.input(0)) {
    const producer = source.producer;
    if (chain.length > 1 && comesBack(chain, source, context)) found = source;
    if (!producer || !(isView(producer) || producer.is('Transpose'))) break;
    chain.unshift(producer);
  }
  return found;
}

function comesBack(chain: readonly Node[], source: Value, context: RewriteContext): boolean {
  const change = axisChange(context, chain, rankOf(source));
  if (change && change.removed.length === 0 && change.inserted.length === 0) return true;
  const from = followable(shapeOf(source));
  let shape = from;
  for (const node of chain) shape = shape && viewedShape(node, shape, context);
  return sameShape(from, shape);
}

/** The view that does what two do; making it is left to `apply`. */
function mergedView(first: Node, last: Node, source: Value, context: RewriteContext): MakeView | undefined {
  const from = followable(shapeOf(source));
  const between = from && viewedShape(first, from, context);
  const to = between && viewedShape(last, between, context);
  const operand = last.is('Reshape') ? last.input(1) : undefined;
  if (operand && targetIsFree(last, operand, from, between, context)) {
    const attributes = [...last.attributes.values()];
    return () => ({ opType: 'Reshape', inputs: [source, operand], attributes });
  }
  if (last.is('Squeeze') && !last.attributes.has('axes') && !last.input(1) && first.opType.endsWith('queeze'))
    return () => ({ opType: 'Squeeze', inputs: [source] });
  const change = axisChange(context, [first, last], rankOf(source));
  const byAxes = change && viewByAxes(context, last, source, change);
  if (byAxes || !from || !between || !to) return byAxes;
  const failing = [...failingSizes(context, first, between), ...failingSizes(context, last, to)];
  return oneView(context, last, source, from, to, failing);
}

/** True when a Reshape takes nothing from the shape of its input but what `from` has too: sizes of 0 copy it. */
function targetIsFree(
  last: Node,
  operand: Value,
  from: readonly Dim[] | undefined,
  between: readonly Dim[] | undefined,
  context: RewriteContext,
): boolean {
  const copies = last.int('allowzero', 0) === 0;
  if (last.attributes.get('allowzero')?.value.kind === 'reference') return false;
  const items = context.elements(operand)?.items;
  if (!copies) return true;
  if (!items) return false;
  // A size that is computed may come out as 0 when the input is empty.
  return items.every(
    (item, axis) => (typeof item === 'number' && item !== 0) || sameDim(from?.[axis], between?.[axis]),
  );
}
