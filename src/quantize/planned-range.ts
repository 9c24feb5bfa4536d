/** The range that each tensor of a plan is quantized for, and what its integers would lose of it. */
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { clampBounds, fixedRange } from './operator-classes.js';
import type { StaticPlan } from './plan.js';
import type { RangeMap, ValueRange } from './value-range.js';

/**
 * What is known of the values of a tensor: what was observed and, where the operator bounds its output, no more than that. Undefined when
 * nothing is known.
 */
export function knownRange(
  value: Value,
  ranges: RangeMap,
  { pinsFixedRanges }: Pick<StaticPlan, 'pinsFixedRanges'>,
): ValueRange | undefined {
  const fixed = fixedRange(value.producer);
  const seen = ranges.get(value.name);
  if (!fixed) return seen;
  if (!seen || pinsFixedRanges) return fixed;
  return { min: Math.max(seen.min, fixed.min), max: Math.min(seen.max, fixed.max) };
}

/**
 * Ranges with those of tensors besides that only move the values of another: where a layer beside them stays in float, the scale is made
 * for their own name.
 */
export function withMovedRanges(ranges: RangeMap, { tensors }: Pick<StaticPlan, 'tensors'>): RangeMap {
  const all = new Map(ranges);
  for (const [value, root] of tensors) {
    const range = ranges.get(root.name);
    if (range && !all.has(value.name)) all.set(value.name, range);
  }
  return all;
}

/** The range that the scale of `root` is made for: without what a fused clamp cuts off, or no reader tells apart. */
export function plannedRange(plan: StaticPlan, root: Value, ranges: RangeMap): ValueRange {
  const range = knownRange(root, ranges, plan) ?? { min: 0, max: 0 };
  const clamp = plan.clamps.get(root);
  const bounds = clamp && clampBounds(clamp);
  const lowest = Math.max(bounds?.min ?? range.min, plan.floors.get(root) ?? range.min);
  return { min: Math.max(range.min, lowest), max: Math.min(range.max, bounds?.max ?? range.max) };
}

/** Steps that the mean of what a MatMul sums has to keep: below, most of the sum is lost to rounding. */
const LEAST_MEAN_STEPS = 1;

/**
 * True for the output of a Softmax whose largest observed value is so far above the mean, 1 / (number of places), that `steps` (255 for 8 bits)
 * round most of the probabilities away.
 */
export function losesProbabilities({ producer, type }: Value, { max }: ValueRange, steps: number): boolean {
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  if (!producer?.is('Softmax') || !shape) return false;
  const axis = producer.int('axis', producer.graph.model.opset() < 13 ? 1 : -1);
  const places = shape[axis < 0 ? axis + shape.length : axis];
  return typeof places === 'number' && max * places * LEAST_MEAN_STEPS > steps;
}

/** Steps of a joint scale that the values of each operand have to span: less than 4 bits. */
const LEAST_JOINED_STEPS = 16;

/** The first operand of a Concat whose values would be lost in steps of `scale`, made for all of them; undefined where none is, or nothing is known. */
export function lostOperand({ inputs }: Node, ranges: RangeMap, scale: number): Value | undefined {
  return inputs.find((input) => {
    const range = input && ranges.get(input.name);
    const span = range ? Math.max(range.max, 0) - Math.min(range.min, 0) : 0;
    return span > 0 && span < LEAST_JOINED_STEPS * scale;
  });
}

/** Signal over rounding noise that a channel of a head has to keep: 27 dB, as a ratio of powers. */
const LEAST_CHANNEL_SNR = 10 ** 2.7;

/**
 * The first channel that steps of `scale` would drown: the mean square of its values is not far above the noise of rounding, scale² / 12. A
 * channel that is 0 everywhere loses nothing. Undefined when none is lost, or when channels were not observed.
 */
export function lostChannel({ channelPower }: ValueRange, scale: number): number | undefined {
  const least = (LEAST_CHANNEL_SNR * scale * scale) / 12;
  const channel = channelPower?.findIndex((power) => power > 0 && power < least) ?? -1;
  return channel < 0 ? undefined : channel;
}
