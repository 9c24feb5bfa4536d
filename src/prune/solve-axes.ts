import { nodeLabel } from '../ir/problem.js';
import type { AxisId, AxisTable, FrozenReason, ProductAxis } from './axis-table.js';

/** Classes of indices that stand or fall together, over all axes of a table. */
export class SolvedAxes {
  readonly #base: Int32Array;
  readonly #parent: Int32Array;
  /** Number of a reason and one, by root; 0 for a class that may be cut. */
  readonly #frozen: Int32Array;
  readonly #reasons: FrozenReason[];

  constructor(table: AxisTable, choices: ReadonlyMap<ProductAxis, number>) {
    const count = table.places.length;
    this.#base = new Int32Array(count + 1);
    for (let axis = 0; axis < count; axis++) this.#base[axis + 1] = (this.#base[axis] as number) + table.size(axis);
    const slots = this.#base[count] as number;
    this.#parent = Int32Array.from({ length: slots }, (_, slot) => slot);
    this.#frozen = new Int32Array(slots);
    this.#reasons = [...table.reasons];
    const { runs, freezes } = table;
    for (let at = 0; at < runs.length; at += 7) {
      let a = (this.#base[runs[at] as number] as number) + (runs[at + 1] as number);
      let b = (this.#base[runs[at + 3] as number] as number) + (runs[at + 4] as number);
      for (let k = runs[at + 6] as number; k > 0; k--) {
        this.#union(a, b);
        a += runs[at + 2] as number;
        b += runs[at + 5] as number;
      }
    }
    for (const [product, chosen] of choices) this.#applyProduct(table, product, chosen);
    for (let at = 0; at < freezes.length; at += 4) {
      const first = (this.#base[freezes[at] as number] as number) + (freezes[at + 1] as number);
      this.#freeze(first, freezes[at + 2] as number, freezes[at + 3] as number);
    }
    for (const [product, chosen] of choices) this.#freezeOthers(table, product, chosen);
  }

  /** The class of an index: equal numbers stand or fall together. */
  unitOf(axis: AxisId, index: number): number {
    return this.#find((this.#base[axis] as number) + index);
  }

  reasonOf(unit: number): FrozenReason | undefined {
    const number = this.#frozen[unit] as number;
    return number === 0 ? undefined : this.#reasons[number - 1];
  }

  /** Whether nothing of an axis may be cut. */
  isFrozen(axis: AxisId): boolean {
    for (let slot = this.#base[axis] as number; slot < (this.#base[axis + 1] as number); slot++)
      if (this.#frozen[this.#find(slot)] === 0) return false;
    return true;
  }

  #applyProduct(table: AxisTable, { whole, factors }: ProductAxis, chosen: number): void {
    const inner = factors.slice(chosen + 1).reduce((product, factor) => product * table.size(factor), 1);
    const factor = factors[chosen] as AxisId;
    const size = table.size(factor);
    const from = this.#base[whole] as number;
    const to = this.#base[factor] as number;
    for (let index = 0; index < table.size(whole); index++)
      this.#union(from + index, to + (Math.floor(index / inner) % size));
  }

  #freezeOthers(table: AxisTable, { whole, factors, node }: ProductAxis, chosen: number): void {
    const shape = factors.map((factor) => table.size(factor)).join('×');
    const cut = table.size(factors[chosen] as AxisId);
    const text = `the axis of ${table.size(whole)} is ${shape} and is cut by its factor of ${cut} (${node.opType} ${nodeLabel(node)})`;
    for (const [at, factor] of factors.entries()) {
      if (at === chosen || factor < 0) continue;
      this.#reasons.push({ text, node });
      this.#freeze(this.#base[factor] as number, table.size(factor), this.#reasons.length - 1);
    }
  }

  #freeze(first: number, count: number, reason: number): void {
    for (let slot = first; slot < first + count; slot++) {
      const root = this.#find(slot);
      if (this.#frozen[root] === 0) this.#frozen[root] = reason + 1;
    }
  }

  #union(a: number, b: number): void {
    const x = this.#find(a);
    const y = this.#find(b);
    if (x !== y) this.#parent[Math.max(x, y)] = Math.min(x, y);
  }

  #find(slot: number): number {
    const parent = this.#parent;
    let at = slot;
    while (parent[at] !== at) {
      const up = parent[at] as number;
      parent[at] = parent[up] as number;
      at = up;
    }
    return at;
  }
}

/** How axes that are several in one are to be cut. */
export interface FactorPreference {
  /** By the heads of attention rather than by the width of each. Default true. */
  readonly heads?: boolean;
}

/** More would mean that choices go in circles. */
const MOST_ROUNDS = 16;

/**
 * Chooses for each axis that is several in one the factor along which it is cut, so that something can be cut wherever
 * possible, and solves. Where several factors could be: the heads of attention, else those that weights have, else the one with
 * most indices.
 * @param weightAxes axes of weights
 */
export function solveAxes(
  table: AxisTable,
  { heads = true }: FactorPreference = {},
  weightAxes: Iterable<AxisId> = [],
): SolvedAxes {
  const choices = new Map<ProductAxis, number>();
  for (const product of table.products) if (product.forced !== undefined) choices.set(product, product.forced);
  const open = table.products.filter((product) => product.forced === undefined);
  const free = new SolvedAxes(table, choices);
  if (open.length === 0) return free;
  const tier = tiersOf(table, heads, weightAxes);
  const candidates = new Map<ProductAxis, number[]>();
  for (const product of open) {
    const factor = (at: number): AxisId => product.factors[at] as AxisId;
    const real = [...product.factors.keys()].filter((at) => factor(at) >= 0);
    real.sort((a, b) => tier(factor(b)) - tier(factor(a)) || table.size(factor(b)) - table.size(factor(a)));
    // What is frozen whatever is chosen comes last.
    const frozen = (at: number): number => Number(free.isFrozen(factor(at)));
    real.sort((a, b) => frozen(a) - frozen(b));
    candidates.set(product, real);
    choices.set(product, real[0] ?? 0);
  }
  let solved = new SolvedAxes(table, choices);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const stuck = open.filter(
      (product) =>
        (candidates.get(product)?.length ?? 0) > 1 &&
        solved.isFrozen(product.factors[choices.get(product) as number] as AxisId),
    );
    if (stuck.length === 0) return solved;
    // Who wants least gives way first: what the others wanted may be free then.
    const tierOf = (product: ProductAxis): number => tier(product.factors[choices.get(product) as number] as AxisId);
    const least = Math.min(...stuck.map(tierOf));
    for (const product of stuck) {
      if (tierOf(product) > least) continue;
      const left = candidates.get(product)?.slice(1) ?? [];
      candidates.set(product, left);
      choices.set(product, left[0] ?? 0);
    }
    solved = new SolvedAxes(table, choices);
  }
  return solved;
}

