import { elementCount } from '../../tensor/tensor.js';
import { rowStrides } from '../infer/elements.js';

/** Elements as opaque bits: what is only moved about is not looked at. */
export type CellArray = Uint8Array | Uint16Array | Uint32Array;

/** One axis of a view: neighbours lie `stride` cells apart, or index `i` lies at `offsets[i]`. */
export interface ViewAxis {
  readonly size: number;
  readonly stride: number;
  /** Where there is no constant stride; replaces it. NaN stands for "not in the source": the fill value is taken. */
  readonly offsets?: Float64Array;
}

/** How a tensor reads another one: the element at an index lies at `offset` plus what each axis adds. */
export interface StridedView {
  readonly axes: readonly ViewAxis[];
  readonly offset: number;
}

/** The whole of a tensor in row-major order. */
export function wholeView(dims: readonly number[]): StridedView {
  const strides = rowStrides(dims);
  return { axes: dims.map((size, axis) => ({ size, stride: strides[axis] as number })), offset: 0 };
}

/** `dims` broadcast to `target`, which they must fit. */
export function broadcastView(dims: readonly number[], target: readonly number[]): StridedView {
  const strides = rowStrides(dims);
  const lead = target.length - dims.length;
  const axes = target.map((size, axis): ViewAxis => {
    const isOwn = axis >= lead && dims[axis - lead] !== 1;
    return { size, stride: isOwn ? (strides[axis - lead] as number) : 0 };
  });
  return { axes, offset: 0 };
}

/**
 * A view prepared for copying: elements of `words` cells, axes of size 1 dropped and neighbours that make one run
 * joined. Always has at least one axis.
 */
export class CopyPlan {
  readonly count: number;
  /** Whether the view is one run of the source. */
  readonly isContiguous: boolean;
  readonly #axes: readonly ViewAxis[];
  readonly #offset: number;
  readonly #row: ViewAxis;

  constructor(view: StridedView, words = 1) {
    const axes: ViewAxis[] = [];
    const scaled = view.axes.map((axis) => (words === 1 ? axis : scaleAxis(axis, words)));
    if (words > 1) scaled.push({ size: words, stride: 1 });
    this.count = elementCount(scaled.map((axis) => axis.size));
    for (const axis of scaled) {
      if (axis.size === 1 && !axis.offsets) continue;
      const outer = axes.at(-1);
      if (outer && !outer.offsets && !axis.offsets && outer.stride === axis.stride * axis.size)
        axes[axes.length - 1] = { size: outer.size * axis.size, stride: axis.stride };
      else axes.push(axis);
    }
    this.#row = axes.pop() ?? { size: 1, stride: 1 };
    this.#axes = axes;
    this.#offset = view.offset * words;
    this.isContiguous = axes.length === 0 && !this.#row.offsets && this.#row.stride === 1;
  }

  /** Cells `[from, from + count)` of a contiguous view. */
  run<T extends CellArray>(source: T, from: number, count: number): T {
    return source.subarray(this.#offset + from, this.#offset + from + count) as T;
  }

  /**
   * Copies cells `[from, from + count)` of the view to the start of `target`; `fill`, one element, stands for what is not in
   * the source.
   */
  copy(source: CellArray, target: CellArray, from: number, count: number, fill: CellArray = NOTHING): void {
    const row = this.#row;
    const axes = this.#axes;
    const index = this.#indexAt(Math.floor(from / row.size));
    let column = from % row.size;
    const last = axes.length - 1;
    const inner = axes[last];
    // Where rows lie beside each other in the source, several are copied at once: each cache line is then read once.
    const isTransposed = inner !== undefined && !inner.offsets && inner.stride === 1 && row.stride > 1 && !row.offsets;
    for (let at = 0; at < count; ) {
      let base = this.#offset;
      for (let axis = 0; axis <= last; axis++) base += axisOffset(axes[axis] as ViewAxis, index[axis] as number);
      const rows = isTransposed && column === 0 ? Math.min(inner.size - (index[last] as number), TILE) : 1;
      const whole = Math.min(rows, Math.floor((count - at) / row.size));
      if (whole > 1) {
        copyTransposed(source, base, target, at, whole, row);
        at += whole * row.size;
        index[last] = (index[last] as number) + whole - 1;
      } else {
        const run = Math.min(row.size - column, count - at);
        copyRow(source, base, target, at, row, column, run, fill);
        at += run;
        column = 0;
      }
      for (let axis = last; axis >= 0; axis--) {
        index[axis] = (index[axis] as number) + 1;
        if ((index[axis] as number) < (axes[axis] as ViewAxis).size) break;
        index[axis] = 0;
      }
    }
  }

  #indexAt(row: number): number[] {
    const index = new Array<number>(this.#axes.length).fill(0);
    for (let axis = index.length - 1, rest = row; axis >= 0; axis--) {
      const { size } = this.#axes[axis] as ViewAxis;
      index[axis] = rest % size;
      rest = Math.floor(rest / size);
    }
    return index;
  }
}

const NOTHING = new Uint8Array(1);

/** Rows of a transposed copy taken together: 16 cells of 4 bytes are a cache line. */
const TILE = 16;

function scaleAxis({ size, stride, offsets }: ViewAxis, words: number): ViewAxis {
  return offsets
    ? { size, stride: stride * words, offsets: offsets.map((offset) => offset * words) }
    : { size, stride: stride * words };
}

function axisOffset(axis: ViewAxis, index: number): number {
  return axis.offsets ? (axis.offsets[index] as number) : axis.stride * index;
}

function copyTransposed(
  source: CellArray,
  base: number,
  target: CellArray,
  at: number,
  rows: number,
  { size, stride }: ViewAxis,
): void {
  for (let column = 0; column < size; column++) {
    const from = base + column * stride;
    let to = at + column;
    for (let row = 0; row < rows; row++) {
      target[to] = source[from + row] as number;
      to += size;
    }
  }
}

/** A run of `set` shorter than this costs more in the call than it saves. */
const SHORT_RUN = 24;

function copyRow(
  source: CellArray,
  base: number,
  target: CellArray,
  at: number,
  { stride, offsets }: ViewAxis,
  column: number,
  run: number,
  fill: CellArray,
): void {
  if (Number.isNaN(base)) {
    for (let i = 0; i < run; i++) target[at + i] = fill[(column + i) % fill.length] as number;
  } else if (offsets) {
    for (let i = 0; i < run; i++) {
      const from = base + (offsets[column + i] as number);
      target[at + i] = from >= 0 ? (source[from] as number) : (fill[0] as number);
    }
  } else if (stride === 0) {
    target.fill(source[base] as number, at, at + run);
  } else if (stride === 1 && run >= SHORT_RUN) {
    target.set(source.subarray(base + column, base + column + run), at);
  } else {
    let from = base + column * stride;
    for (let i = 0; i < run; i++, from += stride) target[at + i] = source[from] as number;
  }
}
