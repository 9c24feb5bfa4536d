import type { Node } from '../../../ir/node.js';
import { inferNodeTypes } from '../../../ops/infer/infer-node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { sameShape } from '../../types.js';

/**
 * Where(c, Where(c, a, b), d) = Where(c, a, d) and Where(c, a, Where(c, b, d)) = Where(c, a, d): the other value of the
 * inner one is never selected.
 *
 * Fires when both have the same condition and the shape of the output is known and the same without the inner one,
 * which stays while something else reads it. Numerics: exact.
 */
export const fuseWhere = defineRewrite<object>({
  name: 'fuse-where',
  summary: 'Removes a Where inside another one with the same condition.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [9, null],
  options: {},
  roots: ['Where'],
  rules: () => ({ match: matchWhere }),
});

function matchWhere(node: Node, context: RewriteContext): Match {
  for (const slot of [1, 2]) {
    const middle = node.input(slot);
    const inner = middle?.producer;
    const taken = inner?.input(slot);
    if (!middle || !taken || !inner?.is('Where') || inner.input(0) !== node.input(0)) continue;
    const shapeWith = (other: boolean) => {
      const [type] = inferNodeTypes(node, context.opset(node), {
        typeOf: (value) => (other && value === middle ? taken.type : value.type),
        elementsOf: () => undefined,
      });
      return type?.kind === 'tensor' ? type.shape : undefined;
    };
    if (!sameShape(shapeWith(true), shapeWith(false))) return 'without the inner Where the shape may differ';
    return {
      nodes: [node, inner],
      apply() {
        node.setInput(slot, taken);
        return node;
      },
    };
  }
  return undefined;
}
