import { ServeOptError } from '../../errors.js';
import { parseBytes } from '../../tensor/byte-size.js';
import type { Growth } from '../options.js';

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
  const [, share] = /^(\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  if (share !== undefined) return Math.floor((sizeBytes * Number(share)) / 100);
  const bytes = parseBytes(text);
  if (bytes === undefined) throw notAllowed(growth);
  return bytes;
}

function notAllowed(text: string): ServeOptError {
  return new ServeOptError('SO1006', `"${text}" is no limit of growth`, {
    why: 'it is bytes with a unit, a share of the file, or none for no limit',
    hint: 'write 500kB, 2MiB, 5% or none',
  });
}
