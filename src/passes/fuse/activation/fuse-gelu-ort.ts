import type { Node } from '../../../ir/node.js';
import { whyNotOfContribType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import type { PatternMatch } from '../../engine/pattern.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { ERF_GELU, TANH_GELU } from './gelu-patterns.js';

/**
 * Before opset 20 has Gelu: x · (1 + erf(x / √2)) / 2 = com.microsoft.Gelu(x), and the form with tanh =
 * com.microsoft.FastGelu(x).
 *
 * Fires and refuses as fuse-gelu does; FLOAT and FLOAT16 only. Numerics: reassociates. Reference: ONNX Runtime
 * ContribOperators.md, Gelu and FastGelu.
 */
export const fuseGeluOrt = defineRewrite<object>({
  name: 'fuse-gelu-ort',
  summary: 'Fuses Erf or Tanh and the arithmetic around it into com.microsoft.Gelu or FastGelu.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, 19],
  options: {},
  ortOnly: true,
  roots: ['Mul', 'Div'],
  rules: () => ({
    match: (node, context) =>
      firstPattern([...ERF_GELU, ...TANH_GELU], node, context, (found) => fuse(found, node, context)),
  }),
});

function fuse(found: PatternMatch, last: Node, context: RewriteContext): Rewrite | string {
  const opType = found.nodes.some((node) => node.is('Tanh')) ? 'FastGelu' : 'Gelu';
  const reason = whyNotOfContribType(opType, found.value('x')) ?? whyNotAvailable(context, last, opType);
  if (reason !== undefined) return reason;
  return {
    nodes: found.nodes,
    apply() {
      requireOpset(context, last);
      return takeOver(last, { opType, domain: MICROSOFT, inputs: [found.value('x')] });
    },
  };
}
