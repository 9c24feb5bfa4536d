import { computedBytes } from './computed-bytes.js';
import { rawByteLength } from './dtype.js';
import { elementCount, Tensor, typedView } from './tensor.js';

/** Indices of each axis to keep, ascending or not; undefined for all of them. */
export type KeptIndices = readonly (Int32Array | undefined)[];

/** Whether elements of a type can be taken one by one: not those of which two or more share a byte, nor strings. */
export function hasWholeBytes(tensor: Tensor): boolean {
  const bits = rawByteLength(tensor.dataType, 2);
  return bits !== undefined && bits % 2 === 0 && rawByteLength(tensor.dataType, 1) === bits / 2;
}

/**
 * The elements of a tensor at these indices of its axes, as a tensor that is computed when it is read.
 * @throws a bug error for a type without whole bytes (`hasWholeBytes`)
 */
export function takeAxes(tensor: Tensor, kept: KeptIndices): Tensor {
  const dims = tensor.dims.map((size, axis) => kept[axis]?.length ?? size);
  const width = (rawByteLength(tensor.dataType, 2) ?? 2) / 2;
  const bytes = computedBytes(elementCount(dims) * width, () => [taken(tensor, kept, dims, width)]);
  return Tensor.of(tensor.dataType, dims, bytes);
}

function taken(tensor: Tensor, kept: KeptIndices, dims: readonly number[], width: number): Uint8Array {
  // Axes behind the last that is cut are moved as one element.
  let last = tensor.rank - 1;
  let block = 1;
  while (last >= 0 && kept[last] === undefined) block *= tensor.dims[last--] as number;
  if (last < 0) return tensor.bytes();
  const source = tensor.bytes();
  const result = new Uint8Array(elementCount(dims) * width);
  const offsets = kept.slice(0, last + 1).map((indices, axis) => {
    const stride = elementCount(tensor.dims.slice(axis + 1)) * width;
    const size = dims[axis] as number;
    return Float64Array.from({ length: size }, (_, at) => (indices?.[at] ?? at) * stride);
  });
  const copy = copier(source, result, block * width);
  let to = 0;
  const visit = (axis: number, from: number): void => {
    const own = offsets[axis] as Float64Array;
    if (axis === offsets.length - 1) {
      to = copy(own, from, to);
      return;
    }
    for (const offset of own) visit(axis + 1, from + offset);
  };
  visit(0, 0);
  return result;
}

/** Copies a block from each offset in turn; gives the place after the last one. */
type Copy = (offsets: Float64Array, from: number, to: number) => number;

function copier(source: Uint8Array, result: Uint8Array, blockBytes: number): Copy {
  if (blockBytes === 4) {
    const words = typedView(Uint32Array, source);
    const out = new Uint32Array(result.buffer);
    return (offsets, from, to) => {
      let at = to / 4;
      for (let k = 0; k < offsets.length; k++) out[at++] = words[((offsets[k] as number) + from) / 4] as number;
      return at * 4;
    };
  }
  if (blockBytes < 32) {
    return (offsets, from, to) => {
      let at = to;
      for (let k = 0; k < offsets.length; k++) {
        const start = (offsets[k] as number) + from;
        for (let byte = 0; byte < blockBytes; byte++) result[at++] = source[start + byte] as number;
      }
      return at;
    };
  }
  return (offsets, from, to) => {
    let at = to;
    for (let k = 0; k < offsets.length; k++) {
      const start = (offsets[k] as number) + from;
      result.set(source.subarray(start, start + blockBytes), at);
      at += blockBytes;
    }
    return at;
  };
}
