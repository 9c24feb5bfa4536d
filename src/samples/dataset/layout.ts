import type { Dim } from '../../ir/type.js';

/** How one array of a data set is cut into samples and shaped for its model input. */
export interface ArrayLayout {
  /** Axis of the data along which samples lie; undefined when the array is taken whole. */
  readonly sourceAxis: number | undefined;
  /** True when the same array goes with every sample. */
  readonly constant: boolean;
  /** Shape fed for one run of the fewest samples: one, or a whole block. */
  readonly sampleDims: readonly number[];
  /** Axis of the fed shape that grows when samples are stacked; undefined when they cannot be. */
  readonly batchAxis: number | undefined;
}

/** Layouts of all inputs for one way to count samples. */
export interface SampleLayout {
  /** Number of samples. */
  readonly count: number;
  /** Samples that every run takes: more than 1 when the model has a fixed batch size. */
  readonly block: number;
  /** In the order of the inputs given. */
  readonly arrays: readonly ArrayLayout[];
}

/** An array beside the shape that the model wants. */
export interface ShapePair {
  readonly dims: readonly number[];
  readonly shape: readonly Dim[] | undefined;
}

/** A model dimension that leaves the size open. Some exporters write 0 or -1 for that. */
export function isOpen(dim: Dim): boolean {
  return typeof dim !== 'number' || dim <= 0;
}

/** True when an array of `dims` can be fed where the model says `shape`. */
export function fits(dims: readonly number[], shape: readonly Dim[] | undefined): boolean {
  return !shape || (dims.length === shape.length && dims.every((d, i) => isOpen(shape[i]) || shape[i] === d));
}

const without = <T>(list: readonly T[], axis: number): T[] => list.filter((_, i) => i !== axis);
const replaced = (dims: readonly number[], axis: number, size: number) => dims.map((d, i) => (i === axis ? size : d));

function sliced(dims: readonly number[], axis: number, rows: number): ArrayLayout {
  return { sourceAxis: axis, constant: false, sampleDims: replaced(dims, axis, rows), batchAxis: axis };
}

function whole(dims: readonly number[], constant: boolean): ArrayLayout {
  return { sourceAxis: undefined, constant, sampleDims: dims, batchAxis: undefined };
}

/**
 * How an array holds `samples` samples, or undefined when it does not. In this order: the first axis, another axis that
 * only matches in one place (a recurrent state keeps its batch in the middle), one array shared by all samples, an extra
 * leading axis for a model without a batch, a missing axis of size 1, a single sample without its batch axis.
 */
export function arrayLayout({ dims, shape }: ShapePair, samples: number, rows: number): ArrayLayout | undefined {
  if (!shape) return dims[0] === samples ? sliced(dims, 0, rows) : dims.length === 0 ? whole(dims, true) : undefined;
  const rank = dims.length;
  const holdsBatch = (dim: Dim) => isOpen(dim) || dim === rows;
  if (rank === shape.length) {
    const axisFits = (axis: number) =>
      dims[axis] === samples && holdsBatch(shape[axis]) && fits(without(dims, axis), without(shape, axis));
    if (axisFits(0)) return sliced(dims, 0, rows);
    const axes = dims.map((_, axis) => axis).filter(axisFits);
    const open = axes.filter((axis) => isOpen(shape[axis]));
    const axis = open.length === 1 ? open[0] : axes.length === 1 ? axes[0] : undefined;
    if (axis !== undefined) return sliced(dims, axis, rows);
    return fits(dims, shape) && (rank === 0 || !isOpen(shape[0])) ? whole(dims, true) : undefined;
  }
  if (rank === shape.length + 1 && dims[0] === samples && rows === 1 && fits(dims.slice(1), shape))
    return { sourceAxis: 0, constant: false, sampleDims: dims.slice(1), batchAxis: undefined };
  if (rank !== shape.length - 1) return undefined;
  const second = shape[1];
  const mayAdd = second === 1 || (rank === 1 && isOpen(second));
  if (dims[0] === samples && mayAdd && holdsBatch(shape[0]) && fits(dims.slice(1), shape.slice(2)))
    return { sourceAxis: 0, constant: false, sampleDims: [rows, 1, ...dims.slice(1)], batchAxis: 0 };
  if (samples === 1 && (isOpen(shape[0]) || shape[0] === 1) && fits(dims, shape.slice(1)))
    return { sourceAxis: undefined, constant: false, sampleDims: [1, ...dims], batchAxis: 0 };
  return undefined;
}

