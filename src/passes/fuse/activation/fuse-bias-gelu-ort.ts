import type { Node } from '../../../ir/node.js';
import { whyNotOfContribType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { findPattern } from '../../engine/find-pattern.js';
import { any, op } from '../../engine/pattern.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { isRow } from '../../row-vector.js';

/** Gelu of x + bias, where the bias is a row: one number for each place on the last axis. */
const BIASED = op(
  ['Gelu', `${MICROSOFT}.Gelu`, `${MICROSOFT}.FastGelu`],
  [op('Add', ['x', any('bias', (bias, found) => isRow(bias, found.value('x')))])],
);

/**
 * Gelu(x + bias) = com.microsoft.BiasGelu(x, bias), and for the approximation with tanh com.microsoft.FastGelu(x, bias).
 *
 * Fires for a bias of one axis, as long as the last axis of x. Refuses where something else reads x + bias; FLOAT and FLOAT16
 * only. Numerics: reassociates. Reference: ONNX Runtime ContribOperators.md, BiasGelu and FastGelu.
 */
export const fuseBiasGeluOrt = defineRewrite<object>({
  name: 'fuse-bias-gelu-ort',
  summary: 'Fuses the Add of a bias and Gelu into com.microsoft.BiasGelu or FastGelu.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['Gelu', `${MICROSOFT}.Gelu`, `${MICROSOFT}.FastGelu`],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const found = findPattern(BIASED, node, context);
  if (typeof found !== 'object') return found;
  const [x, bias] = [found.value('x'), found.value('bias')];
  const isFast = node.opType === 'FastGelu' || node.string('approximate', 'none') === 'tanh';
  const opType = isFast ? 'FastGelu' : 'BiasGelu';
  const reason = whyNotOfContribType(opType, x) ?? whyNotAvailable(context, node, opType);
  if (reason !== undefined) return reason;
  return {
    nodes: found.nodes,
    apply() {
      requireOpset(context, node);
      return takeOver(node, { opType, domain: MICROSOFT, inputs: [x, bias] });
    },
  };
}
