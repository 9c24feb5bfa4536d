import type { Node } from '../../../ir/node.js';
import { cutUnits } from '../../../passes/prune/cut-units.js';
import { lowestUnits } from '../../../prune/allocate.js';
import type { LayerCost } from '../../../prune/budgeted-allocation.js';
import { copiedDependencies } from '../../../prune/copied-dependencies.js';
import { type LayerModel, layerModel } from '../../../prune/layer-model.js';
import { weightAxesOf } from '../../../prune/unit-weights.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import type { InContext, PruneOptions } from '../../options.js';
import type { Stages } from '../../stages.js';
import { modelAtStatedSizes } from '../../stated-cost.js';
import type { CutPlan } from '../cut-plan.js';
import { timeLayers } from './time-layers.js';

/** Widths of a group at which its layers are timed, beside the whole: shares of what the levels remove at most. */
const TIMED_SHARES = [0.3, 0.6, 1] as const;

/**
 * What each layer takes, in ms, and what of that is left as the groups that it depends on get narrower: each layer is timed by
 * itself, whole and with one group cut to a few widths, and between these lie straight lines.
 * @param levels numbers of removed units, by group
 */
export async function measureLayerCosts(
  plan: CutPlan,
  levels: readonly (readonly number[])[],
  runtime: RuntimeHost,
  options: InContext<PruneOptions>,
  stages: Stages,
): Promise<LayerCost[]> {
  const { base, dependencies, scored } = plan;
  const sized = modelAtStatedSizes(base, options.dims);
  const ofSized = copiedDependencies(dependencies, base, sized);
  const wanted = new Map<string, LayerModel>();
  const signatureOf = (node: Node | undefined): string | undefined => {
    const layer = node && layerModel(node);
    if (layer) wanted.set(layer.signature, layer);
    return layer?.signature;
  };
  const whole = new Map<string, string>();
  for (const node of weighted(plan)) {
    const name = node.output().name;
    const signature = signatureOf(sized.graph.values.get(name)?.producer);
    if (signature !== undefined) whole.set(name, signature);
  }
  const cuts = scored.map((group, at) => {
    const layers = new Set(
      weightAxesOf(dependencies, group.group).flatMap(({ role, node }) => (role === 'scales' ? [] : [node])),
    );
    return timedCounts(levels[at] ?? []).map((removed) => {
      const copy = sized.clone();
      cutUnits(copy, copiedDependencies(ofSized, sized, copy), lowestUnits(group, removed));
      const signatures = new Map<string, string>();
      for (const node of layers) {
        const name = node.output().name;
        const signature = signatureOf(copy.graph.values.get(name)?.producer);
        if (signature !== undefined) signatures.set(name, signature);
      }
      return { removed, signatures };
    });
  });
  const times = await timeLayers([...wanted.values()], runtime, options, stages);
  return [...whole].map(([name, signature]): LayerCost => {
    const cost = times.get(signature) ?? 0;
    const shares = new Map<number, readonly number[]>();
    for (const [at, widths] of cuts.entries()) {
      const points = widths.flatMap(({ removed, signatures }) => {
        const own = signatures.get(name);
        const time = own === undefined ? undefined : times.get(own);
        return time === undefined || cost <= 0 ? [] : [{ removed, share: Math.min(1, time / cost) }];
      });
      if (points.length > 0) shares.set(at, sharesAt(levels[at] ?? [], points));
    }
    return { cost, shares };
  });
}

/** Layers with weights of any group. */
function weighted({ dependencies, scored }: CutPlan): Set<Node> {
  const nodes = new Set<Node>();
  for (const { group } of scored)
    for (const { role, node } of weightAxesOf(dependencies, group)) if (role !== 'scales') nodes.add(node);
  return nodes;
}

function timedCounts(levels: readonly number[]): number[] {
  const last = levels.length - 1;
  return [...new Set(TIMED_SHARES.map((share) => levels[Math.round(share * last)] ?? 0))].filter((count) => count > 0);
}

/** Straight lines from the whole through the points; a narrower layer takes no longer. */
function sharesAt(
  levels: readonly number[],
  points: readonly { readonly removed: number; readonly share: number }[],
): number[] {
  const known = [{ removed: 0, share: 1 }];
  for (const { removed, share } of points) {
    const before = known.at(-1)?.share ?? 1;
    known.push({ removed, share: Math.min(before, Math.max(share, 1e-3)) });
  }
  return levels.map((removed) => {
    const at = known.findIndex((point) => point.removed >= removed);
    const [a, b] = [known[Math.max(0, at - 1)], known[at < 0 ? known.length - 1 : at]];
    if (!a || !b) return 1;
    if (b.removed === a.removed) return b.share;
    return a.share + ((b.share - a.share) * (removed - a.removed)) / (b.removed - a.removed);
  });
}
