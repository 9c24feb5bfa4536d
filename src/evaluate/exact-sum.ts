/** A sum, and what was lost of it to rounding. */
export interface SumState {
  readonly sum: number;
  readonly lost: number;
}

/**
 * A sum whose rounding error does not grow with the number of terms, so that their order changes nothing beyond the last
 * digit. Infinite terms make it infinite. Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation
 * endlicher Summen", ZAMM 54 (1974).
 */
export class ExactSum {
  #sum = 0;
  #lost = 0;

  add(term: number): void {
    const sum = this.#sum + term;
    // Of infinities nothing is lost that can be told.
    if (sum - sum === 0)
      this.#lost += Math.abs(this.#sum) >= Math.abs(term) ? this.#sum - sum + term : term - sum + this.#sum;
    this.#sum = sum;
  }

  /** Adds all of another sum. */
  merge({ sum, lost }: SumState): void {
    this.add(sum);
    this.add(lost);
  }

  get state(): SumState {
    return { sum: this.#sum, lost: this.#lost };
  }

  get value(): number {
    return this.#sum - this.#sum === 0 ? this.#sum + this.#lost : this.#sum;
  }
}

/** The sum of numbers, whatever their order. */
export function exactSum(values: ArrayLike<number>): number {
  const sum = new ExactSum();
  for (let i = 0; i < values.length; i++) sum.add(values[i] as number);
  return sum.value;
}

/** The mean of numbers; NaN of none. */
export function exactMean(values: ArrayLike<number>): number {
  return exactSum(values) / values.length;
}
