import type { AxisId, AxisTable } from './axis-table.js';
import type { PruneUnit } from './dependency-groups.js';

/** Which indices of each axis are left after a cut. */
export class KeptAxes {
  readonly #table: AxisTable;
  readonly #kept: Map<AxisId, Int32Array> = new Map();

  constructor(table: AxisTable, removed: Iterable<PruneUnit>) {
    this.#table = table;
    const gone = new Map<AxisId, Uint8Array>();
    for (const { parts } of removed)
      for (const { axis, indices } of parts) {
        const flags = gone.get(axis) ?? new Uint8Array(table.size(axis));
        gone.set(axis, flags);
        for (const index of indices) flags[index] = 1;
      }
    for (const [axis, flags] of gone) {
      const kept: number[] = [];
      for (let index = 0; index < flags.length; index++) if (flags[index] === 0) kept.push(index);
      this.#kept.set(axis, Int32Array.from(kept));
    }
  }

  /** Indices that are left, ascending; undefined where nothing was cut. */
  of(axis: AxisId | undefined): Int32Array | undefined {
    return axis === undefined || axis < 0 ? undefined : this.#kept.get(axis);
  }

  /** How many are left. */
  size(axis: AxisId): number {
    return this.of(axis)?.length ?? this.#table.size(axis);
  }

  /** An axis of which nothing would be left. */
  emptied(): AxisId | undefined {
    for (const [axis, kept] of this.#kept) if (kept.length === 0) return axis;
    return undefined;
  }

  get isEmpty(): boolean {
    return this.#kept.size === 0;
  }
}
