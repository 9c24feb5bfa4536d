import type { Node } from '../../../ir/node.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import { op, type Pattern, type PatternMatch } from '../../engine/pattern.js';
import type { Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { ANY_AXIS, newAxis, reduce, type SoftmaxOptions } from './fuse-softmax.js';

/** Which is what a Softmax of any version says with the same attributes. */
const LOG_OF_SOFTMAX = op('Log', [op('Softmax', ['x'], { name: 'softmax' })]);

const SPELLED_OUT: readonly Pattern[] = [
  op('Sub', [
    op('Sub', ['x', reduce('ReduceMax', 'x')], { name: 'shifted' }),
    op('Log', [reduce('ReduceSum', op('Exp', ['shifted']))]),
  ]),
  op('Sub', ['x', op('Log', [reduce('ReduceSum', op('Exp', ['x']))])]),
  op('Sub', [op('Sub', ['x', reduce('ReduceMax', 'x')], { name: 'shifted' }), reduce('ReduceLogSumExp', 'shifted')]),
  op('Sub', ['x', reduce('ReduceLogSumExp', 'x')]),
];

/**
 * log(Softmax(x)) = LogSoftmax(x), and the same for x − log Σ exp(x), with the maximum subtracted before or not.
 *
 * Fires for a Softmax over any axes, and for sums over the last one, or with `anyAxis` (from opset 13 on) any one.
 * Refuses where something else reads the values in between. Numerics: reassociates; where Softmax gives 0, LogSoftmax
 * does not give −∞. Reference: ONNX operator LogSoftmax-13.
 */
export const fuseLogSoftmax = defineRewrite<SoftmaxOptions>({
  name: 'fuse-log-softmax',
  summary: 'Fuses Log and Softmax, or their parts, into LogSoftmax.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: { anyAxis: ANY_AXIS },
  roots: ['Log', 'Sub'],
  rules: ({ anyAxis }) => ({
    match: (node, context) =>
      firstPattern([LOG_OF_SOFTMAX, ...SPELLED_OUT], node, context, (found) => fuse(found, node, context, anyAxis)),
  }),
});

function fuse(found: PatternMatch, last: Node, context: RewriteContext, anyAxis: boolean): Rewrite | string {
  const attributes = found.has('softmax')
    ? [...found.node('softmax').attributes.values()]
    : newAxis(found, last, context, anyAxis);
  if (typeof attributes === 'string') return attributes;
  const x = found.value('x');
  const reason = whyNotOfType('LogSoftmax', context.opset(last), x);
  if (reason !== undefined) return reason;
  return { nodes: found.nodes, apply: () => takeOver(last, { opType: 'LogSoftmax', inputs: [x], attributes }) };
}
