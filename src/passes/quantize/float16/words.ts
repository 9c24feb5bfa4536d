import type { ValueRange } from '../../../quantize/value-range.js';

/** `-3.2 to 71000`. */
export function formatRange({ min, max }: ValueRange): string {
  return `${formatRangeNumber(min)} to ${formatRangeNumber(max)}`;
}

export function formatRangeNumber(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
