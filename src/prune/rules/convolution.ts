import { type AxisId, ONE } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { type AxisRules, rulesFor } from './rule.js';

/** Where a convolution has its operands. */
export interface Layout {
  readonly data: number;
  readonly weight: number;
  /** Undefined where there is none. */
  readonly bias: number | undefined;
}

const PLAIN: Layout = { data: 0, weight: 1, bias: 2 };

/** Which axis of each operand holds channels; a group is a block of both. */
export function convolution(context: RuleContext, { data, weight, bias }: Layout = PLAIN): void {
  const x = context.input(data);
  const w = context.input(weight);
  const y = context.output();
  if (x === undefined || w === undefined || y === undefined || w.length < 3) return;
  const [outputs = ONE, inputs = ONE] = w;
  const groups = context.node.int('group', 1);
  const channels = x[1] ?? ONE;
  context.same(x[0], y[0]);
  context.same(outputs, y[1]);
  if (bias !== undefined) vector(context, bias, outputs);
  context.mark(outputs, 'produces');
  if (groups === 1) {
    context.same(channels, inputs);
    context.mark(inputs, 'consumes');
    return;
  }
  const group = context.factor(groups);
  context.product(channels, [group, inputs], inputs === ONE ? 0 : undefined);
  const each = context.factor(context.table.size(outputs) / groups);
  context.product(outputs, [group, each], inputs === ONE ? 0 : undefined);
  if (inputs !== ONE) context.mark(inputs, 'consumes');
}

/** The weight is [inputs, outputs of a group, …]. */
function transposedConvolution(context: RuleContext): void {
  const x = context.input(0);
  const w = context.input(1);
  const y = context.output();
  if (x === undefined || w === undefined || y === undefined) return;
  const [inputs = ONE, outputs = ONE] = w;
  const groups = context.node.int('group', 1);
  context.same(x[0], y[0]);
  context.same(x[1], inputs);
  context.mark(inputs, 'consumes');
  if (y[1] !== undefined) vector(context, 2, y[1]);
  if (groups === 1) {
    context.same(outputs, y[1]);
    context.mark(outputs, 'produces');
    return;
  }
  const size = context.table.size(inputs) / groups;
  const group = context.factor(groups);
  context.product(inputs, [group, context.factor(size)], size === 1 ? 0 : undefined);
  context.product(y[1], [group, outputs], size === 1 ? 0 : undefined);
  if (size > 1) context.mark(outputs, 'produces');
}

/** A vector with one element a channel. */
export function vector(context: RuleContext, slot: number, channels: AxisId): void {
  const axes = context.input(slot);
  if (axes?.length !== 1) return;
  if (axes[0] !== ONE) context.same(axes[0], channels);
  context.mark(axes[0], 'produces');
}

/** Rank 2 and more: batch and channels pass, windows slide over the rest. Indices of maxima count through all channels. */
function pooling(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  const isCounted = context.node.outputs[1] !== undefined;
  for (const at of [0, 1]) {
    context.same(x[at], y[at]);
    if (isCounted) context.stay(x[at], 'indices of maxima count through it');
  }
}

/** Channels are r·r blocks (DCR: outermost, CRD: innermost) of the result's. */
function depthToSpace(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  const block = context.node.int('blocksize', 1);
  if (x === undefined || y === undefined) return;
  context.same(x[0], y[0]);
  const squares = [context.factor(block), context.factor(block)];
  const isRowFirst = context.node.string('mode', 'DCR') === 'CRD';
  context.product(x[1], isRowFirst ? [y[1], ...squares] : [...squares, y[1]], isRowFirst ? 0 : 2);
}

function spaceToDepth(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  const block = context.node.int('blocksize', 1);
  if (x === undefined || y === undefined) return;
  context.same(x[0], y[0]);
  context.product(y[1], [context.factor(block), context.factor(block), x[1]], 2);
}

/** A convolution with an activation in it, and maybe a sum. */
function fusedConvolution(context: RuleContext): void {
  convolution(context);
  if (context.has(3)) context.sameAll(context.input(3), context.output());
}

export const CONVOLUTION_RULES: AxisRules = new Map([
  ...rulesFor('Conv', (context) => convolution(context)),
  ...rulesFor('ConvTranspose', transposedConvolution),
  ...rulesFor('com.microsoft:FusedConv', fusedConvolution),
  ...rulesFor('MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool', pooling),
  ...rulesFor('DepthToSpace', depthToSpace),
  ...rulesFor('SpaceToDepth', spaceToDepth),
]);
