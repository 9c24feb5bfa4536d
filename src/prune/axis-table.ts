import type { Node } from '../ir/node.js';
import type { Dim } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { divideDimsExactly } from '../ops/dim.js';

/** An axis of a tensor whose size is a number above 1; or `ONE`, `OPEN`, or below that an axis that is open but for a factor. */
export type AxisId = number;
/** An axis of size 1: there is nothing to cut, and broadcasting stretches it. */
export const ONE: AxisId = -1;
/** An axis whose size is not known before the model runs, such as the batch. */
export const OPEN: AxisId = -2;

/** Whether the size of an axis is not known before the model runs. */
export function isOpen(axis: AxisId): boolean {
  return axis <= OPEN;
}

/**
 * An axis of size k·n, where k is a number and n is not known, such as batch and heads in one. Its index is either `i·n + …` or
 * `… + i` with i below k: both readings are kept, and the one that nothing confirms stays.
 */
export interface ScaledAxis {
  readonly outer: AxisId;
  readonly inner: AxisId;
}

/** Where an axis is: of a value or, for a constant that is read per element, of one use of it. Factors of axes are of neither. */
export interface AxisPlace {
  readonly size: number;
  readonly value?: Value;
  /** Position among the axes of the value. */
  readonly axis?: number;
  /** For a constant whose uses are cut apart from each other: the node and the input that this is of. */
  readonly reader?: { readonly node: Node; readonly slot: number };
}

/** Why something stays: what of which node. */
export interface FrozenReason {
  readonly text: string;
  readonly node?: Node;
}

/** An axis that is several in one, outermost first: index = (i0·n1 + i1)·n2 + i2 … */
export interface ProductAxis {
  readonly whole: AxisId;
  readonly factors: readonly AxisId[];
  readonly node: Node;
  /** The factor along which it is cut, where only one can be. */
  readonly forced?: number;
}

/**
 * What an analysis collects: axes of tensors, which indices of them stand or fall together, and which must stay. The relations
 * are kept as runs (start, stride, count), so a model with millions of indices takes few of them.
 */
export class AxisTable {
  places: AxisPlace[] = [];
  products: ProductAxis[] = [];
  reasons: FrozenReason[] = [];
  /** Runs of seven numbers: axis, start, stride, axis, start, stride, count. */
  runs: number[] = [];
  /** Four numbers each: axis, start, count, reason. */
  freezes: number[] = [];
  /** Axes over which products of computed tensors are repeated: the heads of attention. */
  batchAxes: Set<AxisId> = new Set();
  #scaled: ScaledAxis[] = [];
  readonly #ofValue: Map<Value, AxisId[]> = new Map();
  readonly #ofUse: Map<Node, Map<number, AxisId[]>> = new Map();

  /** The axes of a value of these sizes. */
  ofValue(value: Value, sizes: readonly Dim[]): readonly AxisId[] {
    let known = this.#ofValue.get(value);
    if (known === undefined) {
      known = sizes.map((size, axis) => this.#add(size, { value, axis }));
      this.#ofValue.set(value, known);
    }
    return known;
  }

  /** The axes of a constant as one node reads it. */
  ofUse(value: Value, node: Node, slot: number, sizes: readonly number[]): readonly AxisId[] {
    let slots = this.#ofUse.get(node);
    if (slots === undefined) {
      slots = new Map();
      this.#ofUse.set(node, slots);
    }
    let known = slots.get(slot);
    if (known === undefined) {
      known = sizes.map((size, axis) => this.#add(size, { value, axis, reader: { node, slot } }));
      slots.set(slot, known);
    }
    return known;
  }

  /** The axes that were asked for before, of a value or of a constant as this node reads it. */
  known(value: Value, node?: Node, slot?: number): readonly AxisId[] | undefined {
    const apart = node === undefined || slot === undefined ? undefined : this.#ofUse.get(node)?.get(slot);
    return apart ?? this.#ofValue.get(value);
  }

  /** A factor of axes, in no tensor. */
  factor(size: number): AxisId {
    return this.#add(size, {});
  }

  #add(size: Dim, place: Omit<AxisPlace, 'size'>): AxisId {
    if (typeof size === 'string') return this.#addScaled(size);
    if (size === undefined || size === 0) return OPEN;
    if (size === 1) return ONE;
    this.places.push({ size, ...place });
    return this.places.length - 1;
  }

  #addScaled(size: string): AxisId {
    const coefficient = Number(/^(\d+)\*/.exec(size)?.[1] ?? 1);
    if (coefficient < 2 || divideDimsExactly(size, coefficient) === undefined) return OPEN;
    this.#scaled.push({ outer: this.factor(coefficient), inner: this.factor(coefficient) });
    return OPEN - this.#scaled.length;
  }

  /** The readings of an axis that is open but for a factor. */
  scaled(axis: AxisId | undefined): ScaledAxis | undefined {
    return axis === undefined ? undefined : this.#scaled[OPEN - axis - 1];
  }

  /** Takes note of an axis over which products of computed tensors are repeated. */
  addBatchAxis(axis: AxisId): void {
    const scaled = this.scaled(axis);
    if (scaled) for (const each of [scaled.outer, scaled.inner]) this.batchAxes.add(each);
    else if (axis >= 0) this.batchAxes.add(axis);
  }

  /** The same axes, of a copy of the model: numbers and relations are shared, so nothing may be added any more. */
  copied(nodes: ReadonlyMap<Node, Node>, values: ReadonlyMap<Value, Value>): AxisTable {
    const nodeOf = (node: Node): Node => nodes.get(node) ?? node;
    const copy = new AxisTable();
    copy.places = this.places.map(({ value, reader, ...place }) => ({
      ...place,
      ...(value ? { value: values.get(value) ?? value } : {}),
      ...(reader ? { reader: { node: nodeOf(reader.node), slot: reader.slot } } : {}),
    }));
    copy.products = this.products;
    copy.reasons = this.reasons;
    copy.runs = this.runs;
    copy.freezes = this.freezes;
    copy.batchAxes = this.batchAxes;
    copy.#scaled = this.#scaled;
    for (const [value, axes] of this.#ofValue) copy.#ofValue.set(values.get(value) ?? value, axes);
    for (const [node, slots] of this.#ofUse) copy.#ofUse.set(nodeOf(node), slots);
    return copy;
  }

  size(axis: AxisId): number {
    return axis === ONE ? 1 : (this.places[axis]?.size ?? 0);
  }

  /** Index `aStart + k·aStride` of one and `bStart + k·bStride` of the other stand or fall together, for k below `count`. */
  join(a: AxisId, aStart: number, aStride: number, b: AxisId, bStart: number, bStride: number, count: number): void {
    if (a >= 0 && b >= 0 && count > 0) this.runs.push(a, aStart, aStride, b, bStart, bStride, count);
  }

  freeze(axis: AxisId, reason: FrozenReason, start = 0, count = this.size(axis)): void {
    const scaled = this.scaled(axis);
    if (scaled) for (const each of [scaled.outer, scaled.inner]) this.freeze(each, reason);
    if (axis < 0 || count <= 0) return;
    this.freezes.push(axis, start, count, this.reasons.length);
    this.reasons.push(reason);
  }
}
