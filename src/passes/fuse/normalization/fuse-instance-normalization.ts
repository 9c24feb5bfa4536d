import { floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { addConstant } from '../../constants.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import type { PatternMatch } from '../../engine/pattern.js';
import type { Match, Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { dataTypeOf, rankOf } from '../../types.js';
import { channelFollower, uniformChannels } from './channel-parameter.js';
import { NORMALIZED } from './fuse-layer-normalization.js';
import { commonTail, epsilonOf } from './normalization-pattern.js';

/**
 * (x − mean) / √(variance + epsilon) · scale + bias = InstanceNormalization(x, scale, bias), where mean and variance
 * are over all axes but the first two, and scale and bias have one number for each channel.
 *
 * Fires with constant scale and bias, and for two axes or more without them. A scale per position is a layer
 * normalization. Refuses values that are used elsewhere, unknown channels, and DOUBLE, for which ONNX Runtime has no
 * kernel. Numerics: reassociates. Reference: Ulyanov et al. 2016 (arXiv 1607.08022); ONNX operator
 * InstanceNormalization-6.
 */
export const fuseInstanceNormalization = defineRewrite<object>({
  name: 'fuse-instance-normalization',
  summary: 'Fuses means, Sub, Pow, Sqrt, Div, Mul and Add of an instance normalization into InstanceNormalization.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Div', 'Mul'],
  rules: () => ({
    match: (node, context): Match => firstPattern(NORMALIZED, node, context, (found) => fuse(found, node, context)),
  }),
});

function fuse(found: PatternMatch, root: Node, context: RewriteContext): Rewrite | string | undefined {
  const x = found.value('x');
  const rank = rankOf(x);
  const count = commonTail(found);
  // What else it may be is for the layer normalization to say.
  if (rank === undefined || rank < 3 || count !== rank - 2) return undefined;
  const factor = channelFollower(root.output(), 'Mul', x, context);
  const summand = channelFollower((factor?.node ?? root).output(), 'Add', x, context);
  if (!factor && !summand && count < 2) return undefined;
  const reason = whyNotOfType('InstanceNormalization', context.opset(root), x);
  if (reason !== undefined) return reason;
  const dataType = dataTypeOf(x) ?? DataType.FLOAT;
  const scale = factor?.tensor ?? uniformChannels(1, x, dataType);
  const bias = summand?.tensor ?? uniformChannels(0, x, dataType);
  if (!scale || !bias) return 'its number of channels is unknown';
  const last = summand?.node ?? factor?.node ?? root;
  return {
    nodes: [...found.nodes, ...(factor ? [factor.node] : []), ...(summand ? [summand.node] : [])],
    apply() {
      const inputs = [
        x,
        addConstant(last.graph, `${x.name}_scale`, scale, last),
        addConstant(last.graph, `${x.name}_bias`, bias, last),
      ];
      const attributes = [floatAttribute('epsilon', epsilonOf(found))];
      return takeOver(last, { opType: 'InstanceNormalization', inputs, attributes });
    },
  };
}
