import { ServeOptError } from '../../errors.js';
import { parseBytes } from '../../tensor/byte-size.js';
import type { Growth } from '../options.js';

/** A share of a small file would forbid what takes names and attributes only: it is so many bytes at least. */
const LEAST_SHARE_BYTES = 512;

/**
 * Bytes that a model of `sizeBytes` may grow by: `500 kB`, `2MiB`, a number of bytes; `5%`, or 512 bytes where that is less;
 * Infinity for `none` and `unlimited`, which mean no limit. @throws SO1006 for anything else
 */
export function growthBytes(growth: Growth, sizeBytes: number): number {
  if (typeof growth === 'number') {
    if (growth >= 0) return growth;
    throw notAllowed(String(growth));
  }
  const text = growth.trim().toLowerCase();
  if (text === 'none' || text === 'unlimited') return Number.POSITIVE_INFINITY;
  const [, share] = /^(\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  if (share !== undefined)
    return Number(share) === 0 ? 0 : Math.max(LEAST_SHARE_BYTES, Math.floor((sizeBytes * Number(share)) / 100));
  const bytes = parseBytes(text);
  if (bytes === undefined) throw notAllowed(growth);
  return bytes;
}

function notAllowed(text: string): ServeOptError {
  return new ServeOptError('SO1006', `"${text}" is not a growth limit`, {
    why: 'it must be a size with a unit, a percentage of the file size, or none',
    hint: 'write 500kB, 2MiB, 5% or none',
  });
}
