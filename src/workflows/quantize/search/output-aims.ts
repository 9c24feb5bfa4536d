/** What the outputs of a quantized model have to hold where nobody set a goal and nothing is labelled. */
import { isBroken, whyBroken } from '../../../evaluate/broken-outputs.js';
import type { ComparisonResult, OutputDifference } from '../../../evaluate/comparison.js';
import type { Proportion } from '../../../evaluate/proportion.js';
import { formatSqnr } from '../../../report/comparison-words.js';
import { formatNumber, formatPercent, plural } from '../../../report/format.js';
import type { SearchStepReport } from '../../../report/search-types.js';
import { JUDGEMENT } from '../../comparison-warnings.js';

/**
 * Limits by what an output is. Class scores: 99 % of the predictions, and distributions that are close on average, which shows a loss on
 * fewer samples than predictions do. Sequences: 0.5 % of the tokens. Other values: noise of 1 % of the power, and no channel lost.
 */
export const OUTPUT_AIMS = {
  agreement: 0.99,
  divergence: 0.005,
  tokens: 0.005,
  sqnrDb: JUDGEMENT.sqnrDb,
} as const;

/** A limit, and where an output stands. */
interface Standing {
  readonly output: string;
  readonly metric: string;
  readonly measured: number;
  readonly low?: number;
  readonly high?: number;
  readonly holds: boolean;
  /** `KL 0.11 (95 %: 0.047 to 0.17)`. */
  readonly figure: string;
  /** `at most 0.01`. */
  readonly limit: string;
}

/** Holds outputs on samples that calibrated nothing against what they should keep. */
export function judgeOutputs({ outputs }: ComparisonResult): Omit<SearchStepReport, 'keptLayers'> {
  const compared = outputs.filter(({ random }) => !random);
  const broken = compared.find(isBroken);
  if (broken) return { verdict: 'fail', why: whyBroken(broken) };
  const standings = compared.flatMap(standingsOf);
  const failed = standings.find(({ holds }) => !holds);
  const told = failed ?? standings[0];
  if (!told) return { verdict: 'pass', why: 'no output can be compared' };
  const { output, metric, measured, low, high, figure, limit } = told;
  return {
    verdict: failed ? 'fail' : 'pass',
    metric,
    measured,
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
    why: `output "${output}": ${figure}, ${limit} is aimed at`,
  };
}

/** What breaks its limit comes with the most telling figure first. */
function standingsOf(difference: OutputDifference): Standing[] {
  switch (difference.measure?.kind) {
    case 'sequences':
      return [...tokens(difference), ...divergence(difference)];
    case 'classes':
      return [...share(difference.name, 'agreement', difference.top1Agreement), ...divergence(difference)];
    case 'decisions':
      return [...share(difference.name, 'agreement', difference.sameDecisions), ...noise(difference)];
    case 'values':
      return [...noise(difference), ...channel(difference)];
    default:
      return [];
  }
}

/** Of few samples one may change: nothing can be told from it. */
function share(output: string, metric: string, same: Proportion | undefined): Standing[] {
  if (!same || same.n === 0) return [];
  const { value, n, low, high } = same;
  const changed = Math.round((1 - value) * n);
  return [
    {
      output,
      metric,
      measured: value,
      low,
      high,
      holds: value >= OUTPUT_AIMS.agreement || changed <= 1,
      figure: `${formatPercent(value)} of ${plural(n, 'prediction')} stay the same (95 %: ${formatPercent(low)} to ${formatPercent(high)})`,
      limit: `at least ${formatPercent(OUTPUT_AIMS.agreement)}`,
    },
  ];
}

function divergence({ name, divergence: found }: OutputDifference): Standing[] {
  if (!found) return [];
  const { value, low, high } = found;
  return [
    {
      output: name,
      metric: 'divergence',
      measured: value,
      low,
      high,
      holds: value <= OUTPUT_AIMS.divergence,
      figure: `KL divergence ${formatNumber(value)} nats (95 %: ${formatNumber(low)} to ${formatNumber(high)})`,
      limit: `at most ${OUTPUT_AIMS.divergence}`,
    },
  ];
}

function tokens({ name, sequences }: OutputDifference): Standing[] {
  if (!sequences || sequences.tokens === 0) return [];
  const { edits, tokens: all } = sequences;
  return [
    {
      output: name,
      metric: 'token edits',
      measured: edits / all,
      // Of few tokens one may differ: nothing can be told from it.
      holds: edits <= Math.max(1, OUTPUT_AIMS.tokens * all),
      figure: `${edits} of ${plural(all, 'token')} differ`,
      limit: `at most ${formatPercent(OUTPUT_AIMS.tokens)}`,
    },
  ];
}

function noise({ name, sqnrDb }: OutputDifference): Standing[] {
  if (sqnrDb === undefined || Number.isNaN(sqnrDb)) return [];
  return [
    {
      output: name,
      metric: 'sqnr',
      measured: sqnrDb,
      holds: sqnrDb >= OUTPUT_AIMS.sqnrDb,
      figure: `SQNR ${formatSqnr(sqnrDb)}`,
      limit: `at least ${OUTPUT_AIMS.sqnrDb} dB`,
    },
  ];
}

function channel({ name, sqnrDb = 0, worstChannel }: OutputDifference): Standing[] {
  if (!worstChannel) return [];
  const { axis, index, sqnrDb: worst } = worstChannel;
  return [
    {
      output: name,
      metric: 'worst channel',
      measured: worst,
      holds: worst > JUDGEMENT.channelDb || sqnrDb - worst < JUDGEMENT.channelBelowDb,
      figure: `channel ${index} of axis ${axis} has an SQNR of ${formatSqnr(worst)}`,
      limit: `more than ${JUDGEMENT.channelDb} dB`,
    },
  ];
}
