/** Below this, sorting by insertion is faster than by digits. */
const FEW = 48;
const DIGIT_BITS = 8;
const DIGITS = 1 << DIGIT_BITS;
const PASSES = 4;

/**
 * Spearman's rank correlation of two rows of equal width, tied values having the mean of their ranks: Pearson's correlation
 * of the ranks. Holds the memory that this takes, so that rows cost no allocation.
 */
export class RankCorrelation {
  readonly #width: number;
  readonly #keys: Uint32Array;
  readonly #order: Uint32Array;
  readonly #otherOrder: Uint32Array;
  readonly #counts = new Uint32Array(DIGITS * PASSES);
  readonly #buckets: Uint32Array;
  readonly #ranks: readonly [Float64Array, Float64Array];
  /** A copy of a row, and its bits. */
  readonly #values: Float64Array;
  readonly #bits: Uint32Array;
  /** The values in the order that is being made. */
  readonly #sorted: Float64Array;

  constructor(width: number) {
    this.#width = width;
    this.#keys = new Uint32Array(width);
    this.#order = new Uint32Array(width);
    this.#otherOrder = new Uint32Array(width);
    this.#buckets = new Uint32Array(2 * width + 1);
    this.#ranks = [new Float64Array(width), new Float64Array(width)];
    this.#values = new Float64Array(width);
    this.#bits = new Uint32Array(this.#values.buffer);
    this.#sorted = new Float64Array(width);
  }

  /** In -1..1; NaN where one of the rows has a single value throughout. */
  of(a: Float64Array, b: Float64Array): number {
    const width = this.#width;
    const ranksA = this.#ranks[0];
    const ranksB = this.#ranks[1];
    this.#rank(a, ranksA);
    this.#rank(b, ranksB);
    const mean = (width - 1) / 2;
    let aa = 0;
    let bb = 0;
    let ab = 0;
    for (let i = 0; i < width; i++) {
      const x = (ranksA[i] as number) - mean;
      const y = (ranksB[i] as number) - mean;
      aa += x * x;
      bb += y * y;
      ab += x * y;
    }
    return ab / Math.sqrt(aa * bb);
  }

  #rank(row: Float64Array, ranks: Float64Array): void {
    const order = this.#order;
    const sorted = this.#sorted;
    const { length } = order;
    if (length <= FEW) {
      for (let i = 0; i < length; i++) order[i] = i;
      sorted.set(row);
    } else if (!sortByBuckets(row, order, sorted, this.#keys, this.#buckets)) {
      this.#values.set(row);
      sortByDigits(this.#bits, order, this.#otherOrder, this.#keys, this.#counts);
      for (let i = 0; i < length; i++) sorted[i] = row[order[i] as number] as number;
    }
    insertionSort(sorted, order);
    for (let i = 0; i < length; ) {
      const value = sorted[i] as number;
      let end = i + 1;
      while (end < length && sorted[end] === value) end++;
      if (end === i + 1) {
        ranks[order[i] as number] = i;
        i = end;
        continue;
      }
      const rank = (i + end - 1) / 2;
      for (; i < end; i++) ranks[order[i] as number] = rank;
    }
  }
}

/** More values in one bucket would take insertion long. */
const MOST_IN_BUCKET = 24;

/**
 * Puts indices and values nearly into rising order, by buckets of equal width between the least and the largest value: within a
 * bucket they stay as they come, for insertion. @returns false where the values crowd in few buckets
 */
function sortByBuckets(
  values: Float64Array,
  order: Uint32Array,
  sorted: Float64Array,
  keys: Uint32Array,
  buckets: Uint32Array,
): boolean {
  const width = values.length;
  let low = values[0] as number;
  let high = low;
  for (let i = 1; i < width; i++) {
    const value = values[i] as number;
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  const scale = (buckets.length - 1) / (high - low);
  if (!(scale < Number.MAX_VALUE)) return false;
  buckets.fill(0);
  let most = 0;
  for (let i = 0; i < width; i++) {
    const key = (((values[i] as number) - low) * scale) | 0;
    keys[i] = key;
    const count = (buckets[key] as number) + 1;
    buckets[key] = count;
    if (count > most) most = count;
  }
  if (most > MOST_IN_BUCKET) return false;
  let at = 0;
  for (let key = 0; key < buckets.length; key++) {
    const count = buckets[key] as number;
    buckets[key] = at;
    at += count;
  }
  for (let i = 0; i < width; i++) {
    const key = keys[i] as number;
    const place = buckets[key] as number;
    buckets[key] = place + 1;
    order[place] = i;
    sorted[place] = values[i] as number;
  }
  return true;
}

/**
 * Puts indices into rising order by the upper 32 bits of each value, 8 bits a pass; what these do not tell apart stays for
 * insertion, which is fast on what is nearly sorted.
 * @param bits of the values, lower and upper halves in turn
 */
function sortByDigits(
  bits: Uint32Array,
  order: Uint32Array,
  other: Uint32Array,
  keys: Uint32Array,
  counts: Uint32Array,
): void {
  const width = order.length;
  counts.fill(0);
  for (let i = 0; i < width; i++) {
    const high = bits[2 * i + 1] as number;
    // The order of the numbers as that of unsigned integers: of negative ones all bits are turned.
    const key = (high ^ ((high >> 31) | 0x80000000)) >>> 0;
    keys[i] = key;
    order[i] = i;
    for (let pass = 0; pass < PASSES; pass++) {
      const digit = pass * DIGITS + ((key >>> (pass * DIGIT_BITS)) & (DIGITS - 1));
      counts[digit] = (counts[digit] as number) + 1;
    }
  }
  let from = order;
  let to = other;
  for (let pass = 0; pass < PASSES; pass++) {
    const base = pass * DIGITS;
    const shift = pass * DIGIT_BITS;
    let at = 0;
    for (let digit = base; digit < base + DIGITS; digit++) {
      const count = counts[digit] as number;
      counts[digit] = at;
      at += count;
    }
    for (let i = 0; i < width; i++) {
      const index = from[i] as number;
      const digit = base + (((keys[index] as number) >>> shift) & (DIGITS - 1));
      const place = counts[digit] as number;
      counts[digit] = place + 1;
      to[place] = index;
    }
    const swapped = from;
    from = to;
    to = swapped;
  }
  // An even number of passes ends where it began.
}

/** Sorts values that are nearly in order, and the indices with them. */
function insertionSort(sorted: Float64Array, order: Uint32Array): void {
  let before = sorted[0] as number;
  for (let i = 1; i < sorted.length; i++) {
    const value = sorted[i] as number;
    if (value >= before) {
      before = value;
      continue;
    }
    const index = order[i] as number;
    let at = i - 1;
    while (at >= 0 && (sorted[at] as number) > value) {
      sorted[at + 1] = sorted[at] as number;
      order[at + 1] = order[at] as number;
      at--;
    }
    sorted[at + 1] = value;
    order[at + 1] = index;
  }
}
