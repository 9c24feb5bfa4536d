import type { Node } from '../../ir/node.js';
import { normalizationAffine } from '../affine.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { onlyConsumer } from '../nodes.js';
import { foldInto, labelOf, linearOutput } from './linear-output.js';

/**
 * BN(Conv(x, W, b)) = Conv(x, W·f, (b − mean)·f + shift), f = scale / √(variance + epsilon); the same for
 * ConvTranspose, Gemm, MatMul and MatMul + Add.
 *
 * Fires when the normalization runs in inference mode, its four parameters and the weights are constants of any float
 * type, and nothing else reads the value in between. Refuses otherwise, where the rank of MatMul may not be 2, where
 * scaled weights would exceed the range of their type, and where a weight used elsewhere too is too large to copy.
 * Numerics: folded in float64, rounded once to the type of the weights. Reference: Jacob et al. 2018 (arXiv
 * 1712.05877), section 3.2.
 */
export const foldBatchNormalization = defineRewrite<object>({
  name: 'fold-batch-normalization',
  summary: 'Folds BatchNormalization into the Conv, ConvTranspose, Gemm or MatMul before it.',
  group: 'fold',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['BatchNormalization'],
  rules: () => ({ match: matchNormalization }),
});

function matchNormalization(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const producer = input?.producer;
  if (!input || !node.outputs[0]) return undefined;
  if (!producer || producer.graph !== node.graph) return 'its input is not computed in the same graph';
  const affine = normalizationAffine(node, context.opset(node));
  if ('reason' in affine) return affine.reason;
  if (onlyConsumer(input) !== node) return `"${input.name}" is also used elsewhere`;
  const output = linearOutput(input);
  if (output === undefined) return `${labelOf(producer)} has no weights to fold into`;
  if (typeof output === 'string') return output;
  const { channels, fromEnd, rank } = output.axis;
  if (rank === undefined || rank - fromEnd !== 1) return `${labelOf(output.node)}: its output may not be a matrix`;
  if (channels !== affine.factor.length) return `${labelOf(output.node)}: the number of channels differs`;
  return foldInto(output, node, affine, context, true);
}
