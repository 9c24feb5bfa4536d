import { formatNumber } from './format.js';
import type { PruneReport } from './prune-types.js';

/** `63 % of the weights`. */
export function sparsityPhrase({ weights }: PruneReport): string {
  const elements = weights.reduce((sum, each) => sum + each.elements, 0);
  const zeros = weights.reduce((sum, each) => sum + each.zeros, 0);
  return `${formatNumber((100 * zeros) / Math.max(1, elements))} % of the weights`;
}

/** How the cut was checked. */
export function cutSentence({ cut }: PruneReport): string | undefined {
  if (cut === undefined) return undefined;
  const alike =
    cut.sqnrDb === Number.POSITIVE_INFINITY ? 'bit for bit' : `within rounding (${formatNumber(cut.sqnrDb)} dB)`;
  return `the cut computes what the original computes with the same units set to zero, ${alike}`;
}
