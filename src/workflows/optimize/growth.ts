import { ServeOptError } from '../../errors.js';
import type { Growth } from '../options.js';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/**
 * Bytes that a model of `sizeBytes` may grow by: `500 kB`, `2MiB`, `5%`, a number of bytes; Infinity for `none` and
 * `unlimited`, which mean no limit. @throws SO1006 for anything else
 */
export function growthBytes(growth: Growth, sizeBytes: number): number {
  if (typeof growth === 'number') {
    if (growth >= 0) return growth;
    throw notAllowed(String(growth));
  }
  const text = growth.trim().toLowerCase();
  if (text === 'none' || text === 'unlimited') return Number.POSITIVE_INFINITY;
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*(%|[kmg]?i?b?)$/.exec(text) ?? [];
  if (digits === undefined) throw notAllowed(growth);
  if (unit === '%') return Math.floor((sizeBytes * Number(digits)) / 100);
  const factor = UNITS[unit];
  if (factor === undefined) throw notAllowed(growth);
  return Math.floor(Number(digits) * factor);
}

function notAllowed(text: string): ServeOptError {
  return new ServeOptError('SO1006', `"${text}" is no limit of growth`, {
    why: 'it is bytes with a unit, a share of the file, or none for no limit',
    hint: 'write 500kB, 2MiB, 5% or none',
  });
}
