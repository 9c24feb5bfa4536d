import type { SoftmaxRows } from '../../tensor/softmax-rows.js';
import type { Accumulator } from '../accumulator.js';
import { binOf } from './calibration.js';

/** Sums of class-wise calibration of both models, [class, bin] in row-major order. Plain data. */
export interface ClasswiseState {
  /** Labelled rows. */
  readonly rows: number;
  readonly sides: readonly [ClasswiseSide, ClasswiseSide];
}

interface ClasswiseSide {
  /** Σ p of each class. */
  readonly total: Float64Array;
  /** Of probabilities beyond the first bin: Σ p, and how many. */
  readonly confidence: Float64Array;
  readonly count: Float64Array;
  /** Rows of the class, by the bin of its probability. */
  readonly correct: Float64Array;
}

/** One row, as `LogitPairs` has it. */
interface ClasswiseRow {
  readonly rows: SoftmaxRows;
  readonly totals: readonly [number, number];
  readonly label: number;
}

/**
 * Calibration of the probability of every class, not only the largest: mean over classes of Σ n/N · |share right - mean
 * probability| over bins. Source: M. Kull et al., "Beyond temperature scaling", NeurIPS 2019. Most probabilities lie in the first
 * bin, whose sums are what the others leave.
 */
export class ClasswiseBins implements Accumulator<ClasswiseRow, readonly [number, number]> {
  readonly #width: number;
  readonly #bins: number;
  readonly #sides: readonly [ClasswiseSide, ClasswiseSide];
  #rows = 0;

  constructor(width: number, bins: number) {
    this.#width = width;
    this.#bins = bins;
    const side = (): ClasswiseSide => ({
      total: new Float64Array(width),
      confidence: new Float64Array(width * bins),
      count: new Float64Array(width * bins),
      correct: new Float64Array(width * bins),
    });
    this.#sides = [side(), side()];
  }

  get state(): ClasswiseState {
    return { rows: this.#rows, sides: this.#sides };
  }

  observe({ rows, totals, label }: ClasswiseRow): void {
    if (label < 0) return;
    this.#rows++;
    for (const side of [0, 1] as const) this.#add(this.#sides[side], rows.exponentials[side], totals[side], label);
  }

  #add({ total, confidence, count, correct }: ClasswiseSide, e: Float64Array, sum: number, label: number): void {
    const bins = this.#bins;
    const threshold = sum / bins;
    const inverse = 1 / sum;
    for (let i = 0; i < e.length; i++) {
      const value = e[i] as number;
      const p = value * inverse;
      total[i] = (total[i] as number) + p;
      const bin = value > threshold ? binOf(p, bins) : 0;
      if (i === label) correct[i * bins + bin] = (correct[i * bins + bin] as number) + 1;
      if (bin === 0) continue;
      const at = i * bins + bin;
      confidence[at] = (confidence[at] as number) + p;
      count[at] = (count[at] as number) + 1;
    }
  }

  merge(other: ClasswiseBins): void {
    this.mergeState(other.state);
  }

  /** As `merge`, of what a thread gave back. */
  mergeState({ rows, sides }: ClasswiseState): void {
    this.#rows += rows;
    for (const side of [0, 1] as const) {
      for (const name of ['total', 'confidence', 'count', 'correct'] as const) {
        const [target, source] = [this.#sides[side][name], sides[side][name]];
        for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + (source[i] as number);
      }
    }
  }

  /** Class-wise calibration error of the teacher and of the student; NaN without labels. */
  result(): readonly [number, number] {
    return [this.#error(this.#sides[0]), this.#error(this.#sides[1])];
  }

  #error({ total, confidence, count, correct }: ClasswiseSide): number {
    const [bins, rows] = [this.#bins, this.#rows];
    let sum = 0;
    for (let i = 0; i < this.#width; i++) {
      let rest = total[i] as number;
      for (let bin = 1; bin < bins; bin++) {
        const at = i * bins + bin;
        if (count[at] === 0) continue;
        sum += Math.abs((correct[at] as number) - (confidence[at] as number));
        rest -= confidence[at] as number;
      }
      sum += Math.abs((correct[i * bins] as number) - rest);
    }
    return sum / (this.#width * rows);
  }
}
