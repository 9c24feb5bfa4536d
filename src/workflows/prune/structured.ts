import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { matchNodes } from '../../passes/node-filter.js';
import { optimizeGraph } from '../../passes/optimize-graph.js';
import { cutUnits } from '../../passes/prune/cut-units.js';
import { allocate, type ScoredGroup } from '../../prune/allocate.js';
import {
  type Dependencies,
  type DependencyGroup,
  findDependencies,
  type PruneUnit,
} from '../../prune/dependency-groups.js';
import { groupKind } from '../../prune/group-kind.js';
import type { KeptAxes } from '../../prune/kept-axes.js';
import { scoreUnits } from '../../prune/unit-scores.js';
import { weightAxesOf } from '../../prune/unit-weights.js';
import type { PrunedGroupReport, WholeAxisReport } from '../../report/prune-types.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import { withLayersInlined } from '../quantize/inlined-functions.js';
import { type ModelSize, modelSize } from './model-size.js';

/** A cut model, and how it came about. */
export interface StructuredCut {
  /** The same nodes as those of `base`, not cleaned yet. */
  readonly model: Model;
  readonly kept: KeptAxes;
  /** The model that was cut: cleaned, functions inlined. */
  readonly base: Model;
  readonly dependencies: Dependencies;
  readonly removed: ReadonlySet<PruneUnit>;
  readonly amount: number;
  readonly groups: readonly PrunedGroupReport[];
  readonly whole: readonly WholeAxisReport[];
}

/** Scores groups by what units give on samples. */
export type Measure = (
  model: Model,
  dependencies: Dependencies,
  groups: readonly DependencyGroup[],
) => Promise<ReadonlyMap<DependencyGroup, Float64Array>>;

/**
 * Cuts units out of a copy of a model. @throws SO3101 where nothing can be cut, or a target cannot be reached, SO1003 for a layer
 * that is not there
 */
export async function cutStructured(
  model: Model,
  options: PruneOptions,
  measure: Measure | undefined,
): Promise<StructuredCut> {
  const base = (await withLayersInlined(model)).clone();
  await optimizeGraph(base, { level: 'basic' });
  const dependencies = findDependencies(base, {
    throughNormalization: options.throughNormalization ?? false,
    heads: true,
  });
  const chosen = chosenGroups(base, dependencies, options);
  if (chosen.length === 0) throw nothingToCut(dependencies, options);
  const measured =
    options.score === undefined || options.score === 'activation'
      ? await measure?.(base, dependencies, chosen)
      : undefined;
  const scored = chosen.map((group) => scoredGroup(dependencies, group, options, measured?.get(group)));
  const { amount, removed: units } = forTarget(base, scored, options);
  const removed = new Set(units);
  const { model: cut, kept } = cutCopy(base, removed, options);
  return {
    model: cut,
    kept,
    base,
    dependencies,
    removed,
    amount,
    groups: dependencies.groups.map((group) => groupReport(dependencies, group, removed)),
    whole: wholeAxes(dependencies),
  };
}

/** Cuts the same units out of a copy. */
function cutCopy(
  base: Model,
  removed: Iterable<PruneUnit>,
  options: PruneOptions,
): { readonly model: Model; readonly kept: KeptAxes } {
  const copy = base.clone();
  // Units name values of the model that they were found in: a copy has its own.
  const own = findDependencies(copy, { throughNormalization: options.throughNormalization ?? false, heads: true });
  return { model: copy, kept: cutUnits(copy, own, removed) };
}

function chosenGroups(model: Model, dependencies: Dependencies, options: PruneOptions): DependencyGroup[] {
  const { method = PRUNE_DEFAULTS.method, include = [], exclude = [] } = options;
  const wanted = include.length > 0 ? matchNodes(model, include) : undefined;
  const unwanted = matchNodes(model, exclude);
  return dependencies.groups.filter((group) => {
    if (method !== 'structured' && groupKind(dependencies, group) !== method) return false;
    const nodes = group.marks.filter(({ role }) => role !== 'consumes').map(({ node }) => node);
    return !nodes.some((node) => unwanted.has(node)) && (!wanted || nodes.some((node) => wanted.has(node)));
  });
}

