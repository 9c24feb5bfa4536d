import type { WidthLevel } from './width-levels.js';

/** What a layer costs, and what of that is left at each level of the groups that it depends on. */
export interface LayerCost {
  /** Of the whole layer: multiply-adds, parameters or milliseconds. */
  readonly cost: number;
  /** By group: the share of the cost that is left at each level, the others being whole. */
  readonly shares: ReadonlyMap<number, readonly number[]>;
}

/** Buckets that costs are counted in. */
const BUCKETS = 2000;
/** How often costs are made straight lines anew, around what was found. */
const ROUNDS = 6;

/**
 * Chooses a level for each group so that the cost stays within a budget and the sum of losses is smallest. The cost of a layer is
 * a product over its groups, so it is replaced by a sum that is right for small changes around the levels at hand; then dynamic
 * programming over the groups finds the best levels of the sum (a knapsack with one choice of each group), and so on in turn.
 * @param levels of each group, the first without any loss
 * @param budget most cost of all layers together
 * @returns the number of a level for each group; those of the least cost where the budget cannot be kept
 */
export function allocateWithin(
  levels: readonly (readonly WidthLevel[])[],
  layers: readonly LayerCost[],
  budget: number,
): number[] {
  const last = levels.map((each) => each.length - 1);
  const whole = levels.map(() => 0);
  if (totalCost(layers, whole) <= budget) return whole;
  if (totalCost(layers, last) > budget) return last;
  let best = evenLevels(levels, layers, budget);
  let current = best;
  let limit = budget;
  for (let round = 0; round < ROUNDS; round++) {
    const costs = straightCosts(levels, layers, current);
    const fixed = layers.reduce((sum, layer) => sum + (layer.shares.size === 0 ? layer.cost : 0), 0);
    const found = knapsack(levels, costs, limit - fixed);
    if (found === undefined) break;
    const cost = totalCost(layers, found);
    if (cost <= budget && totalLoss(levels, found) < totalLoss(levels, best)) best = found;
    // The straight lines promise more, or less, than is true further away.
    limit *= Math.min(1.1, Math.max(0.8, budget / cost));
    current = found;
  }
  return best;
}

/** Cost of all layers at these levels. */
export function totalCost(layers: readonly LayerCost[], at: readonly number[]): number {
  return layers.reduce((sum, layer) => sum + costOf(layer, at), 0);
}

function costOf({ cost, shares }: LayerCost, at: readonly number[]): number {
  let product = cost;
  for (const [group, byLevel] of shares) product *= byLevel[at[group] as number] as number;
  return product;
}

function totalLoss(levels: readonly (readonly WidthLevel[])[], at: readonly number[]): number {
  return levels.reduce((sum, each, group) => sum + (each[at[group] as number] as WidthLevel).loss, 0);
}

/** The same share of every group, as much as the budget takes. */
function evenLevels(
  levels: readonly (readonly WidthLevel[])[],
  layers: readonly LayerCost[],
  budget: number,
): number[] {
  const steps = 64;
  for (let step = 1; step <= steps; step++) {
    const at = levels.map((each) => Math.round(((each.length - 1) * step) / steps));
    if (totalCost(layers, at) <= budget) return at;
  }
  return levels.map((each) => each.length - 1);
}

/** A cost for each level of each group; their sum is the cost of all layers near `current`. */
function straightCosts(
  levels: readonly (readonly WidthLevel[])[],
  layers: readonly LayerCost[],
  current: readonly number[],
): Float64Array[] {
  const costs = levels.map((each) => new Float64Array(each.length));
  for (const layer of layers) {
    const count = layer.shares.size;
    const now = costOf(layer, current);
    for (const [group, byLevel] of layer.shares) {
      const own = costs[group] as Float64Array;
      const share = byLevel[current[group] as number] as number;
      for (const [level, each] of byLevel.entries())
        own[level] = (own[level] as number) + (now / count) * (each / share) ** count;
    }
  }
  return costs;
}

function knapsack(
  levels: readonly (readonly WidthLevel[])[],
  costs: readonly Float64Array[],
  budget: number,
): number[] | undefined {
  if (!(budget > 0)) return undefined;
  const unit = budget / BUCKETS;
  let best = new Float64Array(BUCKETS + 1);
  const choices: Uint8Array[] = [];
  for (const [group, each] of levels.entries()) {
    const own = costs[group] as Float64Array;
    const next = new Float64Array(BUCKETS + 1).fill(Number.POSITIVE_INFINITY);
    const choice = new Uint8Array(BUCKETS + 1);
    for (const [level, { loss }] of each.entries()) {
      const weight = Math.round((own[level] as number) / unit);
      for (let at = weight; at <= BUCKETS; at++) {
        const sum = (best[at - weight] as number) + loss;
        if (sum < (next[at] as number)) {
          next[at] = sum;
          choice[at] = level;
        }
      }
    }
    best = next;
    choices.push(choice);
  }
  if (best[BUCKETS] === Number.POSITIVE_INFINITY) return undefined;
  const found: number[] = [];
  for (let group = levels.length - 1, at = BUCKETS; group >= 0; group--) {
    const level = (choices[group] as Uint8Array)[at] as number;
    found.unshift(level);
    at -= Math.round(((costs[group] as Float64Array)[level] as number) / unit);
  }
  return found;
}
