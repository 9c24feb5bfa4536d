import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { writeList } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { sameShape, shapeOf } from '../../types.js';
import { followable, shapeAfter } from '../views/view-shapes.js';

/**
 * GlobalAveragePool or GlobalMaxPool, and a view that removes its axes of size 1, become ReduceMean or ReduceMax of
 * these axes with keepdims = 0.
 *
 * Fires when the rank is known and nothing else reads the value between. One node fewer, but a pool may have the faster
 * kernel in a runtime that keeps images in blocks of channels. Numerics: reassociates.
 */
export const fuseGlobalPools = defineRewrite<object>({
  name: 'fuse-global-pools',
  summary: 'Replaces a global pool and the view after it with one reduction.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Squeeze', 'Reshape', 'Flatten'],
  rules: () => ({ match: matchPooledView }),
});

const REDUCTION: ReadonlyMap<string, string> = new Map([
  ['GlobalAveragePool', 'ReduceMean'],
  ['GlobalMaxPool', 'ReduceMax'],
]);

function matchPooledView(node: Node, context: RewriteContext): Match {
  const middle = node.input(0);
  const pool = middle?.producer;
  const source = pool?.input(0);
  const opType = pool?.domain === '' ? REDUCTION.get(pool.opType) : undefined;
  if (!middle || !pool || !source || opType === undefined || onlyConsumer(middle) !== node) return undefined;
  const from = followable(shapeOf(source));
  if (!from) return `the rank of "${source.name}" is unknown`;
  const axes = from.flatMap((_, axis) => (axis > 1 ? [axis] : []));
  const pooled = from.map((dim, axis) => (axis > 1 ? 1 : dim));
  if (!sameShape(shapeAfter(context, node, pooled), from.slice(0, 2))) return undefined;
  return {
    nodes: [node, pool],
    apply() {
      const { inputs, attributes } = writeList(context, node, opType, 'axes', axes);
      return takeOver(node, {
        opType,
        inputs: [source, ...inputs],
        attributes: [...attributes, attribute('keepdims', 0)],
      });
    },
  };
}
