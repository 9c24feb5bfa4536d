import { floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { findPattern } from '../../engine/find-pattern.js';
import { either, op, scalar } from '../../engine/pattern.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';

/** x · sigmoid(alpha · x), or x · sigmoid(x). */
export const SWISH = op('Mul', ['x', op('Sigmoid', [either(op('Mul', ['x', scalar(undefined, 'alpha')]), 'x')])]);

/**
 * x · sigmoid(alpha · x) = Swish(x; alpha), which for alpha = 1 is called SiLU.
 *
 * Fires for a constant alpha of one element, or none. Refuses where something else reads the values in between. Numerics:
 * reassociates. Reference: Ramachandran et al. 2017 (arXiv 1710.05941); ONNX operator Swish-24.
 */
export const fuseSwish = defineRewrite<object>({
  name: 'fuse-swish',
  summary: 'Fuses Sigmoid and Mul of a swish (SiLU) into Swish.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [24, null],
  options: {},
  roots: ['Mul'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const found = findPattern(SWISH, node, context);
  if (typeof found !== 'object') return found;
  const x = found.value('x');
  const reason = whyNotOfType('Swish', context.opset(node), x);
  if (reason !== undefined) return reason;
  const attributes = found.has('alpha') ? [floatAttribute('alpha', found.number('alpha'))] : [];
  return { nodes: found.nodes, apply: () => takeOver(node, { opType: 'Swish', inputs: [x], attributes }) };
}
