import type { Model } from '../../../ir/model.js';
import { optimizeGraph } from '../../../passes/optimize-graph.js';
import { dropUnneeded } from '../../../prune/repair/sum-builder.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../../options.js';
import type { ModelRun } from '../../produce/model-run.js';
import type { PruneWork } from '../before-work.js';
import { pairClock } from '../latency/pair-clock.js';
import { searchLatency } from '../latency/search-latency.js';
import { toolsOf } from '../make-structured.js';
import type { DroppedBlocks, PruneCandidate } from '../prune-candidate.js';
import { type KeptRepair, repairIfCloser } from '../repair-if-closer.js';
import { type LayerPlan, planLayers } from './layer-plan.js';

/** Drops whole blocks that a sum leads around from a copy of the model. */
export async function makeLayers(run: ModelRun<PruneOptions>, work: PruneWork): Promise<PruneCandidate> {
  const { model, options, stages } = run;
  const plan = await planLayers(model, options, toolsOf(run, work));
  const { targetLatency, targetMacs, targetParams, amount = PRUNE_DEFAULTS.amount } = options;
  if (targetLatency === undefined) {
    const count = await plan.count();
    const isTarget = targetMacs !== undefined || targetParams !== undefined;
    if (isTarget) return dropBlocks(run, work, plan, count, count);
    const withLess = async (less: number, reported: number): Promise<PruneCandidate> => ({
      ...(await dropBlocks(run, work, plan, less, reported)),
      less: { amount: less, again: (fewer) => withLess(fewer, fewer) },
    });
    return withLess(count, amount);
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
  const made = await dropBlocks(run, work, plan, choice, choice);
  return { ...made, dropped: { ...made.dropped, attempts, targetSpeedUp } };
}

/** @param amount as it is to be reported */
async function dropBlocks(
  run: ModelRun<PruneOptions>,
  work: PruneWork,
  plan: LayerPlan,
  count: number,
  amount: number,
): Promise<PruneCandidate & { readonly dropped: DroppedBlocks }> {
  const { stages } = run;
  stages.start('prune');
  const model = plan.uncleaned(count);
  stages.end(`${count} of ${plan.ranked.length} blocks`);
  const { model: best, repair, warnings } = await repaired(run, work, plan, model, count);
  await optimizeGraph(best, { level: 'basic' });
  const { rankedBy } = plan;
  const [blocks, outside] = [plan.blockReports(count), plan.outsideReports()];
  return { model: best, dropped: { amount, blocks, outside, rankedBy, repair, warnings } };
}

/** Layers behind the blocks that are gone, and the one before each where it can make up for it, are fitted anew where there is data. */
async function repaired(
  run: ModelRun<PruneOptions>,
  work: PruneWork,
  { base, ranked }: LayerPlan,
  model: Model,
  count: number,
): Promise<KeptRepair> {
  const pruned = model.clone();
  dropUnneeded(pruned.graph);
  const changed = new Set(ranked.slice(0, count).map(({ block }) => block.sum.output().name));
  return repairIfCloser({ original: base, unrepaired: model, pruned, changed, keptOf: () => undefined }, run, work);
}
