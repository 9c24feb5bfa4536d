import { attribute, floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { addConstant } from '../../constants.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { findPattern } from '../../engine/find-pattern.js';
import { constant, op } from '../../engine/pattern.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { dataTypeOf, sameDim, sameShape, shapeOf } from '../../types.js';
import { uniformElement } from '../../uniform.js';
import { channelFollower, uniformChannels } from './channel-parameter.js';

const all = (number: number) => constant(undefined, (tensor) => uniformElement(tensor) === number);

/** Channels in groups, normalized group by group, and back in the shape they came in. */
const GROUPED = op('Reshape', [
  op('InstanceNormalization', [op('Reshape', ['x', 'groups'], { name: 'grouped' }), all(1), all(0)], {
    name: 'normalized',
  }),
  'shape',
]);

/**
 * Reshape to groups of channels, InstanceNormalization with scale 1 and bias 0, and Reshape back, then a scale and a
 * bias for each channel = GroupNormalization: how exporters write it.
 *
 * Fires when the shapes are known to be [N, groups, rest] in between and the same before and after, for constant scale
 * and bias, or none. Refuses other types than those of GroupNormalization. Numerics: reassociates. ONNX Runtime has no
 * kernel for GroupNormalization: it runs the function of the specification, which is slower and computes the variance
 * as E[x²] − E[x]². That cancels where a group's mean is much larger than its spread: 3000 and 3001 become ∓158 instead
 * of ∓1. So no level of `optimize` has this pass; add it (`--passes +fuse-group-normalization`) for runtimes with a
 * kernel. Reference: Wu and He 2018 (arXiv 1803.08494); ONNX operator GroupNormalization-21.
 */
export const fuseGroupNormalization = defineRewrite<object>({
  name: 'fuse-group-normalization',
  summary: 'Fuses InstanceNormalization between Reshapes into GroupNormalization.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [21, null],
  options: {},
  roots: ['Reshape'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const found = findPattern(GROUPED, node, context);
  if (typeof found !== 'object') return found;
  const x = found.value('x');
  const [shape, grouped] = [shapeOf(x), shapeOf(found.value('grouped'))];
  const [batch, groups] = grouped ?? [];
  if (!shape || shape.length < 3 || !sameShape(shape, shapeOf(node.output()))) return 'its result has another shape';
  if (grouped?.length !== 3 || typeof groups !== 'number' || !sameDim(batch, shape[0]))
    return 'its groups may not be groups of channels';
  if (typeof shape[1] !== 'number' || shape[1] % groups !== 0)
    return 'its number of channels is not a multiple of its groups';
  const reason = whyNotOfType('GroupNormalization', context.opset(node), x);
  if (reason !== undefined) return reason;
  const factor = channelFollower(node.output(), 'Mul', x, context);
  const summand = channelFollower((factor?.node ?? node).output(), 'Add', x, context);
  const dataType = dataTypeOf(x) ?? DataType.FLOAT;
  const scale = factor?.tensor ?? uniformChannels(1, x, dataType);
  const bias = summand?.tensor ?? uniformChannels(0, x, dataType);
  if (!scale || !bias) return undefined;
  const last = summand?.node ?? factor?.node ?? node;
  const epsilon = found.node('normalized').float('epsilon', 1e-5);
  return {
    nodes: [...found.nodes, ...(factor ? [factor.node] : []), ...(summand ? [summand.node] : [])],
    apply() {
      const inputs = [
        x,
        addConstant(last.graph, `${x.name}_scale`, scale, last),
        addConstant(last.graph, `${x.name}_bias`, bias, last),
      ];
      const attributes = [floatAttribute('epsilon', epsilon), attribute('num_groups', groups)];
      return takeOver(last, { opType: 'GroupNormalization', inputs, attributes });
    },
  };
}
