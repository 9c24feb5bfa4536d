import type { ScoredGroup } from '../../prune/allocate.js';
import { lowestUnits } from '../../prune/allocate.js';
import type { MeasuredLoss } from '../../prune/width-levels.js';
import type { InContext, PruneOptions } from '../options.js';
import { withOutputTrials } from '../workbench/output-trials.js';
import type { CutPlan } from './cut-plan.js';
import type { MeasuringTools } from './measuring-tools.js';

/** Shares of a group that are tried, the one that says most first. */
const SHARES = [0.25, 0.5] as const;
/** Trials in all: of many groups fewer shares are tried. */
const MOST_TRIALS = 240;
/** Samples that a trial runs on. */
const TRIAL_SAMPLES = 32;

/** How much the outputs of the whole model change where one group alone is cut, at a few widths of each group. */
export async function measureSensitivity(
  plan: CutPlan,
  levels: readonly (readonly number[])[],
  options: InContext<PruneOptions>,
  { runtime, original, source, stages }: MeasuringTools,
): Promise<MeasuredLoss[][]> {
  const { scored } = plan;
  const shares = SHARES.slice(0, Math.max(1, Math.floor(MOST_TRIALS / scored.length)));
  const wanted = scored.map((group, at) => triedCounts(group, levels[at] ?? [], shares));
  const total = wanted.reduce((sum, counts) => sum + counts.length, 0);
  stages.start('sensitivity', total);
  let done = 0;
  const losses = await withOutputTrials(
    runtime,
    { original, source, samples: TRIAL_SAMPLES, options },
    async (trial) => {
      const found: MeasuredLoss[][] = [];
      for (const [at, group] of scored.entries()) {
        const own: MeasuredLoss[] = [];
        for (const removed of wanted[at] ?? []) {
          options.signal?.throwIfAborted();
          own.push({ removed, loss: await trial(plan.cut(lowestUnits(group, removed)).model) });
          stages.advance(++done, total);
        }
        found.push(own);
      }
      return found;
    },
  );
  stages.end(`${total} trials`);
  return losses;
}

/** The levels next to the shares, each once. */
function triedCounts({ group }: ScoredGroup, levels: readonly number[], shares: readonly number[]): number[] {
  const real = levels.filter((removed) => removed > 0);
  const nearest = (share: number): number =>
    real.reduce(
      (best, each) =>
        Math.abs(each - share * group.units.length) < Math.abs(best - share * group.units.length) ? each : best,
      real[0] ?? 0,
    );
  return [...new Set(shares.map(nearest))].filter((removed) => removed > 0);
}
