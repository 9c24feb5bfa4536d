/**
 * Two rows of scores side by side in double precision, and the loops over them that softmax and divergences take. The loops
 * are those of softmax.wat; machines without SIMD use plain ones, which give the same up to rounding.
 */
import { SOFTMAX_BASE64 } from './softmax.generated.js';
import { instantiate } from './web-assembly.js';

/** Which of the two rows. */
export type Side = 0 | 1;

/** Sums over two rows with p = e / Σe and d = (z₀ - max₀) - (z₁ - max₁), `mean` being 1 / width. */
export interface Divergences {
  /** Σ p₀·d. */
  readonly forward: number;
  /** Σ p₁·d. */
  readonly reverse: number;
  /** Σ p₀·(z₀ - max₀). */
  readonly own: number;
  /** Σ (p₀ - mean)². */
  readonly square0: number;
  /** Σ (p₁ - mean)². */
  readonly square1: number;
  /** Σ (p₀ - mean)(p₁ - mean). */
  readonly product: number;
}

/** Sums for each class over rows, of a = p₀ - 1/width and b = p₁ - 1/width. */
export interface ClassSums {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly aa: Float64Array;
  readonly bb: Float64Array;
  readonly ab: Float64Array;
}

/** Rows and loops. All loops work on what `scores` and `exponentials` hold at that moment. */
export interface SoftmaxRows {
  readonly width: number;
  /** The two rows; views as long as a row. Callers fill them with finite numbers. */
  readonly scores: readonly [Float64Array, Float64Array];
  /** What `exponentiate` wrote. */
  readonly exponentials: readonly [Float64Array, Float64Array];
  /** exp((scores - shift) · scale), 0 where the exponent is below -708. @returns the sum */
  exponentiate(side: Side, shift: number, scale: number): number;
  /** Squares what `exponentiate` wrote, `times` times: the exponentials at 2^times times the scale. @returns the sum */
  square(side: Side, times: number): number;
  /** How many scores are larger than that at `place`, or as large and before it. */
  rankOf(side: Side, place: number): number;
  /** @param totals Σe of both rows @param maxima largest score of both */
  divergences(totals: readonly [number, number], maxima: readonly [number, number]): Divergences;
  /** Σ|p₀ - p₁| and Σ m·ln(m) with m = (p₀ + p₁)/2. */
  mixture(totals: readonly [number, number]): readonly [distance: number, entropy: number];
  /** Adds the rows to the sums of a slot. */
  addToClasses(slot: number, totals: readonly [number, number]): void;
  classSums(slot: number): ClassSums;
  /** Σ e·u, Σ e·u² and Σ e·u³ with u = scores - max. */
  moments(side: Side, max: number): readonly [first: number, second: number, third: number];
}

/** What softmax.wat exports; places are byte offsets. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  exponentials(source: number, target: number, count: number, shift: number, scale: number): number;
  square(target: number, count: number, times: number): number;
  countAbove(source: number, count: number, value: number): number;
  divergences(...places: readonly number[]): void;
  mixture(et: number, es: number, count: number, inverset: number, inverses: number, out: number): void;
  classSums(...places: readonly number[]): void;
  moments(z: number, e: number, count: number, max: number, out: number): void;
}

const PAGE_BYTES = 65_536;
const OUT_BYTES = 64;
const SUMS = 5;
/** A score of the padding of a row of odd width: its exponential is 0, and its square is finite. */
const PADDING = -1e150;

/** @param slots how many sets of sums for each class there are @param plain true for the loops without SIMD */
export function softmaxRows(width: number, slots: number, plain = false): SoftmaxRows {
  return (plain ? undefined : simdRows(width, slots)) ?? plainRows(width, slots);
}

