/** What every model may take, ... */
const LEAST_UNITS = 2_000_000;
/** ... and for each of its nodes besides. */
const UNITS_A_NODE = 20;

/** Fewer readers, inputs or outputs than this are looked through without being counted. */
const COUNTED_FROM = 32;

/**
 * Bounds what a run of passes may do that is not linear by itself: looking through all readers of a value for each of
 * them, or through all inputs of a node each time one of them changes. Counted in nodes and values looked at, never in
 * time, so that the same model comes out the same everywhere. No model that is not made for it comes near the limit.
 */
export class WorkBudget {
  #left: number;

  /** @param nodes of the model at the start */
  constructor(nodes: number) {
    this.#left = LEAST_UNITS + UNITS_A_NODE * nodes;
  }

  /** Takes so many units, if they are there; false when they are not: then it is to be left. */
  spend(units: number): boolean {
    if (units < COUNTED_FROM) return true;
    if (units > this.#left) return false;
    this.#left -= units;
    return true;
  }
}
