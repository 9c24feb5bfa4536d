import type { Accumulator } from './accumulator.js';
import { type Proportion, proportion } from './proportion.js';

/** Independent probabilities of one run, of both models. */
export interface DecidedRun {
  readonly a: Float32Array | Float64Array;
  readonly b: Float32Array | Float64Array;
}

/** From this probability on the answer is yes. */
const THRESHOLD = 0.5;

/** How often two models decide the same by independent probabilities: both from 0.5 on, or both below. Nothing where a value of A is no probability. */
export class DecisionAgreement implements Accumulator<DecidedRun, Proportion | undefined> {
  #same = 0;
  #n = 0;
  #areProbabilities = true;

  observe({ a, b }: DecidedRun): void {
    for (let i = 0; i < a.length; i++) {
      const [p, q] = [a[i] as number, b[i] as number];
      if (p < 0 || p > 1) this.#areProbabilities = false;
      if (p >= THRESHOLD === q >= THRESHOLD && !Number.isNaN(p) && !Number.isNaN(q)) this.#same++;
    }
    this.#n += a.length;
  }

  merge(other: DecisionAgreement): void {
    this.#same += other.#same;
    this.#n += other.#n;
    this.#areProbabilities &&= other.#areProbabilities;
  }

  result(): Proportion | undefined {
    return this.#areProbabilities && this.#n > 0 ? proportion(this.#same, this.#n) : undefined;
  }
}
