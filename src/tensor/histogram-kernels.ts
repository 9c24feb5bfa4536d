/**
 * The SIMD loops of histogram.wat, for histograms of 16,384 bins on each side of zero. JavaScript takes two to three nanoseconds for an element,
 * and calibration sees hundreds of millions; results are the same as those of plain loops, which remain for short arrays.
 */
import { HISTOGRAM_BASE64 } from './histogram.generated.js';
import { instantiate } from './web-assembly.js';

/** Bins on each side of zero. */
export const BINS_PER_SIDE = 16384;
/** How many elements the source holds: as many as stay in the first-level cache beside the bins that most of them are in. */
export const HISTOGRAM_BLOCK = 4096;

/** Kernels over the scratch memory, which all callers share: count, then take, with nothing else in between. */
export interface HistogramKernels {
  /** The source block, of `HISTOGRAM_BLOCK` elements. */
  readonly floats: Float32Array;
  /** Smallest and largest of the first `count` elements, a multiple of 4; undefined where one of them is not finite. */
  rangeOf(count: number): { readonly min: number; readonly max: number } | undefined;
  /** Counts the first `count` elements, a multiple of 4, of which none is `BINS_PER_SIDE / inverse` from zero. @param inverse a power of two */
  count(count: number, inverse: number): void;
  /** What was counted since the last time, from the lowest bin on; emptied by the caller before the next element is counted. */
  take(): Uint32Array;
}

/** What histogram.wat exports; places are byte offsets. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  range(count: number, target: number): void;
  count(count: number, inverse: number, zero: number): void;
  join(first: number): void;
}

const LANES = 4;
const RANGE = HISTOGRAM_BLOCK * 4;
const TABLES = RANGE + 3 * 4 * LANES;

/** A cache of compiled code and scratch memory, made at the first use; null where the machine has no SIMD. No result depends on it. */
let made: HistogramKernels | null | undefined;

/** The kernels, or undefined where WebAssembly or its SIMD is missing. */
export function histogramKernels(): HistogramKernels | undefined {
  if (made === undefined) made = makeKernels();
  return made ?? undefined;
}

function makeKernels(): HistogramKernels | null {
  const wasm = instantiate(HISTOGRAM_BASE64) as Exports | undefined;
  if (!wasm) return null;
  const { buffer } = wasm.memory;
  const lanes = new Float32Array(buffer, RANGE, 3 * LANES);
  const table = new Uint32Array(buffer, TABLES, 2 * BINS_PER_SIDE);
  return {
    floats: new Float32Array(buffer, 0, HISTOGRAM_BLOCK),
    rangeOf(count) {
      wasm.range(count, RANGE);
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0] = lanes;
      return i + j + k + l === 0 ? { min: Math.min(a, b, c, d), max: Math.max(e, f, g, h) } : undefined;
    },
    count: (count, inverse) => wasm.count(count, inverse, TABLES + BINS_PER_SIDE * 4),
    take() {
      wasm.join(TABLES);
      return table;
    },
  };
}
