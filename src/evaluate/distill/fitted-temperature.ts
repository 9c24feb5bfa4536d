import { ServeOptError } from '../../errors.js';
import { type SoftmaxRows, softmaxRows } from '../../tensor/softmax-rows.js';
import type { Accumulator } from '../accumulator.js';
import { ExactSum, type SumState } from '../exact-sum.js';

/** A labelled row of scores. */
export interface ScaledRow {
  readonly scores: Float32Array | Float64Array;
  readonly from: number;
  readonly label: number;
  /** Where its confidence goes. */
  readonly at: number;
  readonly sample: number;
}

/** The loss of labels at one scale 1/T, and its first three derivatives by the scale: means over rows. */
export interface ScaleLoss {
  readonly rows: number;
  readonly loss: number;
  readonly slope: number;
  readonly curvature: number;
  readonly third: number;
}

/** Plain data of `ScaledLoss`. */
export interface ScaledLossState {
  readonly rows: number;
  readonly sums: readonly [SumState, SumState, SumState, SumState];
}

/** A score that stands for minus infinity. */
const MASKED = -1e100;

/** What is kept of each row at a scale, so that a small step from it needs no other look at the scores. */
export interface ScaledConfidence {
  /** The largest probability. */
  readonly confidence: Float64Array;
  /** Mean of the scores under their probabilities, less the largest: minus the derivative of the logarithm of the confidence. */
  readonly lean: Float64Array;
}

/** Adds up the loss of labels at one scale of the scores, with its derivatives by that scale. */
export class ScaledLoss implements Accumulator<ScaledRow, ScaleLoss> {
  readonly #rows: SoftmaxRows;
  readonly #scale: number;
  readonly #kept: ScaledConfidence;
  readonly #sums = [new ExactSum(), new ExactSum(), new ExactSum(), new ExactSum()] as const;
  #count = 0;

  /** @param kept gets the confidence of each row at this scale */
  constructor(width: number, scale: number, kept: ScaledConfidence, plain = false) {
    this.#rows = softmaxRows(width, 0, plain);
    this.#scale = scale;
    this.#kept = kept;
  }

  observe({ scores, from, label, at, sample }: ScaledRow): void {
    const row = this.#rows.scores[0];
    let max = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const value = scores[from + i] as number;
      row[i] = value;
      sum += value;
      if (value > max) max = value;
    }
    if (sum - sum !== 0) max = masked(row, max, sample);
    const total = this.#rows.exponentiate(0, max, this.#scale);
    const [first, second, third] = this.#rows.moments(0, max);
    const mean = first / total;
    const own = (row[label] as number) - max;
    const sums = this.#sums;
    sums[0].add(Math.log(total) - this.#scale * own);
    sums[1].add(mean - own);
    sums[2].add(Math.max(0, second / total - mean * mean));
    sums[3].add(third / total - (3 * mean * second) / total + 2 * mean ** 3);
    this.#kept.confidence[at] = 1 / total;
    this.#kept.lean[at] = mean;
    this.#count++;
  }

  merge(other: ScaledLoss): void {
    this.mergeState(other.state);
  }

  /** As `merge`, of what a thread gave back. */
  mergeState({ rows, sums }: ScaledLossState): void {
    this.#count += rows;
    for (const [i, sum] of this.#sums.entries()) sum.merge(sums[i] as SumState);
  }

  get state(): ScaledLossState {
    const [loss, slope, curvature, third] = this.#sums;
    return { rows: this.#count, sums: [loss.state, slope.state, curvature.state, third.state] };
  }

  result(): ScaleLoss {
    const [loss, slope, curvature, third] = this.#sums.map(({ value }) => value / this.#count) as [
      number,
      number,
      number,
      number,
    ];
    return { rows: this.#count, loss, slope, curvature, third };
  }
}

/** Makes infinite scores finite, as `LogitPairs` does. @returns the largest score */
function masked(row: Float64Array, max: number, sample: number): number {
  if (max === Number.NEGATIVE_INFINITY || row.some(Number.isNaN))
    throw new ServeOptError('SO4006', `Sample ${sample} has no finite score`);
  const isOpen = max === Number.POSITIVE_INFINITY;
  for (let i = 0; i < row.length; i++) {
    if (isOpen) row[i] = row[i] === max ? 0 : MASKED;
    else if (row[i] === Number.NEGATIVE_INFINITY) row[i] = MASKED;
  }
  return isOpen ? 0 : max;
}

/** Temperatures are looked for between these. */
export const FITTED_TEMPERATURES = { least: 0.01, most: 100 } as const;
const MOST_STEPS = 60;
/** A step as small as this, as a part of the scale, leaves an error of its cube. */
const CLOSE_ENOUGH = 1e-6;

/** The temperature with the least loss of labels. */
export interface FittedTemperature {
  readonly temperature: number;
  /** The loss there, mean over rows. */
  readonly nll: number;
  /** The least loss lies beyond the temperatures that are looked at: all rows are right, or scores say nothing. */
  readonly isAtBound: boolean;
  /** How far the scale is from that `lossAt` was called with last; `moveConfidence` brings confidences there. */
  readonly step: number;
}

/**
 * Finds the temperature by Halley's method on the scale 1/T, in which the loss is convex, within a bracket that shrinks. Source: C.
 * Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
 * @param start scale to begin with
 */
export async function fitTemperature(
  lossAt: (scale: number) => Promise<ScaleLoss>,
  start = 1,
): Promise<FittedTemperature> {
  let [low, high] = [1 / FITTED_TEMPERATURES.most, 1 / FITTED_TEMPERATURES.least];
  let scale = Math.min(high, Math.max(low, start));
  let found = await lossAt(scale);
  for (let round = 0; round < MOST_STEPS; round++) {
    const { loss, slope, curvature, third } = found;
    if (slope > 0) high = scale;
    else low = scale;
    const step = stepOf(found);
    // Before the bracket, which rounding may put on the wrong side of a step as small as itself.
    if (Math.abs(step) <= CLOSE_ENOUGH * scale || slope === 0) {
      const nll = loss + step * (slope + step * (curvature / 2 + (step * third) / 6));
      return fitted(scale + step, nll, step);
    }
    let next = scale + step;
    // Far from the optimum the derivatives say little: halve there, on a logarithmic axis.
    if (!(next > low && next < high)) next = Math.sqrt(low * high);
    if (high / low < 1 + 1e-9) break;
    scale = next;
    found = await lossAt(scale);
  }
  return fitted(scale, found.loss, 0);
}

/** Halley's step towards a slope of 0; Newton's where the third derivative says too little. */
function stepOf({ slope, curvature, third }: ScaleLoss): number {
  if (slope === 0) return 0;
  const newton = -slope / curvature;
  const divisor = 1 + (newton * third) / (2 * curvature);
  return divisor > 0.5 && divisor < 2 ? newton / divisor : newton;
}

function fitted(scale: number, nll: number, step: number): FittedTemperature {
  const temperature = 1 / scale;
  const { least, most } = FITTED_TEMPERATURES;
  return { temperature, nll, isAtBound: temperature < least * 1.0001 || temperature > most / 1.0001, step };
}

/** Brings confidences to a scale that is a step away, as small as `fitTemperature` returns. */
export function moveConfidence({ confidence, lean }: ScaledConfidence, step: number): void {
  if (step === 0) return;
  for (let row = 0; row < confidence.length; row++)
    confidence[row] = (confidence[row] as number) * Math.exp(-step * (lean[row] as number));
}
