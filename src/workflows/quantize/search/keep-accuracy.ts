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

/** What a choice of layers has to hold. */
export interface Aim {
  readonly samples: TrialSamples;
  judge(result: ComparisonResult): Omit<SearchStepReport, 'keptLayers'>;
}

/** The fewest layers in FP32 that were found to keep the budget. */
export interface Search {
  readonly kept: readonly RankedLayer[];
  readonly steps: readonly SearchStepReport[];
  /** False where no choice of layers to quantize keeps it. */
  readonly met: boolean;
  /** Absent where nothing had to be ranked. */
  readonly ranking: LayerRanking | undefined;
}

/** Layers that are tried one by one to go back to INT8 at the end. */
const MOST_RETRIED = 6;

/**
 * Looks for the fewest layers to keep in FP32 so that an aim holds on its samples: none, then the
 * most sensitive 1, 2, 4 …, then between the last two counts by halves; at the end those kept are tried in INT8 one by one.
 * @param rank called where not all layers can be INT8
 * @param atLeast layers that are kept at least: fewer did not do
 */
export async function keepAccuracy(
  choice: LayerChoice,
  { samples, judge }: Aim,
  rank: () => Promise<LayerRanking>,
  atLeast = 0,
): Promise<Search> {
  const steps: SearchStepReport[] = [];
  const holds = async (kept: readonly RankedLayer[]): Promise<boolean> => {
    const result = await samples.score(await choice.candidate(reasonsOf(kept, 'a trial')));
    const judged = result instanceof Failure ? ({ verdict: 'fail', why: result.reason } as const) : judge(result);
    const step = { keptLayers: kept.length, ...judged };
    steps.push(step);
    return step.verdict === 'pass';
  };
  if (atLeast === 0 && (await holds([]))) return { kept: [], steps, met: true, ranking: undefined };
  const ranking = await rank();
  const { layers } = ranking;
  let [failed, count] = [Math.max(0, atLeast - 1), Math.max(1, atLeast)];
  while (count < layers.length && !(await holds(layers.slice(0, count)))) {
    failed = count;
    count *= 2;
  }
  // With all of them in FP32 there is nothing to try: that is the original.
  let passed = Math.min(count, layers.length);
  while (passed - failed > 1) {
    const middle = (passed + failed) >> 1;
    if (await holds(layers.slice(0, middle))) passed = middle;
    else failed = middle;
  }
  if (passed >= layers.length) return { kept: layers, steps, met: false, ranking };
  let kept = layers.slice(0, passed);
  if (atLeast === 0 && passed > 1) {
    // The last one was needed: the count before it did not do.
    for (const layer of kept.slice(0, -1).reverse().slice(0, MOST_RETRIED)) {
      const without = kept.filter((each) => each !== layer);
      if (await holds(without)) kept = without;
    }
  }
  return { kept, steps, met: true, ranking };
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

/** Judges a drop of the metric of labelled samples, or of the outputs, against `--max-drop`. */
export function judgeDrop(
  result: ComparisonResult,
  isLabelled: boolean,
  maxDrop: number,
): Omit<SearchStepReport, 'keptLayers'> {
  const evidence = { comparison: result, ...(isLabelled ? { accuracy: result } : {}) };
  const judged = judgeResult(goalBudgets({ maxDrop }, evidence), {
    name: '',
    sizeBytes: 0,
    cost: () => ({ macs: 0, uncounted: 0, sizes: [], parameters: 0 }),
    ...evidence,
  });
  const [budget] = judged as [BudgetReport];
  const { metric, measured, low, high, verdict, why } = budget;
  return {
    verdict: verdict === 'pass' ? 'pass' : 'fail',
    metric,
    ...(measured === undefined ? {} : { measured }),
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
    why,
  };
}