function scoredGroup(
  dependencies: Dependencies,
  group: DependencyGroup,
  options: PruneOptions,
  measured: Float64Array | undefined,
): ScoredGroup {
  const { score = 'l2', align = PRUNE_DEFAULTS.align, seed = PRUNE_DEFAULTS.seed } = options;
  const scores = measured ?? scoreUnits(group, weightAxesOf(dependencies, group), { score, seed });
  return { group, scores, align: groupKind(dependencies, group) === 'heads' ? 1 : align };
}

/** Steps of the search for an amount: 2^-12 of a group is less than one unit of nearly all. */
const SEARCH_STEPS = 12;

/** The units of the amount that was asked for; of a target, of the smallest amount that reaches it. */
function forTarget(
  base: Model,
  scored: readonly ScoredGroup[],
  options: PruneOptions,
): { readonly amount: number; readonly removed: readonly PruneUnit[] } {
  const { amount = PRUNE_DEFAULTS.amount, global = false, targetMacs, targetParams } = options;
  if (targetMacs === undefined && targetParams === undefined) {
    const removed = allocate(scored, { amount, global });
    if (removed.length === 0) throw tooLittle(amount);
    return { amount, removed };
  }
  const before = modelSize(base, options);
  const reached = (size: ModelSize): boolean =>
    (targetMacs === undefined || size.macs <= targetMacs * before.macs) &&
    (targetParams === undefined || size.parameters <= targetParams * before.parameters);
  const attempt = (share: number) => {
    const removed = allocate(scored, { amount: share, global });
    return { amount: share, removed, size: modelSize(cutCopy(base, removed, options).model, options) };
  };
  let best = attempt(1 - Number.EPSILON);
  if (!reached(best.size)) throw outOfReach(before, best.size, options);
  for (let low = 0, high = 1, step = 0; step < SEARCH_STEPS; step++) {
    const middle = (low + high) / 2;
    const tried = attempt(middle);
    if (reached(tried.size)) [best, high] = [tried, middle];
    else low = middle;
  }
  return best;
}

function groupReport(
  dependencies: Dependencies,
  group: DependencyGroup,
  removed: ReadonlySet<PruneUnit>,
): PrunedGroupReport {
  const { name, units } = group;
  const kept = units.filter((unit) => !removed.has(unit)).length;
  return { name, kind: groupKind(dependencies, group), units: units.length, kept };
}

function wholeAxes({ frozen }: Dependencies): WholeAxisReport[] {
  return frozen.map(({ value, axis, reason }) => {
    const size = value.type?.kind === 'tensor' ? value.type.shape?.[axis] : undefined;
    return { weight: value.name, axis, size: typeof size === 'number' ? size : 0, reason: reason.text };
  });
}

function nothingToCut(dependencies: Dependencies, { method = PRUNE_DEFAULTS.method }: PruneOptions): ServeOptError {
  const reasons = new Map<string, number>();
  for (const { reason } of dependencies.frozen) reasons.set(reason.text, (reasons.get(reason.text) ?? 0) + 1);
  const [first] = [...reasons].sort((a, b) => b[1] - a[1]);
  const kinds = new Set(dependencies.groups.map((group) => groupKind(dependencies, group)));
  const why =
    kinds.size > 0 && method !== 'structured'
      ? `it has groups of ${[...kinds].join(', ')}, but none of ${method}`
      : first === undefined
        ? 'it has no layers with constant weights between two others'
        : `for example, ${first[0]}`;
  return new ServeOptError('SO3101', 'Nothing can be cut from this model', {
    why,
    hint: 'serve-opt prune MODEL --method magnitude sets single weights to zero',
  });
}

function tooLittle(amount: number): ServeOptError {
  return new ServeOptError('SO3101', `An amount of ${amount} rounds to no unit in any group`, {
    hint: 'give a larger --amount',
  });
}

function outOfReach(before: ModelSize, smallest: ModelSize, { targetMacs, targetParams }: PruneOptions): ServeOptError {
  const share = (a: number, b: number): string => `${(a / b).toPrecision(2)}x`;
  const parts = [
    ...(targetMacs === undefined ? [] : [`multiply-adds to ${share(smallest.macs, before.macs)}`]),
    ...(targetParams === undefined ? [] : [`parameters to ${share(smallest.parameters, before.parameters)}`]),
  ];
  return new ServeOptError('SO3101', 'The target is out of reach', {
    why: `with one unit left in every group, cutting brings ${parts.join(' and ')}`,
    hint: 'give a larger target, or add --through-normalization; --explain lists what stays whole',
  });
}
