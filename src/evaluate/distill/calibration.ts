import type { Accumulator } from '../accumulator.js';
import { ExactSum } from '../exact-sum.js';

/** The confidence of one prediction, and whether it was right. */
export interface Prediction {
  readonly confidence: number;
  readonly correct: boolean;
}

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean confidence, not the centre of the bin; NaN without predictions. */
  readonly confidence: number;
  /** Share right. */
  readonly accuracy: number;
}

export interface ReliabilityResult {
  readonly bins: readonly ReliabilityBin[];
  readonly n: number;
  /** Expected calibration error: Σ n/N · |accuracy - confidence|. NaN without predictions. */
  readonly ece: number;
  /** Largest |accuracy - confidence| of a bin that has predictions. */
  readonly mce: number;
}

/** The bin (low, high] of `bins` equal ones that holds a probability; 0 is in the first. */
export function binOf(probability: number, bins: number): number {
  return Math.min(bins - 1, Math.max(0, Math.ceil(probability * bins) - 1));
}

/**
 * Calibration of the predicted class over bins (low, high] of equal width. Source: C. Guo et al., "On Calibration of Modern
 * Neural Networks", ICML 2017.
 */
export class EqualWidthCalibration implements Accumulator<Prediction, ReliabilityResult> {
  readonly #counts: Float64Array;
  readonly #correct: Float64Array;
  readonly #confidence: readonly ExactSum[];

  constructor(bins: number) {
    this.#counts = new Float64Array(bins);
    this.#correct = new Float64Array(bins);
    this.#confidence = Array.from({ length: bins }, () => new ExactSum());
  }

  observe({ confidence, correct }: Prediction): void {
    const bin = binOf(confidence, this.#counts.length);
    this.#counts[bin] = (this.#counts[bin] as number) + 1;
    if (correct) this.#correct[bin] = (this.#correct[bin] as number) + 1;
    this.#confidence[bin]?.add(confidence);
  }

  merge(other: EqualWidthCalibration): void {
    for (let bin = 0; bin < this.#counts.length; bin++) {
      this.#counts[bin] = (this.#counts[bin] as number) + (other.#counts[bin] as number);
      this.#correct[bin] = (this.#correct[bin] as number) + (other.#correct[bin] as number);
      const sum = other.#confidence[bin];
      if (sum) this.#confidence[bin]?.merge(sum.state);
    }
  }

  result(): ReliabilityResult {
    const width = this.#counts.length;
    return reliability(
      Array.from({ length: width }, (_, bin) => {
        const count = this.#counts[bin] as number;
        const confidence = (this.#confidence[bin]?.value ?? 0) / count;
        return {
          low: bin / width,
          high: (bin + 1) / width,
          count,
          confidence,
          accuracy: (this.#correct[bin] as number) / count,
        };
      }),
    );
  }
}

/**
 * Calibration over bins of equally many predictions, in the order of their confidence; the first bins have one more where the
 * number does not divide. Of equal confidences the wrong ones come first, so that the order of samples does not matter.
 */
export class EqualMassCalibration implements Accumulator<Prediction, ReliabilityResult> {
  readonly #bins: number;
  readonly #confidence: number[] = [];
  readonly #correct: boolean[] = [];

  constructor(bins: number) {
    this.#bins = bins;
  }

  observe({ confidence, correct }: Prediction): void {
    this.#confidence.push(confidence);
    this.#correct.push(correct);
  }

  merge(other: EqualMassCalibration): void {
    for (const [i, confidence] of other.#confidence.entries())
      this.observe({ confidence, correct: other.#correct[i] === true });
  }

  result(): ReliabilityResult {
    const n = this.#confidence.length;
    const bins = Math.min(this.#bins, Math.max(1, n));
    const order = sortedPlaces(this.#confidence, (i) => (this.#correct[i] ? 1 : 0));
    return reliability(
      equalParts(n, bins).map(([start, end]) => {
        const sum = new ExactSum();
        let correct = 0;
        for (let i = start; i < end; i++) {
          const place = order[i] as number;
          sum.add(this.#confidence[place] as number);
          if (this.#correct[place]) correct++;
        }
        const count = end - start;
        return {
          low: this.#confidence[order[start] as number] ?? Number.NaN,
          high: this.#confidence[order[end - 1] as number] ?? Number.NaN,
          count,
          confidence: sum.value / count,
          accuracy: correct / count,
        };
      }),
    );
  }
}

/** Places of values in rising order; of equal values by a second number. */
export function sortedPlaces(values: ArrayLike<number>, second: (place: number) => number): Uint32Array {
  const order = new Uint32Array(values.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  return order.sort((a, b) => (values[a] as number) - (values[b] as number) || second(a) - second(b));
}

/** `count` things in `parts` runs of as equal length as can be, longer ones first. */
export function equalParts(count: number, parts: number): readonly (readonly [start: number, end: number])[] {
  const [least, longer] = [Math.floor(count / parts), count % parts];
  let at = 0;
  return Array.from({ length: parts }, (_, i) => {
    const start = at;
    at += least + (i < longer ? 1 : 0);
    return [start, at] as const;
  });
}

function reliability(bins: readonly ReliabilityBin[]): ReliabilityResult {
  const filled = bins.filter(({ count }) => count > 0);
  const n = filled.reduce((sum, { count }) => sum + count, 0);
  const gap = ({ accuracy, confidence }: ReliabilityBin): number => Math.abs(accuracy - confidence);
  const weighted = new ExactSum();
  for (const bin of filled) weighted.add(bin.count * gap(bin));
  return {
    bins,
    n,
    ece: weighted.value / n,
    mce: filled.length === 0 ? Number.NaN : Math.max(...filled.map(gap)),
  };
}
