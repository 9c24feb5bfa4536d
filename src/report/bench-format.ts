import type { MetricUnit } from '../gates/units.js';
import { formatSqnr } from './comparison-words.js';
import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent, formatRate } from './format.js';

/** `130 µs`, `4.20 ms`, `1.25 s`: three digits, zeros kept, as they were measured. */
export function formatLatency(ms: number): string {
  const { value, unit } = latencyParts(ms);
  return `${value} ${unit}`.trimEnd();
}

/** `4.18–4.30 ms`, `980 µs–1.02 ms`; `≥ 4.18 ms` where the interval is open upwards. */
export function formatLatencyRange(lowMs: number, highMs: number | undefined): string {
  if (highMs === undefined) return `≥ ${formatLatency(lowMs)}`;
  const [low, high] = [latencyParts(lowMs), latencyParts(highMs)];
  return low.unit === high.unit
    ? `${low.value}–${high.value} ${high.unit}`.trimEnd()
    : `${formatLatency(lowMs)}–${formatLatency(highMs)}`;
}

/** Parts of a whole with two digits, in the unit of the largest: `process 62, library 31, first run 1.9 ms`. */
export function formatLatencyParts(parts: readonly { readonly name: string; readonly ms: number }[]): string {
  const largest = parts.reduce((most, { ms }) => Math.max(most, ms), 0);
  const { unit, factor } = latencyUnit(largest);
  return `${parts.map(({ name, ms }) => `${name} ${twoDigits(ms / factor)}`).join(', ')} ${unit}`;
}

/** `236–240/s`. */
export function formatRateRange(low: number, high: number, unit = '/s'): string {
  return `${formatRate(low, '')}–${formatRate(high, unit)}`;
}

/** A number in the unit of its metric. */
export function formatMetricValue(value: number, unit: MetricUnit): string {
  return FORMATS[unit](value);
}

/** A metric's 95 % interval; undefined where there is none. */
export function formatMetricRange(
  low: number | undefined,
  high: number | undefined,
  unit: MetricUnit,
): string | undefined {
  if (low === undefined) return high === undefined ? undefined : `≤ ${FORMATS[unit](high)}`;
  if (high === undefined) return `≥ ${FORMATS[unit](low)}`;
  if (unit === 'ms') return formatLatencyRange(low, high);
  if (unit === '/s') return formatRateRange(low, high);
  // A dash would run into the sign of what follows or comes before.
  return `${FORMATS[unit](low)}${low < 0 ? ' to ' : '–'}${FORMATS[unit](high)}`;
}

const FORMATS: Readonly<Record<MetricUnit, (value: number) => string>> = {
  ms: formatLatency,
  '/s': (value) => formatRate(value),
  bytes: formatBytes,
  ratio: formatPercent,
  dB: formatSqnr,
  x: (value) => `${formatNumber(value)}×`,
  count: formatCount,
  nats: (value) => formatNumber(value),
};

function latencyParts(ms: number): { readonly value: string; readonly unit: string } {
  if (!Number.isFinite(ms)) return { value: '–', unit: '' };
  if (ms >= 59_950) {
    const [value = '', ...unit] = formatDuration(ms).split(' ');
    return { value, unit: unit.join(' ') };
  }
  const { unit, factor } = latencyUnit(ms);
  return { value: threeDigits(ms / factor), unit };
}

/** 0.9995 ms would round up to 1000 µs, which belongs to the next unit. */
function latencyUnit(ms: number): { readonly unit: string; readonly factor: number } {
  if (ms < 0.9995) return { unit: 'µs', factor: 0.001 };
  return ms < 999.5 ? { unit: 'ms', factor: 1 } : { unit: 's', factor: 1000 };
}

function twoDigits(value: number): string {
  return value < 9.95 && value >= 0.095 ? value.toPrecision(2) : value.toFixed(value < 0.095 ? 2 : 0);
}

function threeDigits(value: number): string {
  const magnitude = Math.abs(value);
  return value.toFixed(magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0);
}
