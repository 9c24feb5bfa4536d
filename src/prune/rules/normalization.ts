import { ONE } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { type AxisRules, fromStart, rulesFor } from './rule.js';

/** One parameter a channel, statistics of training: channels do not see each other. */
function batchNormalization(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  for (const slot of [1, 2, 3, 4]) {
    const parameter = context.input(slot)?.[0];
    if (parameter === undefined) continue;
    context.same(parameter, x?.[1]);
    context.mark(parameter, 'scales');
  }
}

/** Statistics of each channel over its own positions. */
function instanceNormalization(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  for (const slot of [1, 2]) {
    context.same(context.input(slot)?.[0], x?.[1]);
    context.mark(context.input(slot)?.[0], 'scales');
  }
  for (const axis of x?.slice(2) ?? []) context.stay(axis, 'it is normalized over as a whole');
}

/** Statistics over the axes from `axis` on, which scale and bias have too. */
const layerNormalization =
  (parameters: readonly number[], inputs: readonly number[] = [0]) =>
  (context: RuleContext): void => {
    const x = context.input(0);
    const output = context.output();
    for (const slot of inputs) context.sameAll(context.input(slot), output);
    for (const index of context.node.outputs.keys()) {
      const extra = index === 0 ? undefined : context.output(index);
      if (extra === undefined || x === undefined || extra.length !== x.length) continue;
      for (const [at, axis] of extra.entries()) if (axis !== ONE) context.same(axis, x[at]);
    }
    if (x === undefined) return;
    const axis = fromStart(context.node.int('axis', -1), x.length);
    const normalized = x.slice(axis);
    for (const slot of parameters) {
      const given = context.input(slot);
      if (given === undefined) continue;
      for (const [at, each] of given.entries()) {
        const target = x[x.length - given.length + at];
        if (each !== ONE) context.same(each, target);
        context.mark(each, 'scales');
      }
    }
    context.normalizes(normalized);
  };

/** Statistics over the channels of a group and all positions. Scale and bias are one a channel, or (opset 18) one a group. */
function groupNormalization(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  if (x === undefined) return;
  for (const axis of x.slice(2)) context.stay(axis, 'it is normalized over as a whole');
  const groups = context.node.int('num_groups', 1);
  const channels = x[1] ?? ONE;
  const group = context.factor(groups);
  context.product(channels, [group, context.factor(context.table.size(channels) / groups)], 1);
  for (const slot of [1, 2]) {
    const axis = context.input(slot)?.[0] ?? ONE;
    if (context.table.size(axis) === context.table.size(channels)) context.same(axis, channels);
    else context.same(axis, group);
    context.mark(axis, 'scales');
  }
  context.normalizes([channels]);
}

/** Each channel is divided by what its neighbours have. */
function localResponse(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  context.normalizes([x?.[1]]);
}

function lpNormalization(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  if (x) context.normalizes([x[fromStart(context.node.int('axis', -1), x.length)]]);
}

function meanVariance(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  for (const axis of context.node.ints('axes') ?? [0, 2, 3])
    if (x) context.stay(x[fromStart(axis, x.length)], 'it is normalized over as a whole');
}

export const NORMALIZATION_RULES: AxisRules = new Map([
  ...rulesFor('BatchNormalization', batchNormalization),
  ...rulesFor('InstanceNormalization', instanceNormalization),
  ...rulesFor('LayerNormalization RMSNormalization SimplifiedLayerNormalization', layerNormalization([1, 2])),
  ...rulesFor('com.microsoft:SkipLayerNormalization', layerNormalization([2, 3, 4], [0, 1])),
  ...rulesFor('com.microsoft:SkipSimplifiedLayerNormalization', layerNormalization([2, 3], [0, 1])),
  ...rulesFor('com.microsoft:SimplifiedLayerNormalization', layerNormalization([1])),
  ...rulesFor('GroupNormalization', groupNormalization),
  ...rulesFor('LRN', localResponse),
  ...rulesFor('LpNormalization', lpNormalization),
  ...rulesFor('MeanVarianceNormalization', meanVariance),
]);
