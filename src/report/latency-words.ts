import { formatDuration, formatNumber } from './format.js';
import type { LatencyComparison } from './types.js';

/** What the measurement says about B against A; `unclear` when 1 lies within the interval of the ratio. */
export function latencyVerdict(latency: LatencyComparison): 'faster' | 'slower' | 'unclear' {
  if (latency.ratioHigh < 1) return 'faster';
  return latency.ratioLow > 1 ? 'slower' : 'unclear';
}

/** `2.9× faster (95 %: 2.7–3.1)`, `1.3× slower …`, `no clear difference`. */
export function latencyPhrase(latency: LatencyComparison): string {
  const verdict = latencyVerdict(latency);
  if (verdict === 'unclear') return 'no clear difference';
  const { ratio, ratioLow, ratioHigh } = latency;
  const times = (value: number) => formatNumber(value);
  return verdict === 'faster'
    ? `${times(1 / ratio)}× faster (95 %: ${times(1 / ratioHigh)}–${times(1 / ratioLow)})`
    : `${times(ratio)}× slower (95 %: ${times(ratioLow)}–${times(ratioHigh)})`;
}

/** `p50 42.6 ms → 14.8 ms`. */
export function latencyChange(latency: LatencyComparison): string {
  return `p50 ${formatDuration(latency.p50MsA)} → ${formatDuration(latency.p50MsB)}`;
}
