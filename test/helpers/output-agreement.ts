/** How far the outputs of a changed graph may be from those of the original, and where they are farther. */
import type { Numerics } from '../../src/passes/pass.js';

/** What a lossy pass keeps at least where a case states no bound of its own: an error of 0.3 %, as of a layer in INT8. */
export const LOSSY_SQNR_DB = 50;

/**
 * The first difference that is too large, in words; undefined where there is none. Values that are not finite must be the same.
 *
 * @param numerics what the pass promises: the same bits, the same but for rounding, or a signal-to-noise ratio
 * @param sqnrDb a bound in dB for each output, instead of that of `numerics`
 */
export function outputDifference(
  expected: readonly (readonly number[])[],
  actual: readonly (readonly number[])[],
  numerics: Numerics,
  sqnrDb: number | undefined = numerics === 'lossy' ? LOSSY_SQNR_DB : undefined,
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} outputs instead of ${expected.length}`;
  for (const [index, wanted] of expected.entries()) {
    const got = actual[index] ?? [];
    if (got.length !== wanted.length) return `output ${index}: ${got.length} values instead of ${wanted.length}`;
    const isClose = sqnrDb === undefined ? closenessOf(numerics) : bothFinite;
    const at = wanted.findIndex((value, i) => !Object.is(got[i], value) && !isClose(got[i] as number, value));
    if (at >= 0) return `output ${index}: element ${at} is ${got[at]} instead of ${wanted[at]}`;
    const ratio = sqnr(wanted, got);
    if (sqnrDb !== undefined && ratio < sqnrDb) {
      return `output ${index}: SQNR ${ratio.toFixed(1)} dB instead of at least ${sqnrDb} dB`;
    }
  }
  return undefined;
}

function closenessOf(numerics: Numerics): (actual: number, expected: number) => boolean {
  if (numerics !== 'reassociates') return () => false;
  return (actual, expected) => Math.abs(actual - expected) <= 1e-5 + 1e-4 * Math.abs(expected);
}

function bothFinite(actual: number, expected: number): boolean {
  return Number.isFinite(actual) && Number.isFinite(expected);
}

/** Signal over noise in dB, over the finite values; Infinity where nothing differs. */
function sqnr(expected: readonly number[], actual: readonly number[]): number {
  let [signal, noise] = [0, 0];
  for (const [index, value] of expected.entries()) {
    if (!Number.isFinite(value)) continue;
    signal += value ** 2;
    noise += (value - (actual[index] as number)) ** 2;
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}
