import { ServeOptError } from '../errors.js';
import type { SparsePattern } from './weight-masks.js';

/** Reads `2:4`. @throws SO1006 */
export function parsePattern(text: string): SparsePattern {
  const [, kept = '', of = ''] = /^(\d{1,3}):(\d{1,3})$/.exec(text) ?? [];
  const pattern = { kept: Number(kept), of: Number(of) };
  if (pattern.kept >= 1 && pattern.kept < pattern.of && pattern.of <= 256) return pattern;
  throw new ServeOptError('SO1006', `The value "${text}" of --pattern is not allowed`, {
    why: 'it is N:M, with N of every M weights kept and N below M',
    hint: 'write --pattern 2:4',
  });
}

/** An amount of units or weights. @throws SO1006 */
export function checkAmount(amount: number): void {
  if (amount > 0 && (amount < 1 || Number.isInteger(amount))) return;
  throw new ServeOptError('SO1006', `The value "${amount}" of --amount is not allowed`, {
    why: 'it must be a share above 0 and below 1, or a whole number of units or weights',
    hint: 'write --amount 0.3',
  });
}
