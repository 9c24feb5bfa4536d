import type { ComparisonResult } from '../../../evaluate/comparison.js';
import type { BudgetReport } from '../../../gates/budget-report.js';
import { judgeResult } from '../../../gates/result-gates.js';
import { goalBudgets } from '../../../gates/search-goals.js';
import { formatSqnr } from '../../../report/comparison-words.js';
import type { SearchStepReport } from '../../../report/search-types.js';
import { Failure } from '../../workbench/failure.js';
import type { TrialSamples } from '../../workbench/trials.js';
import type { KeptLayers } from '../conversion.js';
import type { LayerChoice } from '../layer-choice.js';
import type { LayerRanking, RankedLayer } from '../rank-layers.js';
import { judgeOutputs } from './output-aims.js';
import { SearchTime } from './search-time.js';

/** What a choice of layers has to hold. */
export interface Aim {
  readonly samples: TrialSamples;
  judge(result: ComparisonResult): Judged;
}

/** What a choice of layers came to. */
export interface Judged extends Omit<SearchStepReport, 'keptLayers'> {
  /** It fails, and is good enough where no choice is found that does not. */
  readonly wouldDo?: true;
}

/** The fewest layers in FP32 that were found to keep the budget. */
export interface Search {
  readonly kept: readonly RankedLayer[];
  readonly steps: readonly SearchStepReport[];
  /** False where no choice of layers to quantize keeps it. */
  readonly met: boolean;
  /** Absent where nothing had to be ranked. */
  readonly ranking: LayerRanking | undefined;
  /** Choices that there was no time for, in words. */
  readonly notTried?: string;
}

export interface KeepAccuracyOptions {
  /** Layers that are kept at least: fewer did not do. Default 0. */
  readonly atLeast?: number;
  /** Default: no limit. */
  readonly time?: SearchTime;
  /** Called after each trial. @param more about how many more will follow, those of the ranking apart */
  readonly onTrial?: (more: number) => void;
}

/** Layers that are tried one by one to go back to INT8 at the end. */
const MOST_RETRIED = 6;

/**
 * Looks for the fewest layers to keep in FP32 so that an aim holds on its samples: none, then the
 * most sensitive 1, 2, 4 …, then between the last two counts by halves; at the end those kept are tried in INT8 one by one.
 * Where time runs short, counts grow faster, and what was found by its end is taken.
 * @param rank called where not all layers can be INT8
 */
export async function keepAccuracy(
  choice: LayerChoice,
  { samples, judge }: Aim,
  rank: () => Promise<LayerRanking>,
  { atLeast = 0, time = new SearchTime(Number.POSITIVE_INFINITY), onTrial }: KeepAccuracyOptions = {},
): Promise<Search> {
  const steps: SearchStepReport[] = [];
  const trials = time.trials();
  let fallback: readonly RankedLayer[] | undefined;
  const holds = async (kept: readonly RankedLayer[], more: number): Promise<boolean> => {
    const result = await trials.run(async () => samples.score(await choice.candidate(reasonsOf(kept, 'a trial'))));
    const judged: Judged = result instanceof Failure ? { verdict: 'fail', why: result.reason } : judge(result);
    const { wouldDo, ...step } = judged;
    steps.push({ keptLayers: kept.length, ...step });
    if (wouldDo && (fallback === undefined || kept.length < fallback.length)) fallback = kept;
    onTrial?.(more);
    return step.verdict === 'pass';
  };
  if (atLeast === 0 && (await holds([], 2 * Math.ceil(Math.log2(choice.layers.length + 1)) + MOST_RETRIED)))
    return { kept: [], steps, met: true, ranking: undefined };
  const ranking = await rank();
  const { layers } = ranking;
  const left = (passed: number, failed: number): number => Math.ceil(Math.log2(Math.max(1, passed - failed)));
  let [failed, count] = [Math.max(0, atLeast - 1), Math.max(1, atLeast)];
  while (count < layers.length && !(await holds(layers.slice(0, count), 2 * left(layers.length, count)))) {
    failed = count;
    count = nextCount(count, layers.length, trials.affordable);
  }
  // With all of them in FP32 there is nothing to try: that is the original.
  let passed = Math.min(count, layers.length);
  while (passed - failed > 1 && trials.affordable > 0) {
    const middle = (passed + failed) >> 1;
    if (await holds(layers.slice(0, middle), left(passed, failed) + MOST_RETRIED)) passed = middle;
    else failed = middle;
  }
  const gap = passed - failed > 1 ? { notTried: `${failed + 1} to ${passed - 1} layers in FP32` } : {};
  if (passed >= layers.length) {
    const found = fallback ? { kept: fallback, met: true } : { kept: layers, met: false };
    return { ...found, steps, ranking, ...gap };
  }
  let kept = layers.slice(0, passed);
  let notTried: { readonly notTried?: string } = gap;
  if (atLeast === 0 && passed > 1) {
    // The last one was needed: the count before it did not do.
    const retried = kept.slice(0, -1).reverse().slice(0, MOST_RETRIED);
    for (const [at, layer] of retried.entries()) {
      if (trials.affordable < 1) {
        notTried = { notTried: gap.notTried ?? `whether ${retried.length - at} of them can be INT8 after all` };
        break;
      }
      const without = kept.filter((each) => each !== layer);
      if (await holds(without, retried.length - at - 1)) kept = without;
    }
  }
  return { kept, steps, met: true, ranking, ...notTried };
}

/** Twice as many, or so many more that the trials that there is time for come to half of all; all where there is time for none. */
function nextCount(count: number, all: number, affordable: number): number {
  if (affordable < 1) return all;
  const factor = Math.max(2, (all / 2 / count) ** (1 / affordable));
  return Math.ceil(count * factor);
}

/** Why layers stay in FP32. @param goal for what: `--max-drop` */
export function reasonsOf(kept: readonly RankedLayer[], goal: string): KeptLayers {
  return new Map(
    kept.map(({ key, sqnrDb, together }) => [
      key,
      `kept for ${goal}: ${together > 1 ? 'its share of what its group loses leaves' : 'alone it leaves'} the outputs an SQNR of ${formatSqnr(sqnrDb)}`,
    ]),
  );
}

/**
 * Judges a drop of the metric of labelled samples, or of the outputs, against `--max-drop`. Where so few samples are labelled that the
 * interval of the drop does not tell whether it keeps the limit, the outputs have to keep what they do without a limit, too, if any choice does.
 */
export function judgeDrop(result: ComparisonResult, isLabelled: boolean, maxDrop: number): Judged {
  const evidence = { comparison: result, ...(isLabelled ? { accuracy: result } : {}) };
  const judged = judgeResult(goalBudgets({ maxDrop }, evidence), {
    name: '',
    sizeBytes: 0,
    cost: () => ({ macs: 0, uncounted: 0, sizes: [], parameters: 0 }),
    ...evidence,
  });
  const [first] = judged as [BudgetReport];
  const { metric, measured, low, high, verdict, why } = judged.find((each) => each.verdict !== 'pass') ?? first;
  const figures = {
    metric,
    ...(measured === undefined ? {} : { measured }),
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
  };
  if (verdict !== 'pass') return { ...figures, verdict: 'fail', why };
  if (!isLabelled || high === undefined || high <= maxDrop) return { ...figures, verdict: 'pass', why };
  const outputs = judgeOutputs(result);
  if (outputs.verdict === 'pass') return { ...figures, verdict: 'pass', why };
  return { ...figures, verdict: 'fail', why: `${why}: too few samples to tell, and ${outputs.why}`, wouldDo: true };
}
