import { DataType } from '../tensor/dtype.js';
import { elementCount, type Tensor, typedView } from '../tensor/tensor.js';
import type { SparsePattern } from './weight-masks.js';

/** Zeros of a weight, and in what order they are. */
export interface WeightSparsity {
  readonly elements: number;
  readonly zeros: number;
  readonly pattern?: FoundPattern;
}

/** At most `kept` of every `of` consecutive elements along an axis are other than zero. */
export interface FoundPattern extends SparsePattern {
  readonly axis: number;
}

/** Sizes of blocks that are tried: 1:2 is 2:4 too, and says more. Denser than three of four is no pattern that anything uses. */
const BLOCKS = [2, 4, 8, 16] as const;
const DENSEST = 0.75;

/**
 * Counts zeros and finds the sparsest N:M pattern along any axis, in one pass over the weight: a bit for each element is all that is
 * kept of it. −0 is a zero.
 * @param tensor of FLOAT, FLOAT16, BFLOAT16 or DOUBLE
 * @param firstAxis of patterns that are equally sparse, the one along this axis is given: the one that the layer sums over
 * @param onBytes told of the bytes of the weight as they pass
 */
export function weightSparsity(
  tensor: Tensor,
  firstAxis: number,
  onBytes: (chunk: Uint8Array) => void = () => {},
): WeightSparsity {
  const bits = new Uint8Array(Math.ceil(tensor.size / 8));
  let [at, zeros] = [0, 0];
  for (const chunk of tensor.data.chunks()) {
    onBytes(chunk);
    const end = at + elementsIn(tensor, chunk);
    zeros += markZeros(tensor, chunk, bits, at);
    at = end;
  }
  const shared = { elements: tensor.size, zeros };
  if (zeros < (1 - DENSEST) * tensor.size || tensor.size === 0 || zeros === tensor.size) return shared;
  const axes = [firstAxis, ...tensor.dims.keys()].filter((axis, place, all) => all.indexOf(axis) === place);
  let best: FoundPattern | undefined;
  for (const axis of axes)
    for (const of of BLOCKS) {
      const kept = mostKept(bits, tensor, axis, of);
      if (kept === undefined || kept === 0 || kept > DENSEST * of) continue;
      if (best === undefined || kept / of < best.kept / best.of) best = { kept, of, axis };
    }
  return best ? { ...shared, pattern: best } : shared;
}

function elementsIn({ dataType }: Tensor, chunk: Uint8Array): number {
  const width = dataType === DataType.DOUBLE ? 8 : dataType === DataType.FLOAT ? 4 : 2;
  return chunk.byteLength / width;
}

/** Sets the bit of each element that is zero. @returns how many there are */
function markZeros({ dataType }: Tensor, chunk: Uint8Array, bits: Uint8Array, start: number): number {
  let zeros = 0;
  const mark = (place: number): void => {
    zeros++;
    const index = start + place;
    bits[index >>> 3] = (bits[index >>> 3] as number) | (1 << (index & 7));
  };
  if (dataType === DataType.DOUBLE) {
    const values = typedView(Float64Array, chunk);
    for (let i = 0; i < values.length; i++) if (values[i] === 0) mark(i);
  } else if (dataType === DataType.FLOAT) {
    const values = typedView(Uint32Array, chunk);
    for (let i = 0; i < values.length; i++) if (((values[i] as number) & 0x7fffffff) === 0) mark(i);
  } else {
    const values = typedView(Uint16Array, chunk);
    for (let i = 0; i < values.length; i++) if (((values[i] as number) & 0x7fff) === 0) mark(i);
  }
  return zeros;
}

/** The most of every `of` along an axis that are other than zero; undefined where the axis is no multiple of it. */
function mostKept(bits: Uint8Array, { dims, size: elements }: Tensor, axis: number, of: number): number | undefined {
  const size = dims[axis] as number;
  if (size % of !== 0) return undefined;
  const inner = elementCount(dims.slice(axis + 1));
  let most = 0;
  for (let outer = 0; outer < elements; outer += size * inner)
    for (let block = 0; block < size; block += of)
      for (let column = 0; column < inner; column++) {
        let kept = 0;
        const first = outer + block * inner + column;
        for (let k = 0; k < of; k++) {
          const index = first + k * inner;
          kept += (((bits[index >>> 3] as number) >>> (index & 7)) & 1) ^ 1;
        }
        if (kept > most) {
          most = kept;
          if (most === of) return of;
        }
      }
  return most;
}
