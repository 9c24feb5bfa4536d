import type { Node } from '../ir/node.js';
import { nodeLabel } from '../ir/problem.js';
import type { Dim } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import type { Elements } from '../ops/infer-types.js';
import type { Tensor } from '../tensor/tensor.js';
import { type AxisId, type AxisTable, isOpen, ONE, OPEN } from './axis-table.js';
import { isReadApart } from './read-apart.js';
import { wholeText } from './whole-text.js';

/** What an axis of a constant is to the node that reads it. */
export type AxisRole = 'produces' | 'consumes' | 'scales';

/** An axis with its role at a node. */
export interface RoleMark {
  readonly axis: AxisId;
  readonly role: AxisRole;
  readonly node: Node;
}

/** Options of the analysis. */
export interface DependencyOptions {
  /**
   * Cut axes over which a normalization computes its statistics too: what remains is then normalized by other statistics than
   * before, which zeroing weights does not do. Default false.
   */
  readonly throughNormalization?: boolean;
}

/** What a rule sees of one node, and how it says what depends on what. Whatever it does not mention stays whole. */
export class RuleContext {
  readonly node: Node;
  readonly table: AxisTable;
  readonly options: DependencyOptions;
  /** Version of the operator set that the node belongs to. */
  readonly opset: number;
  readonly #elements: ReadonlyMap<Value, Elements>;
  readonly #marks: RoleMark[];
  readonly #touched: Set<AxisId> = new Set();

  constructor(
    node: Node,
    table: AxisTable,
    options: DependencyOptions,
    opset: number,
    elements: ReadonlyMap<Value, Elements>,
    marks: RoleMark[],
  ) {
    this.node = node;
    this.table = table;
    this.options = options;
    this.opset = opset;
    this.#elements = elements;
    this.#marks = marks;
  }

  /** The axes of an input; undefined where it is absent or of unknown rank. */
  input(slot: number): readonly AxisId[] | undefined {
    const value = this.node.input(slot);
    return value && axesOfInput(this.table, value, this.node, slot);
  }

  output(index = 0): readonly AxisId[] | undefined {
    const value = this.node.outputs[index];
    return value && axesOfValue(this.table, value);
  }

  /** Whether an input is there, of whatever rank. */
  has(slot: number): boolean {
    return this.node.input(slot) !== undefined;
  }

  constant(slot: number): Tensor | undefined {
    return constantTensor(this.node.input(slot));
  }

  /** Elements of a small integer input as numbers; undefined unless all are known. */
  integers(slot: number): readonly number[] | undefined {
    const items = this.items(slot);
    return items?.every((item) => typeof item === 'number') ? (items as readonly number[]) : undefined;
  }

  /** Elements of a small integer input as far as they are known: a number, a symbolic size or undefined. */
  items(slot: number): readonly Dim[] | undefined {
    const value = this.node.input(slot);
    return value && this.#elements.get(value)?.items;
  }

  /** Two axes of one size whose indices are the same. Where only one of them is known, it stays. */
  same(a: AxisId | undefined, b: AxisId | undefined): void {
    if (a === undefined || b === undefined) {
      this.stay(a ?? b, 'the size of the other side is not known');
      return;
    }
    this.touch(a, b);
    const [x, y] = [this.table.scaled(a), this.table.scaled(b)];
    if (x && y && this.table.size(x.outer) === this.table.size(y.outer)) {
      this.same(x.outer, y.outer);
      this.same(x.inner, y.inner);
      return;
    }
    if (a < 0 && b < 0 && !x && !y) return;
    if (this.table.size(a) !== this.table.size(b) || a < 0 || b < 0) {
      this.stay(a, 'the size of the other side is not known');
      this.stay(b, 'the size of the other side is not known');
      return;
    }
    this.table.join(a, 0, 1, b, 0, 1, this.table.size(a));
  }

  /** Every axis of one with that of the other, which have one rank. */
  sameAll(a: readonly AxisId[] | undefined, b: readonly AxisId[] | undefined): void {
    if (a === undefined || b === undefined || a.length !== b.length) {
      for (const axis of [...(a ?? []), ...(b ?? [])]) this.stay(axis, 'the rank of the other side is not known');
      return;
    }
    for (const [at, axis] of a.entries()) this.same(axis, b[at]);
  }

