/** Numbers in order, in an array that grows by doubling: adding one costs next to nothing, and no garbage. */
export class NumberSeries {
  #items = new Float64Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(value: number): void {
    if (this.#length === this.#items.length) {
      const larger = new Float64Array(this.#items.length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#length++] = value;
  }

  /** A copy of what was added, to be handed over; the series is empty afterwards. */
  take(): Float64Array {
    const taken = this.#items.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}
