import { floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import { op, type Pattern, type PatternMatch, scalar } from '../../engine/pattern.js';
import type { Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';

const SCALED = op('Mul', ['x', scalar(undefined, 'slope')]);
/** How steep Relu(−x) comes back: with the other sign. */
const MIRRORED = op('Mul', [op('Relu', [op('Neg', ['x'])]), scalar(undefined, 'mirrored')]);

const LEAKY_RELUS: readonly Pattern[] = [
  op('PRelu', ['x', scalar(undefined, 'slope')]),
  op('Where', [op(['Greater', 'GreaterOrEqual'], ['x', 0]), 'x', SCALED]),
  op('Where', [op(['Less', 'LessOrEqual'], ['x', 0]), SCALED, 'x']),
  op('Max', ['x', op('Mul', ['x', scalar(undefined, 'slope', (slope) => slope > 0 && slope <= 1)])]),
  op('Add', [op('Relu', ['x']), MIRRORED], { name: 'sum' }),
  op('Sub', [op('Relu', ['x']), MIRRORED]),
];

/**
 * Where(x > 0, x, slope · x) = LeakyRelu(x; slope), and the same for PRelu with one slope, for Max(x, slope · x) with a
 * slope of 0 to 1, and for Relu(x) − slope · Relu(−x), in which Keras writes PReLU.
 *
 * Fires for a constant slope of one element. A slope per channel is not fused: PRelu of ONNX Runtime takes several
 * times as long as what it would replace. Refuses where something else reads the values in between. Numerics:
 * reassociates. Reference: Maas et al. 2013, Rectifier nonlinearities improve neural network acoustic models; ONNX
 * operator LeakyRelu-16.
 */
export const fuseLeakyRelu = defineRewrite<object>({
  name: 'fuse-leaky-relu',
  summary: 'Fuses Where, Max or Relu with one slope, and PRelu with one slope, into LeakyRelu.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['PRelu', 'Where', 'Max', 'Add', 'Sub'],
  rules: () => ({
    match: (node, context) => firstPattern(LEAKY_RELUS, node, context, (found) => fuse(found, node, context)),
  }),
});

function fuse(found: PatternMatch, last: Node, context: RewriteContext): Rewrite | string {
  const x = found.value('x');
  const reason = whyNotOfType('LeakyRelu', context.opset(last), x);
  if (reason !== undefined) return reason;
  const mirrored = () => (found.has('sum') ? -found.number('mirrored') : found.number('mirrored'));
  const slope = found.has('slope') ? found.number('slope') : mirrored();
  if (!Number.isFinite(slope)) return 'its slope is not finite';
  const attributes = [floatAttribute('alpha', slope)];
  return { nodes: found.nodes, apply: () => takeOver(last, { opType: 'LeakyRelu', inputs: [x], attributes }) };
}
