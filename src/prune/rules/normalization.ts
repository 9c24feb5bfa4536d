import { ONE } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { broadcast } from './elementwise.js';
import { type AxisRules, fromStart, rulesFor } from './rule.js';

/** One parameter a channel, statistics of training: channels do not see each other. */
function batchNormalization(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  if (context.node.int('spatial', 1) === 0)
    for (const axis of x ?? []) context.stay(axis, 'each position has parameters of its own');
  for (const slot of [1, 2, 3, 4]) {
    const parameter = context.input(slot)?.[0];
    if (parameter === undefined) continue;
    context.same(parameter, x?.[1]);
    context.mark(parameter, 'scales');
  }
  for (const [index, value] of context.node.outputs.entries())
    if (index > 0 && value) context.same(context.output(index)?.[0], x?.[1]);
}

/** Statistics of each channel over its own positions. */
function instanceNormalization(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  for (const slot of [1, 2]) {
    context.same(context.input(slot)?.[0], x?.[1]);
    context.mark(context.input(slot)?.[0], 'scales');
  }
  for (const axis of x?.slice(2) ?? []) context.stay(axis, 'its statistics are computed over it');
}

/** Statistics over the axes from `axis` on, which scale and bias have too. */
const layerNormalization =
  (parameters: readonly number[], inputs: readonly number[] = [0]) =>
  (context: RuleContext): void => {
    const x = context.input(0);
    broadcast(context, inputs);
    for (const index of context.node.outputs.keys()) {
      const extra = index === 0 ? undefined : context.output(index);
      if (extra === undefined || x === undefined || extra.length !== x.length) continue;
      for (const [at, axis] of extra.entries()) if (axis !== ONE) context.same(axis, x[at]);
    }
    if (x === undefined) return;
    const axis = fromStart(context.node.int('axis', -1), x.length);
    const normalized = x.slice(axis).filter((each) => each !== ONE);
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

/**
 * Statistics over the channels of a group and all positions: whole groups are cut, or with `throughNormalization` as many channels
 * of each. Scale and bias are one a channel, or (opset 18) one a group.
 */
function groupNormalization(context: RuleContext): void {
  const x = context.input(0);
  context.sameAll(x, context.output());
  if (x === undefined) return;
  for (const axis of x.slice(2)) context.stay(axis, 'its statistics are computed over it');
  const groups = context.node.int('num_groups', 1);
  const channels = x[1] ?? ONE;
  const group = context.factor(groups);
  const each = context.factor(context.table.size(channels) / groups);
  const isOneGroup = group === ONE;
  if (isOneGroup) context.normalizes([channels]);
  const within = context.options.throughNormalization === true || isOneGroup;
  context.product(channels, [group, each], each === ONE || isOneGroup ? undefined : within ? 1 : 0);
  for (const slot of [1, 2]) {
    const axis = context.input(slot)?.[0] ?? ONE;
    if (context.table.size(axis) === context.table.size(channels)) context.same(axis, channels);
    else context.same(axis, group);
    context.mark(axis, 'scales');
  }
}

/** com.microsoft.EmbedLayerNormalization: ids, segments, three embeddings [rows, D], scale and bias [D]. */
function embeddings(context: RuleContext): void {
  const y = context.output();
  const width = y?.[2];
  for (const slot of [2, 3, 4, 5, 6]) {
    if (!context.has(slot)) continue;
    context.same(context.input(slot)?.at(-1), width);
    context.mark(context.input(slot)?.at(-1), slot < 5 ? 'produces' : 'scales');
  }
  if (context.node.outputs[2]) context.same(context.output(2)?.[2], width);
  const ids = context.input(0);
  for (const at of [0, 1]) context.same(ids?.[at], y?.[at]);
  context.normalizes([width]);
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
    if (x) context.stay(x[fromStart(axis, x.length)], 'its statistics are computed over it');
}

export const NORMALIZATION_RULES: AxisRules = new Map([
  ...rulesFor('BatchNormalization', batchNormalization),
  ...rulesFor('InstanceNormalization', instanceNormalization),
  ...rulesFor('LayerNormalization RMSNormalization SimplifiedLayerNormalization', layerNormalization([1, 2])),
  ...rulesFor('com.microsoft:SkipLayerNormalization', layerNormalization([2, 3, 4], [0, 1])),
  ...rulesFor('com.microsoft:SkipSimplifiedLayerNormalization', layerNormalization([2, 3], [0, 1])),
  ...rulesFor('com.microsoft:SimplifiedLayerNormalization', layerNormalization([1])),
  ...rulesFor('GroupNormalization', groupNormalization),
  ...rulesFor('com.microsoft:EmbedLayerNormalization', embeddings),
  ...rulesFor('LRN', localResponse),
  ...rulesFor('LpNormalization', lpNormalization),
  ...rulesFor('MeanVarianceNormalization', meanVariance),
]);
