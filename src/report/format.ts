/** Numbers for people: three significant digits, a true minus sign, a space before the unit. JSON gets raw numbers. */
import { formatBytes } from '../tensor/byte-size.js';

const MINUS = '−';

export { formatBytes };

/** `25.6 M`, `1.2 k`: parameters and operations. Below 10 000 the number itself. */
export function formatCount(count: number): string {
  return Math.abs(count) < 10_000 ? formatInteger(count) : scaled(count, 1000, ['', 'k', 'M', 'G', 'T', 'P']);
}

/** `12 345` is `12,345`. */
export function formatInteger(value: number): string {
  const digits = Math.abs(Math.round(value)).toString();
  return sign(value) + digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `0.42 ms`, `18 ms`, `3.1 s`, `2 min 5 s`. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return `${formatNumber(durationMs)} ms`;
  if (durationMs < 9.95) return `${twoDigits(durationMs)} ms`;
  if (durationMs < 999.5) return `${significant(durationMs, 3)} ms`;
  const seconds = durationMs / 1000;
  if (seconds < 59.95) return `${significant(seconds, seconds < 10 ? 2 : 3)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `0.037`, `0.30`, `4.3`: zeros are kept, as they are digits that were measured. */
function twoDigits(value: number): string {
  if (value <= 0) return '0';
  return value.toFixed(Math.min(6, 1 - Math.floor(Math.log10(value))));
}

/** `8.42/s`, `238/s`, `12,345/s`; ` tokens/s` is another unit. */
export function formatRate(perSecond: number, unit = '/s'): string {
  if (!Number.isFinite(perSecond)) return `${formatNumber(perSecond)}${unit}`;
  return `${Math.abs(perSecond) < 999.5 ? significant(perSecond, 3) : formatInteger(perSecond)}${unit}`;
}

/** A figure in the unit of its metric. */
export function formatMetric(value: number, unit: 'ms' | '/s' | 'bytes' | 'ratio'): string {
  return METRIC_FORMATS[unit](value);
}

const METRIC_FORMATS = { ms: formatDuration, '/s': formatRate, bytes: formatBytes, ratio: formatNumber };

/** A fraction as `98.7 %`. What is not all or nothing never rounds to 100 % or 0 %. */
export function formatPercent(fraction: number): string {
  const percent = fraction * 100;
  if (!Number.isFinite(percent) || percent === 100 || percent === 0) return `${formatNumber(percent)} %`;
  if (percent > 99.9 && percent < 100) return `${Math.min(percent, 99.99).toFixed(2)} %`;
  return `${Math.abs(percent) < 9.95 ? significant(percent, 2) : percent.toFixed(1)} %`;
}

/** How far `after` is from `before`: `−74 %`, `+3.1 %`, `±0 %`. */
export function formatChange(before: number, after: number): string {
  if (before === 0) return after === 0 ? '±0 %' : 'new';
  const percent = (after / before - 1) * 100;
  if (Math.abs(percent) < 0.05) return '±0 %';
  const rounded =
    Math.abs(percent) < 10 ? Math.abs(percent).toFixed(1).replace(/\.0$/, '') : Math.round(Math.abs(percent));
  return `${percent < 0 ? MINUS : '+'}${rounded} %`;
}

/** The difference of two fractions in points: `−0.2 pt`. */
export function formatPoints(difference: number): string {
  const points = difference * 100;
  if (Math.abs(points) < 0.005) return '±0 pt';
  const digits = Math.abs(points) < 0.1 ? 2 : 1;
  return `${points < 0 ? MINUS : '+'}${Math.abs(points).toFixed(digits)} pt`;
}

/** A plain number with `digits` significant digits; exponents for the very small and very large. */
export function formatNumber(value: number, digits = 3): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? `${MINUS}∞` : '∞';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e7)) {
    return (
      sign(value) +
      magnitude
        .toExponential(digits - 1)
        .replace('e+', 'e')
        .replace('-', MINUS)
    );
  }
  return significant(value, digits);
}

/** `1 node`, `2 nodes`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatInteger(count)} ${Math.abs(count) === 1 ? noun : nouns}`;
}

function sign(value: number): string {
  return value < 0 ? MINUS : '';
}

function significant(value: number, digits: number): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  const magnitude = Math.abs(value);
  if (magnitude === 0) return '0';
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(magnitude)));
  const text = magnitude.toFixed(Math.min(decimals, 20));
  return sign(value) + (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let rest = Math.abs(value);
  let unit = 0;
  // 999.5 would round up to 1000, which belongs to the next unit.
  while (rest >= base - 0.5 && unit < units.length - 1) {
    rest /= base;
    unit++;
  }
  const number = unit === 0 ? String(Math.round(rest)) : significantFixed(rest);
  return `${sign(value)}${number} ${units[unit]}`.trimEnd();
}

/** Three digits without dropping zeros: sizes in a column should look alike. */
function significantFixed(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

/** A clause that begins a sentence. */
export function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** A clause as a sentence; an empty text stays one. */
export function sentence(text: string): string {
  return text === '' ? '' : `${capital(text)}.`;
}
