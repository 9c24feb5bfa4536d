import type { Model } from '../../ir/model.js';
import { optimizeGraph } from '../../passes/optimize-graph.js';
import { cutUnits } from '../../passes/prune/cut-units.js';
import { chosenGroups, scoredGroup } from '../../passes/prune/scored-groups.js';
import type { ScoredGroup } from '../../prune/allocate.js';
import { copiedDependencies } from '../../prune/copied-dependencies.js';
import {
  type Dependencies,
  type DependencyGroup,
  findDependencies,
  type PruneUnit,
} from '../../prune/dependency-groups.js';
import type { KeptAxes } from '../../prune/kept-axes.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import { withLayersInlined } from '../quantize/inlined-functions.js';
import { nothingToCut } from './cut-errors.js';
import { type ModelSize, modelSize } from './model-size.js';

/** Scores groups by what units give on samples. Groups that are left out keep the score of their weights. */
export type Measure = (
  model: Model,
  dependencies: Dependencies,
  groups: readonly DependencyGroup[],
) => Promise<ReadonlyMap<DependencyGroup, Float64Array>>;

/** A model that is ready to be cut: what may be cut of it, and how important each unit is. */
export class CutPlan {
  /** The model that is cut: cleaned, functions inlined. Nothing changes it. */
  readonly base: Model;
  readonly dependencies: Dependencies;
  readonly scored: readonly ScoredGroup[];
  readonly options: PruneOptions;
  readonly before: ModelSize;

  constructor(base: Model, dependencies: Dependencies, scored: readonly ScoredGroup[], options: PruneOptions) {
    this.base = base;
    this.dependencies = dependencies;
    this.scored = scored;
    this.options = options;
    this.before = modelSize(base, options);
  }

  /** Cuts units out of a copy, which is not cleaned yet: its nodes are those of `base`. */
  cut(removed: Iterable<PruneUnit>): { readonly model: Model; readonly kept: KeptAxes } {
    const { model, dependencies } = this.copy();
    return { model, kept: cutUnits(model, dependencies, removed) };
  }

  /** A copy that may be changed, with dependencies of its own. */
  copy(): { readonly model: Model; readonly dependencies: Dependencies } {
    const model = this.base.clone();
    return { model, dependencies: copiedDependencies(this.dependencies, this.base, model) };
  }

  sizeOf(removed: Iterable<PruneUnit>): ModelSize {
    return modelSize(this.cut(removed).model, this.options);
  }

  /** The same with other scores. */
  rescored(scored: readonly ScoredGroup[]): CutPlan {
    return new CutPlan(this.base, this.dependencies, scored, this.options);
  }
}

/** Finds what can be cut and scores it. @throws SO3101 where that is nothing, SO1003 for a layer that is not there */
export async function planCut(model: Model, options: PruneOptions, measure: Measure | undefined): Promise<CutPlan> {
  const base = (await withLayersInlined(model)).clone();
  await optimizeGraph(base, { level: 'basic' });
  const dependencies = findDependencies(base, {
    throughNormalization: options.throughNormalization ?? false,
    heads: true,
  });
  const {
    method = PRUNE_DEFAULTS.method,
    score = 'l2',
    align = PRUNE_DEFAULTS.align,
    seed = PRUNE_DEFAULTS.seed,
  } = options;
  const kinds = method === 'channels' || method === 'heads' || method === 'neurons' ? [method] : undefined;
  const chosen = chosenGroups(base, dependencies, { ...options, kinds });
  if (chosen.length === 0) throw nothingToCut(base, dependencies, options);
  const measured = await measure?.(base, dependencies, chosen);
  const scored = chosen.map((group) => scoredGroup(dependencies, group, { score, align, seed }, measured?.get(group)));
  return new CutPlan(base, dependencies, scored, options);
}
