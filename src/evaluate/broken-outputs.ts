import type { OutputDifference } from './comparison.js';

/** Whether an output cannot be compared, or lost numbers to NaN and infinity. */
export function isBroken({ incomparable, nonFinite }: OutputDifference): boolean {
  return incomparable !== undefined || nonFinite.lost > 0;
}

/** One clause on it. */
export function whyBroken({ name, incomparable, nonFinite }: OutputDifference): string {
  if (incomparable !== undefined) return `output "${name}" cannot be compared: ${incomparable}`;
  const values = nonFinite.lost === 1 ? 'value is' : 'values are';
  return `output "${name}" cannot be compared as a whole: ${nonFinite.lost} ${values} NaN or infinite where A has numbers`;
}
