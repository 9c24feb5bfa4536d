import type { Dim, Shape } from '../../ir/type.js';
import { DataType } from '../../tensor/dtype.js';
import { elementCount, type Tensor, typedView } from '../../tensor/tensor.js';

/**
 * What is known of a small tensor's elements, in row-major order: sizes, axes, scales. An element is a number (not an
 * integer where the tensor is a float one), a symbolic size, or undefined.
 */
export interface Elements {
  readonly dims: readonly number[];
  readonly items: readonly Dim[];
}

/** Larger tensors are never carried: lists of sizes, axes, pads and split lengths are short. */
export const MAX_ELEMENTS = 256;
/** Float tensors are carried for the scales of Resize and size arithmetic in float. */
const MAX_FLOAT_ELEMENTS = 16;

export function scalarElements(item: Dim): Elements {
  return { dims: [], items: [item] };
}

export function listElements(items: readonly Dim[]): Elements {
  return { dims: [items.length], items };
}

/** Elements of which nothing is known but how many there are; undefined when not even that is, or they are too many. */
export function unknownElements(shape: Shape): Elements | undefined {
  const dims = numericDims(shape);
  if (!dims) return undefined;
  const count = elementCount(dims);
  return count <= MAX_ELEMENTS ? { dims, items: new Array<Dim>(count).fill(undefined) } : undefined;
}

/** The shape as numbers, when every dimension is one. */
export function numericDims(shape: Shape): number[] | undefined {
  if (!shape) return undefined;
  const dims: number[] = [];
  for (const dim of shape) {
    if (typeof dim !== 'number') return undefined;
    dims.push(dim);
  }
  return dims;
}

const INTEGER_TYPES: ReadonlySet<number> = new Set([
  DataType.INT64,
  DataType.INT32,
  DataType.INT16,
  DataType.INT8,
  DataType.UINT64,
  DataType.UINT32,
  DataType.UINT16,
  DataType.UINT8,
  DataType.BOOL,
]);

/** Whether a value of this type and size is carried at all. */
export function isCarriedCount(dataType: number, count: number): boolean {
  return count <= (INTEGER_TYPES.has(dataType) ? MAX_ELEMENTS : MAX_FLOAT_ELEMENTS);
}

export function isCarriedInteger(dataType: number): boolean {
  return INTEGER_TYPES.has(dataType);
}

/** The elements of a small integer, bool, float or double tensor; undefined for any other. */
export function tensorElements(tensor: Tensor): Elements | undefined {
  if (tensor.size > MAX_ELEMENTS) return undefined;
  if (INTEGER_TYPES.has(tensor.dataType)) return { dims: tensor.dims, items: tensor.integers() };
  if (tensor.size > MAX_FLOAT_ELEMENTS) return undefined;
  if (tensor.dataType === DataType.FLOAT) return { dims: tensor.dims, items: [...tensor.float32Array()] };
  if (tensor.dataType === DataType.DOUBLE)
    return { dims: tensor.dims, items: [...typedView(Float64Array, tensor.bytes())] };
  return undefined;
}

/** The elements as numbers, when every one is known as a number. */
export function numericItems(elements: Elements | undefined): number[] | undefined {
  return elements && numericDims(elements.items);
}

/** Distance in items between neighbours along each axis. */
export function rowStrides(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] as number) * (dims[axis + 1] as number);
  return strides;
}

/** A strided view of elements, copied: slices, transposes and broadcasts are all of this form. */
export function viewElements(
  source: Elements,
  dims: readonly number[],
  strides: readonly number[],
  offset: number,
): Elements | undefined {
  const count = elementCount(dims);
  if (count > MAX_ELEMENTS) return undefined;
  const items: Dim[] = [];
  const index = new Array<number>(dims.length).fill(0);
  for (let n = 0; n < count; n++) {
    let at = offset;
    for (let axis = 0; axis < dims.length; axis++) at += (index[axis] as number) * (strides[axis] as number);
    items.push(source.items[at]);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return { dims, items };
}

/** The same items under another shape; undefined when the counts differ. */
export function reshapeElements(source: Elements | undefined, shape: Shape): Elements | undefined {
  const dims = numericDims(shape);
  return source && dims && elementCount(dims) === source.items.length ? { dims, items: source.items } : undefined;
}

/** Items broadcast to `dims`; undefined when they do not fit. */
export function broadcastElements(source: Elements, dims: readonly number[]): Elements | undefined {
  const own = rowStrides(source.dims);
  const lead = dims.length - source.dims.length;
  if (lead < 0) return undefined;
  const strides = dims.map((dim, axis) => {
    const size = axis < lead ? 1 : source.dims[axis - lead];
    if (size !== 1 && size !== dim) return Number.NaN;
    return size === 1 ? 0 : (own[axis - lead] as number);
  });
  return strides.some(Number.isNaN) ? undefined : viewElements(source, dims, strides, 0);
}

/** Takes items along an axis by numeric indices (negative ones count from the end); undefined when out of range. */
export function gatherElements(source: Elements, indices: Elements, axis: number): Elements | undefined {
  const length = source.dims[axis];
  const wanted = numericItems(indices);
  if (length === undefined || !wanted) return undefined;
  const outer = elementCount(source.dims.slice(0, axis));
  const inner = elementCount(source.dims.slice(axis + 1));
  if (outer * inner * wanted.length > MAX_ELEMENTS) return undefined;
  const items: Dim[] = [];
  for (let o = 0; o < outer; o++) {
    for (const index of wanted) {
      const at = index < 0 ? index + length : index;
      if (!Number.isInteger(at) || at < 0 || at >= length) return undefined;
      for (let i = 0; i < inner; i++) items.push(source.items[(o * length + at) * inner + i]);
    }
  }
  return { dims: [...source.dims.slice(0, axis), ...indices.dims, ...source.dims.slice(axis + 1)], items };
}

/** Joins along an axis; the other dimensions are the caller's duty. */
export function concatElements(parts: readonly Elements[], axis: number): Elements | undefined {
  const [first] = parts;
  if (!first) return undefined;
  const outer = elementCount(first.dims.slice(0, axis));
  const items: Dim[] = [];
  for (let o = 0; o < outer; o++) {
    for (const part of parts) {
      const run = part.items.length / Math.max(outer, 1);
      for (let i = 0; i < run; i++) items.push(part.items[o * run + i]);
    }
  }
  if (items.length > MAX_ELEMENTS) return undefined;
  const length = parts.reduce((sum, part) => sum + (part.dims[axis] ?? 0), 0);
  return { dims: first.dims.map((dim, at) => (at === axis ? length : dim)), items };
}
