import { floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { whyNotOfContribType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { findPattern } from '../../engine/find-pattern.js';
import { either, op } from '../../engine/pattern.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { SWISH } from './fuse-swish.js';

/** Swish too, which ONNX Runtime would take apart. */
const QUICK_GELU = either(SWISH, op('Swish', ['x']));

/**
 * x · sigmoid(alpha · x) = com.microsoft.QuickGelu(x; alpha): with alpha = 1.702 an approximation of Gelu, with alpha = 1 SiLU.
 *
 * Fires for a constant alpha of one element, or none, and for Swish. Refuses where something else reads the values in
 * between; FLOAT and FLOAT16 only. Numerics: reassociates. Reference: ONNX Runtime ContribOperators.md, QuickGelu.
 */
export const fuseQuickGeluOrt = defineRewrite<object>({
  name: 'fuse-quick-gelu-ort',
  summary: 'Fuses Sigmoid and Mul of a swish (SiLU) into com.microsoft.QuickGelu.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['Mul', 'Swish'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const found = findPattern(QUICK_GELU, node, context);
  if (typeof found !== 'object') return found;
  const x = found.value('x');
  const reason = whyNotOfContribType('QuickGelu', x) ?? whyNotAvailable(context, node, 'QuickGelu');
  if (reason !== undefined) return reason;
  const alpha = node.is('Swish') ? node.float('alpha', 1) : found.has('alpha') ? found.number('alpha') : 1;
  return {
    nodes: found.nodes,
    apply() {
      requireOpset(context, node);
      return takeOver(node, {
        opType: 'QuickGelu',
        domain: MICROSOFT,
        inputs: [x],
        attributes: [floatAttribute('alpha', alpha)],
      });
    },
  };
}
