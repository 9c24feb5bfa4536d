import { budgetPhrase, budgetStory } from './budget-words.js';
import { formatSqnr } from './comparison-words.js';
import { formatNumber, plural } from './format.js';
import type { CutCheckReport, DroppedBlockReport, PruneAttemptReport, PruneReport } from './prune-types.js';

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
  if (fitted.length === 0) return `none of ${plural(repair.length, 'layer')} behind what went was fitted anew`;
  const measured = fitted.flatMap(({ before, after }) =>
    before === undefined || after === undefined || before === 0 ? [] : [{ after, gain: 1 - after / before }],
  );
  if (measured.length === 0) return `${plural(fitted.length, 'layer')} fitted anew`;
  const percent = (values: readonly number[]): string => {
    const sorted = [...values].sort((a, b) => a - b);
    return `${formatNumber(100 * (sorted[Math.floor(sorted.length / 2)] as number), 2)} %`;
  };
  const [gain, left] = [percent(measured.map((each) => each.gain)), percent(measured.map(({ after }) => after))];
  const subject =
    fitted.length === 1
      ? '1 layer was fitted anew: its error'
      : `${plural(fitted.length, 'layer')} were fitted anew: their error`;
  const middle = fitted.length === 1 ? '' : ' (medians)';
  return `${subject} on held-out samples fell by ${gain}, to ${left} of the outputs${middle}`;
}

/** How the cut was checked. */
export function cutSentence({ cut }: PruneReport): string | undefined {
  if (cut === undefined) return undefined;
  const alike =
    cut.sqnrDb === Number.POSITIVE_INFINITY ? 'bit for bit' : `within rounding (${formatNumber(cut.sqnrDb)} dB)`;
  const { dead = [], unseen = [] } = cut;
  const lifted = dead.filter((name) => !unseen.includes(name));
  const beside =
    lifted.length === 0
      ? ''
      : `; on ${plural(cut.samples, 'sample')}, layers read zeros alone of ${namedSome(lifted)}, so that numbers were added there`;
  return `the cut computes what the original computes with the same units set to zero, ${alike}${beside}`;
}

/** What a check of a cut did not see; undefined where it saw all. */
export function unseenSentence({ samples, unseen = [] }: CutCheckReport): string | undefined {
  if (unseen.length === 0) return undefined;
  return `The check of the cut says nothing of ${namedSome(unseen)}: on ${plural(samples, 'sample')}, layers read zeros alone of it.`;
}

/** Names that a sentence has room for. */
const MOST_NAMED = 3;

function namedSome(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED;
  const first = names.slice(0, MOST_NAMED).map((name) => `"${name}"`);
  return rest > 0 ? `${first.join(', ')} and ${plural(rest, 'other group')}` : first.join(', ');
}

/** How units were spread over groups, where not evenly, and in how many steps. */
export function allocationSentence({ allocation, steps, groups }: PruneReport): string | undefined {
  const words = {
    uniform: undefined,
    global: 'units of all groups were weighed against each other by their scores',
    sensitivity: 'widths were chosen by how much the outputs change where each group is cut alone',
    latency: 'widths were chosen by the measured time of each layer',
  } as const;
  if (groups.length === 0) return undefined;
  const parts = [
    ...(allocation === undefined || words[allocation] === undefined ? [] : [words[allocation]]),
    ...(steps === undefined ? [] : [`cut in ${steps} steps, each scored anew`]),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** How close the outputs stayed without a block and those dropped before it. */
export function changeWords({ change }: DroppedBlockReport): string {
  if (change === undefined) return '';
  return change > 0 && Number.isFinite(change) ? formatSqnr(-10 * Math.log10(change)) : change > 0 ? 'lost' : 'equal';
}

/** What an attempt measured. */
export function attemptWords({ speedUp, budgets = [] }: PruneAttemptReport): string {
  if (speedUp !== undefined) return `${speedUp.toFixed(2)}x as fast as the original`;
  return budgets
    .map(
      (budget) => `${budget.verdict === 'pass' ? 'keeps' : 'misses'} ${budgetPhrase(budget)}: ${budgetStory(budget)}`,
    )
    .join('; ');
}
