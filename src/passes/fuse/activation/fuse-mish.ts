import type { Node } from '../../../ir/node.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { findPattern } from '../../engine/find-pattern.js';
import { op } from '../../engine/pattern.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';

const MISH = op('Mul', ['x', op('Tanh', [op('Softplus', ['x'])])]);

/**
 * x · tanh(softplus(x)) = Mish(x).
 *
 * Fires when nothing else reads the values in between. Refuses DOUBLE, for which ONNX Runtime has no Softplus. Numerics:
 * reassociates. Reference: Misra 2019 (arXiv 1908.08681); ONNX operator Mish-18.
 */
export const fuseMish = defineRewrite<object>({
  name: 'fuse-mish',
  summary: 'Fuses Softplus, Tanh and Mul into Mish.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [18, null],
  options: {},
  roots: ['Mul'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const found = findPattern(MISH, node, context);
  if (typeof found !== 'object') return found;
  const x = found.value('x');
  const reason = whyNotOfType('Mish', context.opset(node), x);
  return reason ?? { nodes: found.nodes, apply: () => takeOver(node, { opType: 'Mish', inputs: [x] }) };
}
