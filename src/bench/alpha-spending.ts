/**
 * Looks at growing data, of which each may end the test: taken as often as one likes at full strength they would be
 * wrong far too often. So the chance of error `alpha` is spent in parts: look k may use up to alpha · (1 - 1/(k + 1)) in all,
 * which is alpha / (k (k + 1)) each, and a look that came too late has the share of those it skipped. The last look of all
 * has whatever is left. (Lan and DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70 (1983).)
 */
export class AlphaSpending {
  readonly #alpha: number;
  readonly #sizeOf: (look: number) => number;
  #looks = 0;
  #spent = 0;

  /** `sizeOf(k)` is the size at which look k, from 1, is due; it grows without end. */
  constructor(alpha: number, sizeOf: (look: number) => number) {
    this.#alpha = alpha;
    this.#sizeOf = sizeOf;
  }

  /** What a look at this size may spend, if one is due. */
  due(size: number, final: boolean): number | undefined {
    if (final) return this.#alpha - this.#spent;
    const look = this.#lookAt(size);
    return look > this.#looks ? this.#spentAfter(look) - this.#spent : undefined;
  }

  /** What the next look will have to spend. */
  next(): number {
    return this.#spentAfter(this.#looks + 1) - this.#spent;
  }

  /** Notes that the look at this size was taken. */
  spend(size: number, final: boolean): void {
    if (final) {
      this.#spent = this.#alpha;
      return;
    }
    this.#looks = Math.max(this.#looks, this.#lookAt(size));
    this.#spent = this.#spentAfter(this.#looks);
  }

  #lookAt(size: number): number {
    let look = this.#looks;
    while (this.#sizeOf(look + 1) <= size) look++;
    return look;
  }

  #spentAfter(look: number): number {
    return this.#alpha * (1 - 1 / (look + 1));
  }
}
