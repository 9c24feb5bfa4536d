/** How ranges of activations were chosen, in words and rows. */
import { formatSqnr } from './comparison-words.js';
import { formatPercent } from './format.js';
import type { CalibrationReport } from './types.js';

/** `min-max for 10 tensors, mse for 3`; undefined where no tensor was looked at by itself. */
export function observerCounts({ tensors = [] }: CalibrationReport): string | undefined {
  const counts = new Map<string, number>();
  for (const { observer } of tensors) counts.set(observer, (counts.get(observer) ?? 0) + 1);
  if (counts.size === 0) return undefined;
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([observer, count], i) => `${observer} for ${count}${i > 0 ? '' : count === 1 ? ' tensor' : ' tensors'}`)
    .join(', ');
}

/** What each choice of ranges gave on held-out samples: ranges, SQNR of each half, agreement, samples. */
export function triedRows({
  tried = [],
  observer,
}: CalibrationReport): { readonly cells: readonly string[]; readonly isChosen: boolean }[] {
  return tried.map(({ ranges, sqnrDb, agreement, samples, failed }) => ({
    cells: [
      ranges === 'auto' ? 'chosen for each tensor' : ranges,
      failed ?? (sqnrDb ?? []).map(formatSqnr).join(', '),
      agreement === undefined ? '' : formatPercent(agreement),
      samples === undefined ? '' : String(samples),
    ],
    isChosen: ranges === observer,
  }));
}
