/** Smallest and largest elements of typed arrays. Pure and synchronous: these are inner loops. */
import { fromFloat16 } from './float16.js';

/** Smallest and largest finite element; `min > max` (Infinity, -Infinity) when there is none. */
export interface MinMax {
  readonly min: number;
  readonly max: number;
  /** NaN and infinite elements, which `min` and `max` leave out. */
  readonly nonFinite: number;
}

const NONE: MinMax = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, nonFinite: 0 };

/**
 * Minimum and maximum of float32 or float64 elements. Four lanes at a time; `x * 0` is NaN for exactly the elements
 * that are not finite, so one sum a lane tells whether the careful loop is needed.
 */
export function minMax(values: Float32Array | Float64Array): MinMax {
  const count = values.length;
  if (count === 0) return NONE;
  let min0 = Number.POSITIVE_INFINITY;
  let min1 = min0;
  let max0 = Number.NEGATIVE_INFINITY;
  let max1 = max0;
  let poison0 = 0;
  let poison1 = 0;
  const whole = count - (count % 4);
  for (let i = 0; i < whole; i += 4) {
    const a = values[i] as number;
    const b = values[i + 1] as number;
    const c = values[i + 2] as number;
    const d = values[i + 3] as number;
    if (a < min0) min0 = a;
    if (a > max0) max0 = a;
    if (b < min1) min1 = b;
    if (b > max1) max1 = b;
    if (c < min0) min0 = c;
    if (c > max0) max0 = c;
    if (d < min1) min1 = d;
    if (d > max1) max1 = d;
    poison0 += a * 0 + b * 0;
    poison1 += c * 0 + d * 0;
  }
  for (let i = whole; i < count; i++) {
    const a = values[i] as number;
    if (a < min0) min0 = a;
    if (a > max0) max0 = a;
    poison0 += a * 0;
  }
  if (poison0 + poison1 !== 0) return minMaxCareful(values);
  return { min: Math.min(min0, min1), max: Math.max(max0, max1), nonFinite: 0 };
}

function minMaxCareful(values: Float32Array | Float64Array): MinMax {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let nonFinite = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value !== 0) nonFinite++;
    else {
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return { min, max, nonFinite };
}

/** Minimum and maximum of FLOAT16 bits, compared as integers that sort like the numbers. */
export function minMaxFloat16(bits: Uint16Array): MinMax {
  let min = 0xffff;
  let max = -1;
  let nonFinite = 0;
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i] as number;
    if ((half & 0x7c00) === 0x7c00) {
      nonFinite++;
      continue;
    }
    const key = half & 0x8000 ? half ^ 0xffff : half | 0x8000;
    if (key < min) min = key;
    if (key > max) max = key;
  }
  if (max < 0) return { ...NONE, nonFinite };
  return { min: fromFloat16(fromSortKey(min)), max: fromFloat16(fromSortKey(max)), nonFinite };
}

function fromSortKey(key: number): number {
  return key & 0x8000 ? key & 0x7fff : key ^ 0xffff;
}
