import { nodeCost } from '../../ops/cost.js';
import type { ScoredGroup } from '../../prune/allocate.js';
import { layerCosts } from '../../prune/layer-costs.js';
import {
  type MeasuredLoss,
  scaledLosses,
  scoreLosses,
  type WidthLevel,
  widthLevels,
} from '../../prune/width-levels.js';
import type { InContext, PruneAllocation, PruneOptions } from '../options.js';
import { statedCost } from '../stated-cost.js';
import { type Allocator, evenAllocator, lossAllocator } from './allocators.js';
import type { CutPlan } from './cut-plan.js';
import { measureLayerCosts } from './latency/layer-times.js';
import type { MeasuringTools } from './measuring-tools.js';
import { measureSensitivity } from './sensitivity.js';

/** How units are spread over groups, as the options have it. */
export function allocationOf({ allocation, global, targetLatency }: PruneOptions): PruneAllocation {
  return allocation ?? (global ? 'global' : targetLatency === undefined ? 'uniform' : 'latency');
}

/**
 * The allocator that was asked for. `sensitivity` weighs what the outputs lose by each group against its multiply-adds (its
 * parameters, where a target is of these); `latency` against the time of its layers, with losses by trials where there is data,
 * else by the scores.
 */
export async function chooseAllocator(
  plan: CutPlan,
  allocation: PruneAllocation,
  options: InContext<PruneOptions>,
  tools: MeasuringTools | undefined,
): Promise<Allocator> {
  if (allocation === 'uniform' || allocation === 'global' || !tools)
    return evenAllocator(plan, options, allocation === 'global');
  const { hasData, stages, runtime } = tools;
  const { scored, base, dependencies } = plan;
  const widths = scored.map(widthLevels);
  const byTrials = allocation === 'sensitivity' || hasData;
  const measured = byTrials ? await measureSensitivity(plan, widths, options, tools) : undefined;
  const levels = scored.map((group, at) => losses(group, widths[at] ?? [], measured?.[at], options, hasData));
  if (allocation === 'latency') {
    return lossAllocator(plan, levels, await measureLayerCosts(plan, widths, await runtime.host(), options, stages));
  }
  const { perNode } = statedCost(base.clone(), options.dims).cost;
  const macs = new Map([...perNode].map(([node, count]) => [node.outputs[0]?.name, count]));
  const ofParameters = options.targetParams !== undefined && options.targetMacs === undefined;
  const layers = layerCosts(base, dependencies, scored, widths, (node) =>
    ofParameters ? nodeCost(node).weightBytes : (macs.get(node.outputs[0]?.name) ?? 0),
  );
  return lossAllocator(plan, levels, layers);
}

function losses(
  group: ScoredGroup,
  widths: readonly number[],
  measured: readonly MeasuredLoss[] | undefined,
  { score }: PruneOptions,
  hasData: boolean,
): WidthLevel[] {
  const isNorm = score === undefined ? !hasData : score === 'l1' || score === 'l2' || score === 'bn';
  const byScores = scoreLosses(group, widths, isNorm);
  return measured ? scaledLosses(group.group.units.length, byScores, measured) : byScores;
}
