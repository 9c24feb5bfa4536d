import { formatNumber, plural } from './format.js';
import type { PruneReport } from './prune-types.js';

/** `63 % of the weights`. */
export function sparsityPhrase({ weights }: PruneReport): string {
  const elements = weights.reduce((sum, each) => sum + each.elements, 0);
  const zeros = weights.reduce((sum, each) => sum + each.zeros, 0);
  return `${formatNumber((100 * zeros) / Math.max(1, elements))} % of the weights`;
}

/** `12 layers were fitted anew: their median error on held-out samples fell from 41 % to 12 % of their outputs`. */
export function repairSentence({ repair }: PruneReport): string | undefined {
  const fitted = repair.filter(({ left }) => left === undefined);
  if (repair.length === 0) return undefined;
  if (fitted.length === 0) return `none of ${plural(repair.length, 'layer')} behind the cut was fitted anew`;
  const median = (errors: readonly (number | undefined)[]): string => {
    const known = errors.filter((error) => error !== undefined).sort((a, b) => a - b);
    return `${formatNumber(100 * (known[Math.floor(known.length / 2)] ?? Number.NaN), 2)} %`;
  };
  const [before, after] = [median(fitted.map((each) => each.before)), median(fitted.map((each) => each.after))];
  const subject =
    fitted.length === 1
      ? '1 layer was fitted anew: its error'
      : `${plural(fitted.length, 'layer')} were fitted anew: their median error`;
  return `${subject} on held-out samples fell from ${before} to ${after} of the outputs`;
}

/** How the cut was checked. */
export function cutSentence({ cut }: PruneReport): string | undefined {
  if (cut === undefined) return undefined;
  const alike =
    cut.sqnrDb === Number.POSITIVE_INFINITY ? 'bit for bit' : `within rounding (${formatNumber(cut.sqnrDb)} dB)`;
  return `the cut computes what the original computes with the same units set to zero, ${alike}`;
}