/** A fixed batch size of the model that divides `samples` entries into blocks, or 1. */
function blockSizes(pairs: readonly ShapePair[], samples: number): number[] {
  const sizes = new Set<number>([1]);
  for (const { dims, shape } of pairs) {
    const size = shape?.[0];
    if (typeof size === 'number' && size > 1 && size <= samples && dims[0] === samples) sizes.add(size);
  }
  return [...sizes];
}

/**
 * Numbers of samples worth trying, best first: what the labels say; else the leading sizes that most arrays share, those
 * first whose model dimension is open; at last a single sample.
 */
export function sampleCounts(pairs: readonly ShapePair[], labelCount: number | undefined): number[] {
  if (labelCount !== undefined) return [...new Set([labelCount, 1])];
  const votes = new Map<number, number>();
  for (const { dims, shape } of pairs) {
    const [first] = dims;
    if (first === undefined) continue;
    const open = !shape || dims.length !== shape.length || isOpen(shape[0]) || shape[0] === 1;
    votes.set(first, (votes.get(first) ?? 0) + (open ? pairs.length + 1 : 1));
  }
  const ranked = [...votes].sort((a, b) => b[1] - a[1] || b[0] - a[0]).map(([size]) => size);
  return [...new Set([...ranked, 1])];
}

/** Layouts for `samples` entries, or undefined when some array does not hold that many. */
export function layoutFor(pairs: readonly ShapePair[], samples: number): SampleLayout | undefined {
  for (const rows of blockSizes(pairs, samples)) {
    const arrays: ArrayLayout[] = [];
    for (const pair of pairs) {
      const layout = arrayLayout(pair, samples, rows);
      if (layout) arrays.push(layout);
    }
    if (arrays.length < pairs.length) continue;
    if (samples !== 1 && arrays.every((layout) => layout.constant)) continue;
    if (!symbolsAgree(pairs, arrays)) continue;
    return { count: samples, block: rows, arrays };
  }
  return undefined;
}

/** One sample that takes every array whole, as ONNX test data does. */
export function wholeLayout(pairs: readonly ShapePair[]): SampleLayout {
  return { count: 1, block: 1, arrays: pairs.map(({ dims }) => whole(dims, false)) };
}

/** What a real symbol begins with. Some exporters write `?` for every size they do not know. */
const SYMBOL = /^[A-Za-z_]/;

/**
 * A symbol of the model has one size in all inputs that are fed together. Within one input it is not held to that:
 * exporters repeat a symbol there for sizes that have nothing to do with each other.
 */
function symbolsAgree(pairs: readonly ShapePair[], arrays: readonly ArrayLayout[]): boolean {
  const sizes = new Map<string, ReadonlySet<number>>();
  for (const [i, { shape }] of pairs.entries()) {
    const own = new Map<string, Set<number>>();
    for (const [axis, dim] of (shape ?? []).entries()) {
      const size = arrays[i]?.sampleDims[axis];
      if (typeof dim !== 'string' || !SYMBOL.test(dim) || size === undefined) continue;
      own.set(dim, (own.get(dim) ?? new Set()).add(size));
    }
    for (const [symbol, found] of own) {
      const known = sizes.get(symbol);
      if (known && ![...found].some((size) => known.has(size))) return false;
      if (!known) sizes.set(symbol, found);
    }
  }
  return true;
}