/** How much a factor is wanted: 2 for heads, where they are, 1 for what weights have, 0 for others. */
function tiersOf(table: AxisTable, heads: boolean, weightAxes: Iterable<AxisId>): (factor: AxisId) => number {
  const family = familiesOf(table);
  const weights = new Set([...weightAxes].map(family));
  const batch = new Set([...table.batchAxes].map(family));
  // Factors may have factors in turn: weights of three layers in one, each of several heads, or heads in groups.
  for (const members of [weights, batch])
    for (let size = -1; size !== members.size; ) {
      size = members.size;
      for (const { whole, factors } of table.products)
        if (members.has(family(whole))) for (const factor of factors) if (factor >= 0) members.add(family(factor));
    }
  return (factor) => {
    const of = family(factor);
    if (!weights.has(of)) return 0;
    return batch.has(of) ? (heads ? 2 : 0) : 1;
  };
}

/** Axes that are joined at all, as numbers of families; factors of one axis at one place of it are. */
function familiesOf(table: AxisTable): (axis: AxisId) => number {
  const parent = Int32Array.from({ length: table.places.length }, (_, axis) => axis);
  const find = (axis: AxisId): number => {
    let at = axis;
    while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
    return at;
  };
  for (let at = 0; at < table.runs.length; at += 7) {
    const a = find(table.runs[at] as number);
    const b = find(table.runs[at + 3] as number);
    parent[Math.max(a, b)] = Math.min(a, b);
  }
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    const known = new Map<string, AxisId>();
    for (const { whole, factors } of table.products) {
      let inner = 1;
      for (const factor of [...factors].reverse()) {
        const key = `${find(whole)} ${inner} ${table.size(factor)}`;
        inner *= table.size(factor);
        if (factor < 0) continue;
        const [a, b] = [find(known.get(key) ?? factor), find(factor)];
        known.set(key, a);
        if (a === b) continue;
        parent[Math.max(a, b)] = Math.min(a, b);
        isChanged = true;
      }
    }
  }
  return (axis) => (axis < 0 ? axis : find(axis));
}
