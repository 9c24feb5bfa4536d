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

/** The loss of labels at one scale 1/T, and its derivatives by the scale: means over rows. */
export interface ScaleLoss {
  readonly rows: number;
  readonly loss: number;
  readonly slope: number;
  readonly curvature: number;
}

/** Plain data of `ScaledLoss`. */
export interface ScaledLossState {
  readonly rows: number;
  readonly sums: readonly [SumState, SumState, SumState];
}

/** A score that stands for minus infinity. */
const MASKED = -1e100;

/** Adds up the loss of labels at one scale of the scores, with the first and second derivative by that scale. */
export class ScaledLoss implements Accumulator<ScaledRow, ScaleLoss> {
  readonly #rows: SoftmaxRows;
  readonly #scale: number;
  readonly #confidence: Float64Array;
  readonly #sums = [new ExactSum(), new ExactSum(), new ExactSum()] as const;
  #count = 0;

  /** @param confidence gets the largest probability of each row at this scale */
  constructor(width: number, scale: number, confidence: Float64Array, plain = false) {
    this.#rows = softmaxRows(width, 0, plain);
    this.#scale = scale;
    this.#confidence = confidence;
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
    const [first, second] = this.#rows.moments(0, max);
    const mean = first / total;
    const own = (row[label] as number) - max;
    const [loss, slope, curvature] = this.#sums;
    loss.add(Math.log(total) - this.#scale * own);
    slope.add(mean - own);
    curvature.add(Math.max(0, second / total - mean * mean));
    this.#confidence[at] = 1 / total;
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
    const [loss, slope, curvature] = this.#sums;
    return { rows: this.#count, sums: [loss.state, slope.state, curvature.state] };
  }

  result(): ScaleLoss {
    const [loss, slope, curvature] = this.#sums.map(({ value }) => value / this.#count) as [number, number, number];
    return { rows: this.#count, loss, slope, curvature };
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
const CLOSE_ENOUGH = 1e-11;

/** The temperature with the least loss of labels. */
export interface FittedTemperature {
  readonly temperature: number;
  /** The loss there, mean over rows. */
  readonly nll: number;
  /** The least loss lies beyond the temperatures that are looked at: all rows are right, or scores say nothing. */
  readonly isAtBound: boolean;
}

/**
 * Finds the temperature by Newton's method on the scale 1/T, in which the loss is convex, within a bracket that shrinks. `lossAt` is
 * called last with the scale that is returned. Source: C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
 * @param start scale to begin with
 */
export async function fitTemperature(
  lossAt: (scale: number) => Promise<ScaleLoss>,
  start = 1,
): Promise<FittedTemperature> {
  let [low, high] = [1 / FITTED_TEMPERATURES.most, 1 / FITTED_TEMPERATURES.least];
  let scale = Math.min(high, Math.max(low, start));
  let found = await lossAt(scale);
  for (let step = 0; step < MOST_STEPS; step++) {
    const { slope, curvature } = found;
    if (slope > 0) high = scale;
    else low = scale;
    let next = scale - slope / curvature;
    // Before the bracket, which rounding may put on the wrong side of a step as small as itself.
    if (Math.abs(next - scale) <= CLOSE_ENOUGH * scale || slope === 0) break;
    // Far from the optimum the curvature says little: halve there, on a logarithmic axis.
    if (!(next > low && next < high)) next = Math.sqrt(low * high);
    if (high / low < 1 + 1e-9) break;
    scale = next;
    found = await lossAt(scale);
  }
  const temperature = 1 / scale;
  const { least, most } = FITTED_TEMPERATURES;
  return { temperature, nll: found.loss, isAtBound: temperature < least * 1.0001 || temperature > most / 1.0001 };
}
