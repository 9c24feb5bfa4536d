import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import type { PatternMatch } from '../../engine/pattern.js';
import type { Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { ERF_GELU, TANH_GELU } from './gelu-patterns.js';

/**
 * x · (1 + erf(x / √2)) / 2 = Gelu(x), and x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2 = Gelu(x; approximate =
 * tanh).
 *
 * Fires for factors in any order and grouping, halves and roots as divisors or factors, cubes as Pow or products.
 * Refuses other constants, and values in between that are used elsewhere. Numerics: reassociates. Reference: Hendrycks
 * and Gimpel 2016 (arXiv 1606.08415); ONNX operator Gelu-20.
 */
export const fuseGelu = defineRewrite<object>({
  name: 'fuse-gelu',
  summary: 'Fuses Erf or Tanh and the arithmetic around it into Gelu.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [20, null],
  options: {},
  roots: ['Mul', 'Div'],
  rules: () => ({
    match: (node, context) =>
      firstPattern([...ERF_GELU, ...TANH_GELU], node, context, (found) => fuse(found, node, context)),
  }),
});

function fuse(found: PatternMatch, last: Node, context: RewriteContext): Rewrite | string {
  const x = found.value('x');
  const reason = whyNotOfType('Gelu', context.opset(last), x);
  if (reason !== undefined) return reason;
  const approximate = found.nodes.some((node) => node.is('Tanh'));
  return {
    nodes: found.nodes,
    apply: () =>
      takeOver(last, {
        opType: 'Gelu',
        inputs: [x],
        attributes: approximate ? [attribute('approximate', 'tanh')] : [],
      }),
  };
}
