/** Figures as text, with what may be missing: JSON gives null for what was not finite. */
import type { QuantileReport } from '../../bench/results.js';
import type { MetricUnit } from '../../gates/units.js';
import { formatMetricRange } from '../bench-format.js';
import { formatNumber } from '../format.js';

/** Stands where there is no figure. */
export const MISSING = '–';

type Format = (value: number) => string;

/** A figure, or a dash where there is none. */
export function figureText(value: number | null | undefined, format: Format): string {
  return isFigure(value) ? format(value) : MISSING;
}

/** Whether there is something to show or draw. */
export function isFigure(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** `4.12–4.43 ms`, `≥ 4.12 ms`; undefined where no end is known. */
export function intervalText(low: number | undefined, high: number | undefined, unit: MetricUnit): string | undefined {
  return formatMetricRange(isFigure(low) ? low : undefined, isFigure(high) ? high : undefined, unit);
}

/** `1.101`: ratios close to 1, all with the same digits. */
export function ratioText(ratio: number): string {
  return ratio >= 0.1 && ratio < 100 ? ratio.toFixed(3) : formatNumber(ratio, 4);
}

/** An interval, marked as such; undefined where there is none. */
export function intervalDetail(
  low: number | undefined,
  high: number | undefined,
  unit: MetricUnit,
): string | undefined {
  const interval = intervalText(low, high, unit);
  return interval === undefined ? undefined : `95 %: ${interval}`;
}

/** A quantile's interval, or why it has no value. */
export function quantileDetail({ ms, lowMs, highMs, why }: QuantileReport): string | undefined {
  return (isFigure(ms) ? intervalDetail(lowMs, highMs, 'ms') : undefined) ?? why;
}
