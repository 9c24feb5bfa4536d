import { LEAST_EFFECT } from '../bench/least-effect.js';
import type { LatencyComparison } from '../bench/results.js';
import { formatDuration, formatNumber, plural } from './format.js';

/**
 * What the measurement says about B against A; `unclear` when 1 lies within the interval of the ratio, when there is no interval,
 * when the difference is below what counts as one, or when the times that each takes alone say the opposite.
 */
export function latencyVerdict(latency: LatencyComparison): 'faster' | 'slower' | 'unclear' {
  const { ratio, ratioLow, ratioHigh, p50MsA, p50MsB } = latency;
  if (ratioLow === undefined || ratioHigh === undefined) return 'unclear';
  if (ratioHigh < 1 && 1 / ratio >= 1 + LEAST_EFFECT) return p50MsB > p50MsA ? 'unclear' : 'faster';
  return ratioLow > 1 && ratio >= 1 + LEAST_EFFECT && p50MsB >= p50MsA ? 'slower' : 'unclear';
}

/** `2.9× faster (95 %: 2.7–3.1)`, `1.3× slower …`, `no clear difference`. */
export function latencyPhrase(latency: LatencyComparison): string {
  const verdict = latencyVerdict(latency);
  const { ratio, ratioLow, ratioHigh, runs } = latency;
  if (ratioLow === undefined || ratioHigh === undefined) {
    const what = ratio < 1 ? `${formatNumber(1 / ratio)}× faster` : `${formatNumber(ratio)}× slower`;
    return `${what} in ${plural(runs, 'run')}, too few for an interval`;
  }
  if (verdict === 'unclear') return 'no clear difference';
  return verdict === 'faster'
    ? `${formatNumber(1 / ratio)}× faster${ratioInterval(1 / ratioHigh, 1 / ratioLow)}`
    : `${formatNumber(ratio)}× slower${ratioInterval(ratioLow, ratioHigh)}`;
}

/** ` (95 %: 2.7–3.1)`, to stand after a ratio; an empty text where there is no interval. */
export function ratioInterval(low: number | undefined, high: number | undefined): string {
  return low === undefined || high === undefined ? '' : ` (95 %: ${formatNumber(low)}–${formatNumber(high)})`;
}

/** `p50 42.6 ms → 14.8 ms`. */
export function latencyChange(latency: LatencyComparison): string {
  return `p50 ${formatDuration(latency.p50MsA)} → ${formatDuration(latency.p50MsB)}`;
}
