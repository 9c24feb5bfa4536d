/** Figures as text, with what may be missing: JSON gives null for what was not finite. */
import type { EstimateReport, QuantileReport } from '../bench-types.js';
import { formatDuration, formatNumber } from '../format.js';

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

/** `4.12 – 4.43 ms`, `4.1 ms or more`; undefined where no end is known. */
export function intervalText(low: number | undefined, high: number | undefined, format: Format): string | undefined {
  if (isFigure(low) && isFigure(high)) return rangeText(low, high, format);
  if (isFigure(low)) return `${format(low)} or more`;
  return isFigure(high) ? `${format(high)} or less` : undefined;
}

/** Both ends, with the unit once where they share it. Times get a third digit: the ends of an interval lie close. */
export function rangeText(low: number, high: number, format: Format): string {
  if (format === formatDuration && low >= 0 && high < 999.5) return `${threeDigits(low)} – ${threeDigits(high)} ms`;
  const [first, last] = [format(low), format(high)];
  const unit = /(?: [a-zA-Zµ%]+|\/s)$/.exec(last)?.[0] ?? '';
  return `${unit !== '' && first.endsWith(unit) ? first.slice(0, -unit.length) : first} – ${last}`;
}

/** `4.20`: zeros are kept, as they are digits that were measured. */
function threeDigits(value: number): string {
  return value === 0 || value < 1e-4 ? formatNumber(value) : value.toPrecision(3);
}

/** `1.101`: ratios close to 1, all with the same digits. */
export function ratioText(ratio: number): string {
  return ratio >= 0.1 && ratio < 100 ? ratio.toFixed(3) : formatNumber(ratio, 4);
}

/** An estimate's interval, marked as such. */
export function estimateDetail(estimate: EstimateReport | undefined, format: Format): string | undefined {
  const interval = intervalText(estimate?.low, estimate?.high, format);
  return interval === undefined ? undefined : `95 %: ${interval}`;
}

/** A quantile's interval, or why it has no value. */
export function quantileDetail({ ms, lowMs, highMs, why }: QuantileReport): string | undefined {
  const interval = isFigure(ms) ? intervalText(lowMs, highMs, formatDuration) : undefined;
  return interval === undefined ? why : `95 %: ${interval}`;
}