function simdRows(width: number, slots: number): SoftmaxRows | undefined {
  const wasm = instantiate(SOFTMAX_BASE64) as Exports | undefined;
  if (!wasm) return undefined;
  const count = width + (width % 2);
  const rowBytes = count * 8;
  const needed = OUT_BYTES + (4 + SUMS * slots) * rowBytes;
  wasm.memory.grow(Math.ceil(needed / PAGE_BYTES));
  const { buffer } = wasm.memory;
  const out = new Float64Array(buffer, 0, OUT_BYTES / 8);
  const place = (row: number): number => OUT_BYTES + row * rowBytes;
  const view = (row: number): Float64Array => new Float64Array(buffer, place(row), width);
  const padded = [0, 1, 2, 3].map((row) => new Float64Array(buffer, place(row), count)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const mean = 1 / width;
  const isOdd = count > width;
  return {
    width,
    scores: [view(0), view(1)],
    exponentials: [view(2), view(3)],
    exponentiate(side, shift, scale) {
      if (isOdd) padded[side][width] = PADDING;
      return wasm.exponentials(place(side), place(2 + side), count, shift, scale);
    },
    square(side, times) {
      if (isOdd) padded[(2 + side) as 2 | 3][width] = 0;
      return wasm.square(place(2 + side), count, times);
    },
    rankOf(side, at) {
      const row = padded[side];
      if (isOdd) row[width] = PADDING;
      const above = wasm.countAbove(place(side), count, row[at] as number);
      return above < 0 ? rankByPlace(row, width, at) : above;
    },
    divergences(totals, maxima) {
      const [inverset, inverses] = [1 / totals[0], 1 / totals[1]];
      if (isOdd) {
        // The padding adds nothing to any sum: it has the largest score and the mean probability.
        [padded[0][width], padded[1][width]] = maxima;
        [padded[2][width], padded[3][width]] = [mean * totals[0], mean * totals[1]];
      }
      wasm.divergences(place(0), place(1), place(2), place(3), count, ...maxima, inverset, inverses, mean, 0);
      return {
        forward: out[0] as number,
        reverse: out[1] as number,
        own: out[2] as number,
        square0: out[3] as number,
        square1: out[4] as number,
        product: out[5] as number,
      };
    },
    mixture(totals) {
      if (isOdd) padded[2][width] = padded[3][width] = 0;
      wasm.mixture(place(2), place(3), count, 1 / totals[0], 1 / totals[1], 0);
      return [out[0] as number, out[1] as number];
    },
    addToClasses(slot, totals) {
      const sums = place(4 + SUMS * slot);
      wasm.classSums(place(2), place(3), count, 1 / totals[0], 1 / totals[1], mean, sums, rowBytes);
    },
    classSums(slot) {
      const [a, b, aa, bb, ab] = [0, 1, 2, 3, 4].map((i) => view(4 + SUMS * slot + i).slice());
      return { a, b, aa, bb, ab } as ClassSums;
    },
    moments(side, max) {
      if (isOdd) padded[(2 + side) as 2 | 3][width] = 0;
      wasm.moments(place(side), place(2 + side), count, max, 0);
      return [out[0] as number, out[1] as number, out[2] as number];
    },
  };
}

/** How many of the first `width` values come before the one at `place`: larger ones, and equal ones that stand before it. */
function rankByPlace(values: Float64Array, width: number, place: number): number {
  const value = values[place] as number;
  let rank = 0;
  for (let i = 0; i < place; i++) if ((values[i] as number) >= value) rank++;
  for (let i = place + 1; i < width; i++) if ((values[i] as number) > value) rank++;
  return rank;
}

function plainRows(width: number, slots: number): SoftmaxRows {
  const row = (): Float64Array => new Float64Array(width);
  const scores = [row(), row()] as const;
  const exponentials = [row(), row()] as const;
  const classes = Array.from({ length: slots }, () => ({ a: row(), b: row(), aa: row(), bb: row(), ab: row() }));
  const mean = 1 / width;
  const [zt, zs] = scores;
  const [et, es] = exponentials;
  return {
    width,
    scores,
    exponentials,
    exponentiate(side, shift, scale) {
      const [z, e] = [scores[side], exponentials[side]];
      let sum = 0;
      for (let i = 0; i < width; i++) {
        const x = ((z[i] as number) - shift) * scale;
        const value = x > -708 ? Math.exp(x) : 0;
        e[i] = value;
        sum += value;
      }
      return sum;
    },
    square(side, times) {
      const e = exponentials[side];
      let sum = 0;
      for (let i = 0; i < width; i++) {
        let value = e[i] as number;
        for (let left = times; left > 0; left--) value *= value;
        e[i] = value;
        sum += value;
      }
      return sum;
    },
    rankOf: (side, at) => rankByPlace(scores[side], width, at),
    divergences([totalT, totalS], [maxT, maxS]) {
      let [forward, reverse, own, square0, square1, product] = [0, 0, 0, 0, 0, 0];
      for (let i = 0; i < width; i++) {
        const [pt, ps] = [(et[i] as number) / totalT, (es[i] as number) / totalS];
        const u = (zt[i] as number) - maxT;
        const d = u - ((zs[i] as number) - maxS);
        forward += pt * d;
        reverse += ps * d;
        own += pt * u;
        square0 += (pt - mean) ** 2;
        square1 += (ps - mean) ** 2;
        product += (pt - mean) * (ps - mean);
      }
      return { forward, reverse, own, square0, square1, product };
    },
    mixture([totalT, totalS]) {
      let [distance, entropy] = [0, 0];
      for (let i = 0; i < width; i++) {
        const [pt, ps] = [(et[i] as number) / totalT, (es[i] as number) / totalS];
        const m = (pt + ps) / 2;
        distance += Math.abs(pt - ps);
        if (m > 0) entropy += m * Math.log(m);
      }
      return [distance, entropy];
    },
    addToClasses(slot, [totalT, totalS]) {
      const { a, b, aa, bb, ab } = classes[slot] as ClassSums;
      for (let i = 0; i < width; i++) {
        const [x, y] = [(et[i] as number) / totalT - mean, (es[i] as number) / totalS - mean];
        a[i] = (a[i] as number) + x;
        b[i] = (b[i] as number) + y;
        aa[i] = (aa[i] as number) + x * x;
        bb[i] = (bb[i] as number) + y * y;
        ab[i] = (ab[i] as number) + x * y;
      }
    },
    classSums: (slot) => classes[slot] as ClassSums,
    moments(side, max) {
      const [z, e] = [scores[side], exponentials[side]];
      let [first, second, third] = [0, 0, 0];
      for (let i = 0; i < width; i++) {
        const u = (z[i] as number) - max;
        const eu = u * (e[i] as number);
        first += eu;
        second += eu * u;
        third += eu * u * u;
      }
      return [first, second, third];
    },
  };
}
