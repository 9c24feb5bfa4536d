import type { BenchVerdict } from '../bench/results.js';

/** One broken gate breaks all; one that is not decided leaves all undecided. Undefined without gates. */
export function overall(verdicts: readonly (BenchVerdict | 'not-comparable')[]): BenchVerdict | undefined {
  const judged = verdicts.filter((verdict) => verdict !== 'not-comparable');
  if (judged.length === 0) return undefined;
  if (judged.includes('fail')) return 'fail';
  return judged.includes('inconclusive') ? 'inconclusive' : 'pass';
}
