import type { Node } from '../../ir/node.js';
import { channelAffine, constantOperation } from '../affine.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { onlyConsumer } from '../nodes.js';
import { foldInto, linearOutput } from './linear-output.js';

/**
 * Conv(x, W, b) · f + s = Conv(x, W·f, b·f + s) for constants f, s with one value, or one per channel; Mul, Div, Add,
 * Sub and Neg after Conv, ConvTranspose, Gemm, MatMul or MatMul + Add. Paddle exports biases and folded normalizations
 * this way.
 *
 * Fires when weights (for Add and Sub the bias only) and constants are float tensors and nothing else reads the value
 * in between. Refuses constants that vary along other axes or widen the result, weights that would exceed the range of
 * their type, and shared weights too large to copy. Other Add and Mul nodes are skipped without a reason. Numerics:
 * folded in float64, rounded once to the type of the weights. Reference: Jacob et al. 2018 (arXiv 1712.05877), section
 * 3.2.
 */
export const foldAffineIntoConv = defineRewrite<object>({
  name: 'fold-affine-into-conv',
  summary: 'Folds a constant Mul, Div, Add or Sub into the Conv, ConvTranspose, Gemm or MatMul before it.',
  group: 'fold',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Mul', 'Div', 'Add', 'Sub', 'Neg'],
  rules: () => ({ match: matchAffine }),
});

function matchAffine(node: Node, context: RewriteContext): Match {
  const operation = constantOperation(node);
  const output = operation && linearOutput(operation.input);
  if (!operation || output === undefined || typeof output === 'string') return undefined;
  // The bias of a MatMul is its Add: nothing to fold.
  const bare = output.node.is('MatMul') && !output.add;
  if (bare && (node.is('Add') || node.is('Sub'))) return undefined;
  const affine = channelAffine(operation, output.axis);
  if (!affine) return 'its constant is not one value per channel';
  if (onlyConsumer(operation.input) !== node) return `"${operation.input.name}" is also used elsewhere`;
  return foldInto(output, node, affine, context);
}
