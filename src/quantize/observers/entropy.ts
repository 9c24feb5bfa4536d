import type { HistogramSums } from './histogram-sums.js';
import { type Observer, within } from './observer.js';

/** Bins of the histogram that is compared, over [−T, T] with T the largest magnitude. */
export const ENTROPY_BINS = 2048;
/** Levels that it is merged to. */
export const ENTROPY_LEVELS = 128;
/** Least probability of a bin of the merged histogram, where the other has values. */
const FLOOR = 1e-10;

/**
 * The symmetric range whose histogram loses least information by quantization: for each window of bins around zero, P is the histogram with
 * everything outside put into its outermost bins, and Q the window merged to 128 levels and spread over the bins that P has values in; the
 * window with the smallest Kullback-Leibler divergence of P from Q is taken. As in TensorRT and ONNX Runtime, on 2,048 bins. Source: Migacz,
 * "8-bit Inference with TensorRT", GTC 2017.
 */
export const entropyRange: Observer = (observed) => {
  const largest = Math.max(-observed.min, observed.max);
  if (largest === 0) return { min: 0, max: 0 };
  const counts = rebinned(observed.sums, largest, ENTROPY_BINS);
  const threshold = (largest * entropyWindow(counts, ENTROPY_LEVELS)) / (counts.length / 2);
  return within({ min: -threshold, max: threshold }, observed);
};

/** The histogram on equal bins over [−largest, largest], in whole counts. */
function rebinned(sums: HistogramSums, largest: number, bins: number): Float64Array {
  const counts = new Float64Array(bins);
  const half = bins / 2;
  let before = 0;
  for (let i = 0; i < bins; i++) {
    const below = i === bins - 1 ? sums.total : Math.round(sums.countBelow((largest * (i + 1 - half)) / half));
    counts[i] = below - before;
    before = below;
  }
  return counts;
}

/**
 * Half the width, in bins, of the window around the middle with the smallest divergence. With running sums a window costs one logarithm a
 * level, whatever its width.
 */
export function entropyWindow(counts: Float64Array, levels: number): number {
  const total = new Float64Array(counts.length + 1);
  const nonZero = new Float64Array(counts.length + 1);
  const information = new Float64Array(counts.length + 1);
  for (const [i, count] of counts.entries()) {
    total[i + 1] = (total[i] as number) + count;
    nonZero[i + 1] = (nonZero[i] as number) + (count > 0 ? 1 : 0);
    information[i + 1] = (information[i] as number) + (count > 0 ? count * Math.log(count) : 0);
  }
  const sums = { counts, total, nonZero, information };
  const half = counts.length / 2;
  let best = half;
  let least = Number.POSITIVE_INFINITY;
  for (let width = levels / 2; width <= half; width++) {
    const divergence = windowDivergence(sums, half - width, half + width, levels);
    if (divergence < least) {
      least = divergence;
      best = width;
    }
  }
  return best;
}

interface RunningSums {
  readonly counts: Float64Array;
  readonly total: Float64Array;
  readonly nonZero: Float64Array;
  readonly information: Float64Array;
}

/** Divergence of P from Q for the bins from `from` to `to`. */
function windowDivergence(sums: RunningSums, from: number, to: number, levels: number): number {
  const { counts, total, nonZero, information } = sums;
  const all = total[counts.length] as number;
  const inside = (total[to] as number) - (total[from] as number);
  if (inside === 0) return Number.POSITIVE_INFINITY;
  const first = counts[from] as number;
  const last = counts[to - 1] as number;
  const left = total[from] as number;
  const right = all - (total[to] as number);
  // Σ p log p, where the outermost bins hold what is outside.
  let divergence = (information[to] as number) - (information[from] as number);
  divergence += gain(first, left) + gain(last, right);
  // Bins that have values only because of what is outside count for Q as well.
  const extraFirst = first === 0 && left > 0 ? 1 : 0;
  const extraLast = last === 0 && right > 0 ? 1 : 0;
  const perLevel = Math.floor((to - from) / levels);
  for (let level = 0; level < levels; level++) {
    const start = from + level * perLevel;
    const end = level === levels - 1 ? to : start + perLevel;
    const mass = (total[end] as number) - (total[start] as number);
    let bins = (nonZero[end] as number) - (nonZero[start] as number);
    let outside = 0;
    if (level === 0) {
      bins += extraFirst;
      outside += left;
    }
    if (level === levels - 1) {
      bins += extraLast;
      outside += right;
    }
    // A level without values adds nothing.
    if (bins > 0 && mass + outside > 0)
      divergence -= (mass + outside) * Math.log(Math.max(mass / bins / inside, FLOOR));
  }
  return divergence / all - Math.log(all);
}

/** What Σ p log p gains where `outside` joins `count`. */
function gain(count: number, outside: number): number {
  const joined = count + outside;
  return (joined > 0 ? joined * Math.log(joined) : 0) - (count > 0 ? count * Math.log(count) : 0);
}
