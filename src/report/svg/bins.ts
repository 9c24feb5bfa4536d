import { atRank } from './samples.js';
import { createScale, type Scale, scaleKind } from './scale.js';

/** How many samples lie from `low` up to `high`; the last bin includes its end. */
export interface Bin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Bins of equal width on a linear axis, of equal ratio on a logarithmic one. */
export interface Bins {
  readonly kind: Scale['kind'];
  readonly bins: readonly Bin[];
}

const FEWEST = 24;
const MOST = 60;

/** The kind of axis for sorted samples. */
export function kindFor(sorted: Float64Array): Scale['kind'] {
  return scaleKind(sorted[0] ?? 0, atRank(sorted, 0.5), sorted.at(-1) ?? 0);
}

/**
 * Bins by the rule of Freedman and Diaconis (1981): width 2·IQR·n^(-1/3), here on the axis that is drawn, within limits.
 * Equal samples are one bin.
 */
export function binSamples(sorted: Float64Array, kind: Scale['kind'], most = MOST): Bins {
  const low = sorted[0] ?? 0;
  const high = sorted.at(-1) ?? 0;
  if (sorted.length === 0) return { kind, bins: [] };
  if (high === low) return { kind, bins: [{ low, high, count: sorted.length }] };
  const bend = kind === 'log' ? Math.log : (v: number): number => v;
  const spread = bend(atRank(sorted, 0.75)) - bend(atRank(sorted, 0.25));
  const wanted = (bend(high) - bend(low)) / ((2 * spread) / Math.cbrt(sorted.length));
  // Two heaps have a wide middle: the rule alone would make them two bars.
  const fewest = Math.min(FEWEST, most, Math.ceil(Math.sqrt(sorted.length)));
  const count = Math.min(most, Math.max(fewest, Math.ceil(Number.isFinite(wanted) ? wanted : most)));
  const place = createScale(kind, low, high, [0, count]);
  const counts = new Uint32Array(count);
  for (const ms of sorted) {
    const bin = Math.min(count - 1, Math.floor(place.at(ms)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const edge = (i: number): number =>
    kind === 'log' ? low * (high / low) ** (i / count) : low + ((high - low) * i) / count;
  return { kind, bins: Array.from(counts, (n, i) => ({ low: edge(i), high: edge(i + 1), count: n })) };
}