  /** Index `aStart + k·aStride` of `a` is index `bStart + k·bStride` of `b`, for k below `count`. */
  run(a: AxisId, aStart: number, aStride: number, b: AxisId, bStart: number, bStride: number, count: number): void {
    this.touch(a, b);
    if (a >= 0 && b >= 0) this.table.join(a, aStart, aStride, b, bStart, bStride, count);
    else this.stay(a >= 0 ? a : b, 'the size of the other side is not known', a >= 0 ? aStart : bStart, count);
  }

  /** `whole` is several axes in one, outermost first. @param forced the factor along which alone it can be cut */
  product(whole: AxisId | undefined, factors: readonly (AxisId | undefined)[], forced?: number): void {
    const known = factors.map((factor) => factor ?? OPEN);
    if (whole === undefined || whole < 0 || known.some(isOpen)) {
      this.stay(whole, 'the sizes of its parts are not known');
      for (const factor of known) this.stay(factor, 'the size of the whole is not known');
      return;
    }
    this.touch(whole, ...known);
    const real = known.filter((factor) => factor !== ONE);
    const [only] = real;
    if (real.length === 1 && only !== undefined) {
      this.same(whole, only);
      return;
    }
    if (forced !== undefined && known[forced] === ONE) {
      for (const axis of [whole, ...real]) this.stay(axis, 'nothing is left of it but what is arranged as a block');
      return;
    }
    this.table.products.push({
      whole,
      factors: known,
      node: this.node,
      ...(forced === undefined ? {} : { forced }),
    });
  }

  factor(size: number): AxisId {
    return size === 1 ? ONE : this.table.factor(size);
  }

  /** Indices that must stay, and why. */
  stay(axis: AxisId | undefined, text: string, start?: number, count?: number): void {
    if (axis === undefined || axis === ONE || axis === OPEN) return;
    this.touch(axis);
    this.table.freeze(
      axis,
      { text: `${text} (${this.node.opType} ${nodeLabel(this.node)})`, node: this.node },
      start,
      count,
    );
  }

  /** Axes over which the node computes statistics: they stay, unless that is allowed. @returns whether they may be cut */
  normalizes(axes: readonly (AxisId | undefined)[]): boolean {
    if (this.options.throughNormalization) return true;
    for (const axis of axes) this.stay(axis, 'its statistics are computed over it');
    return false;
  }

  /** Says that an axis may be cut whatever this node does. */
  touch(...axes: readonly (AxisId | undefined)[]): void {
    for (const axis of axes) if (axis !== undefined && axis !== ONE && axis !== OPEN) this.#touched.add(axis);
  }

  mark(axis: AxisId | undefined, role: AxisRole): void {
    if (axis !== undefined && axis >= 0) this.#marks.push({ axis, role, node: this.node });
  }

  /** What no rule mentioned stays. @param text why, where not even a rule was asked */
  finish(text?: string): void {
    const all = [
      ...this.node.inputs.map((_, slot) => this.input(slot)),
      ...this.node.outputs.map((_, index) => this.output(index)),
    ];
    for (const axes of all)
      for (const axis of axes ?? [])
        if (axis !== ONE && axis !== OPEN && !this.#touched.has(axis)) this.stay(axis, text ?? wholeText(this.node));
  }
}

/** The axes of a value as a node reads it: constants that are read per element are cut for each reader apart. */
export function axesOfInput(table: AxisTable, value: Value, node: Node, slot: number): readonly AxisId[] | undefined {
  const tensor = constantTensor(value);
  if (tensor && isReadApart(node, slot, tensor.dims)) return table.ofUse(value, node, slot, tensor.dims);
  return axesOfValue(table, value);
}

export function axesOfValue(table: AxisTable, value: Value): readonly AxisId[] | undefined {
  const dims = constantTensor(value)?.dims ?? shapeOf(value);
  return dims && table.ofValue(value, dims);
}

export function shapeOf(value: Value | undefined): readonly Dim[] | undefined {
  return value?.type?.kind === 'tensor' ? value.type.shape : undefined;
}
