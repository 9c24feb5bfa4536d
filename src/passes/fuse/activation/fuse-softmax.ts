import { type Attribute, attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import { either, type Operand, op, type Pattern, type PatternMatch } from '../../engine/pattern.js';
import type { Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import type { OptionRow } from '../../pass.js';
import { readReduction } from '../../reduce-axes.js';
import { rankOf } from '../../types.js';

/** x, or x with its maximum taken off, which changes nothing but keeps Exp from overflowing. */
const SHIFTED: Pattern = either(op('Sub', ['x', reduce('ReduceMax', 'x')]), 'x');

const EXPONENTIAL = op('Exp', [SHIFTED], { name: 'exponential' });
const TOTAL = reduce('ReduceSum', 'exponential');

const SOFTMAXES: readonly Pattern[] = [
  op('Div', [EXPONENTIAL, TOTAL]),
  op('Mul', [EXPONENTIAL, op('Reciprocal', [TOTAL])]),
];
/** Softmax takes the maximum off by itself. */
const SOFTMAX_OF_SHIFTED = op(['Softmax', 'LogSoftmax'], [op('Sub', ['x', reduce('ReduceMax', 'x')])]);

/** An option of the passes that write Softmax and LogSoftmax. */
export interface SoftmaxOptions {
  anyAxis: boolean;
}

export const ANY_AXIS: OptionRow<boolean> = {
  description: 'also over axes that are not the last, where Softmax of ONNX Runtime can be slower than its parts',
  default: false,
};

/**
 * exp(x − max x) / Σ exp(x − max x) = Softmax(x), with the maximum subtracted or not; Softmax(x − max x) = Softmax(x),
 * and the same for LogSoftmax.
 *
 * Fires for a sum, and maximum, over the last axis, or with `anyAxis` (from opset 13 on) any one axis. Refuses where
 * something else reads the values in between. Numerics: reassociates; where exp(x) overflows, Softmax does not.
 * Reference: ONNX operator Softmax-13.
 */
export const fuseSoftmax = defineRewrite<SoftmaxOptions>({
  name: 'fuse-softmax',
  summary: 'Fuses Exp, ReduceSum and Div of a softmax into Softmax.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: { anyAxis: ANY_AXIS },
  roots: ['Div', 'Mul', 'Softmax', 'LogSoftmax'],
  rules: ({ anyAxis }) => ({
    match: (node, context) =>
      node.is('Div') || node.is('Mul')
        ? firstPattern(SOFTMAXES, node, context, (found) => fuse(found, node, context, anyAxis))
        : firstPattern([SOFTMAX_OF_SHIFTED], node, context, (found) => unshift(found, node, context)),
  }),
});

function fuse(found: PatternMatch, last: Node, context: RewriteContext, anyAxis: boolean): Rewrite | string {
  const attributes = newAxis(found, last, context, anyAxis);
  if (typeof attributes === 'string') return attributes;
  const x = found.value('x');
  const reason = whyNotOfType('Softmax', context.opset(last), x);
  if (reason !== undefined) return reason;
  return { nodes: found.nodes, apply: () => takeOver(last, { opType: 'Softmax', inputs: [x], attributes }) };
}

function unshift(found: PatternMatch, last: Node, context: RewriteContext): Rewrite | string {
  const axis = commonAxis(found, context);
  if (typeof axis === 'string') return axis;
  const attributes = [...last.attributes.values()];
  return {
    nodes: found.nodes,
    apply: () => takeOver(last, { opType: last.opType, inputs: [found.value('x')], attributes }),
  };
}

export function reduce(opType: string, of: Operand): Pattern {
  return op(opType, [of], { moreInputs: true });
}

/** The attributes that give a new Softmax or LogSoftmax in the place of `last` the axis of a match; why it cannot be. */
export function newAxis(
  found: PatternMatch,
  last: Node,
  context: RewriteContext,
  anyAxis: boolean,
): Attribute[] | string {
  const axis = commonAxis(found, context);
  if (typeof axis === 'string') return axis;
  const isNew = context.opset(last) >= 13;
  if (axis === (rankOf(found.value('x')) ?? 0) - 1) return isNew ? [] : [attribute('axis', axis)];
  if (!isNew) return 'Softmax before opset 13 also normalizes over the axes after it';
  return anyAxis ? [attribute('axis', axis)] : 'Softmax may be slower where its axis is not the last';
}

/** The one axis that all reductions, and a Softmax, of a match work on, from the front; why there is none. */
function commonAxis(found: PatternMatch, context: RewriteContext): number | string {
  const axes = new Set<number>();
  for (const node of found.nodes) {
    if (node.opType.endsWith('Softmax')) axes.add(softmaxAxis(node, context));
    if (!node.opType.startsWith('Reduce')) continue;
    const reduction = readReduction(context, node);
    if (!reduction?.keepsAxes || reduction.axes.length !== 1) return 'it is not over one known axis';
    axes.add(reduction.axes[0] ?? 0);
  }
  const [axis] = axes;
  if (rankOf(found.value('x')) === undefined || axis === undefined || axes.size > 1)
    return 'it is not over one known axis';
  return axis;
}

/** The axis that a Softmax works on, from the front; −1 where it may work on several. */
function softmaxAxis(node: Node, context: RewriteContext): number {
  const rank = rankOf(node.input(0)) ?? 0;
  const isNew = context.opset(node) >= 13;
  const axis = node.int('axis', isNew ? -1 : 1);
  const front = axis < 0 ? axis + rank : axis;
  return isNew || front === rank - 1 ? front : -1;
}
