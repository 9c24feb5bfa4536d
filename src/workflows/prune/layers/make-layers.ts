import { PRUNE_DEFAULTS, type PruneOptions } from '../../options.js';
import type { ModelRun } from '../../produce/model-run.js';
import type { PruneWork } from '../before-work.js';
import { pairClock } from '../latency/pair-clock.js';
import { searchLatency } from '../latency/search-latency.js';
import { toolsOf } from '../make-structured.js';
import type { DroppedBlocks, PruneCandidate } from '../prune-candidate.js';
import { type LayerPlan, planLayers } from './layer-plan.js';

/** Drops whole blocks that a sum leads around from a copy of the model. */
export async function makeLayers(run: ModelRun<PruneOptions>, work: PruneWork): Promise<PruneCandidate> {
  const { model, options, stages } = run;
  const plan = await planLayers(model, options, toolsOf(run, work));
  const { targetLatency, targetMacs, targetParams, amount = PRUNE_DEFAULTS.amount } = options;
  if (targetLatency === undefined) {
    const count = await plan.count();
    const isTarget = targetMacs !== undefined || targetParams !== undefined;
    const made = await dropBlocks(run, plan, count, isTarget ? count : amount);
    const again = (less: number): Promise<PruneCandidate> => dropBlocks(run, plan, less, less);
    return isTarget ? made : { ...made, less: { amount: count, again } };
  }
  const { choice, attempts, targetSpeedUp } = await searchLatency(
    {
      most: plan.ranked.length,
      grain: 1,
      choose: (count) => count,
      amountOf: (count) => count,
      build: (count) => plan.without(count),
      time: pairClock(run, work.split.judging),
      limit: `without any of the ${plan.ranked.length} blocks`,
    },
    targetLatency,
    stages,
  );
  const made = await dropBlocks(run, plan, choice, choice);
  return { ...made, dropped: { ...made.dropped, attempts, targetSpeedUp } };
}

/** @param amount as it is to be reported */
async function dropBlocks(
  { stages }: ModelRun<PruneOptions>,
  plan: LayerPlan,
  count: number,
  amount: number,
): Promise<PruneCandidate & { readonly dropped: DroppedBlocks }> {
  stages.start('prune');
  const model = await plan.without(count);
  stages.end(`${count} of ${plan.ranked.length} blocks`);
  const { rankedBy } = plan;
  return { model, dropped: { amount, blocks: plan.blockReports(count), outside: plan.outsideReports(), rankedBy } };
}
