import { float32Chunks } from '../tensor/float-chunks.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import { countOf } from './count-of.js';

/** Which elements of a weight become zero: a bit each, in order. */
export interface WeightMask {
  readonly tensor: Tensor;
  /** 1 for an element that becomes zero. */
  readonly zero: Uint8Array;
  readonly zeros: number;
}

/**
 * Masks of the smallest magnitudes, as `torch.nn.utils.prune.l1_unstructured`: of each weight, or with `global` of all of them
 * together. Of equal magnitudes at the limit the first go. Exact, in two passes over the weights and without a sort: float32
 * magnitudes are ordered as their bits are.
 * @param amount a fraction below 1 (rounded half to even), or a count
 */
export function magnitudeMasks(tensors: readonly Tensor[], amount: number, global: boolean): WeightMask[] {
  if (!global) return tensors.flatMap((tensor) => masksOf([tensor], amount));
  return masksOf(tensors, amount);
}

function masksOf(tensors: readonly Tensor[], amount: number): WeightMask[] {
  const total = tensors.reduce((sum, { size }) => sum + size, 0);
  const count = total === 0 ? 0 : countOf(amount, total);
  const limit = count === 0 ? undefined : limitOf(tensors, count);
  let ties = limit?.ties ?? 0;
  return tensors.map((tensor) => {
    const zero = new Uint8Array(tensor.size);
    let zeros = 0;
    let at = 0;
    if (limit)
      for (const bits of magnitudeBits(tensor)) {
        for (const each of bits) {
          const isZero = each < limit.bits || (each === limit.bits && ties > 0);
          if (isZero) {
            if (each === limit.bits) ties--;
            zero[at] = 1;
            zeros++;
          }
          at++;
        }
      }
    return { tensor, zero, zeros };
  });
}

/** The bits of the count-th smallest magnitude, and how many of exactly that size go. */
function limitOf(tensors: readonly Tensor[], count: number): { readonly bits: number; readonly ties: number } {
  const high = new Float64Array(1 << 16);
  for (const tensor of tensors)
    for (const bits of magnitudeBits(tensor))
      for (const each of bits) high[each >>> 16] = (high[each >>> 16] as number) + 1;
  let left = count;
  let upper = 0;
  while (left > (high[upper] as number)) left -= high[upper++] as number;
  const low = new Float64Array(1 << 16);
  for (const tensor of tensors)
    for (const bits of magnitudeBits(tensor))
      for (const each of bits) if (each >>> 16 === upper) low[each & 0xffff] = (low[each & 0xffff] as number) + 1;
  let lower = 0;
  while (left > (low[lower] as number)) left -= low[lower++] as number;
  return { bits: upper * 65_536 + lower, ties: left };
}

function* magnitudeBits(tensor: Tensor): Generator<Uint32Array> {
  for (const values of float32Chunks(tensor)) {
    const bits = new Uint32Array(values.length);
    bits.set(new Uint32Array(values.buffer, values.byteOffset, values.length));
    for (let k = 0; k < bits.length; k++) bits[k] = (bits[k] as number) & 0x7fffffff;
    yield bits;
  }
}

/** `kept` of every `of` elements stay: 2 of 4. */
export interface SparsePattern {
  readonly kept: number;
  readonly of: number;
}

/**
 * A mask that keeps the largest `kept` of every `of` consecutive inputs of each output; of equal magnitudes the first stay.
 * @param axis the axis of the inputs, whose size is a multiple of `of`
 */
export function patternMask(tensor: Tensor, axis: number, { kept, of }: SparsePattern): WeightMask {
  const values = new Float32Array(tensor.size);
  let at = 0;
  for (const chunk of float32Chunks(tensor)) {
    values.set(chunk, at);
    at += chunk.length;
  }
  const size = tensor.dims[axis] as number;
  const inner = elementCount(tensor.dims.slice(axis + 1));
  const zero = new Uint8Array(tensor.size);
  const order = Array.from({ length: of }, (_, k) => k);
  for (let outer = 0; outer < tensor.size; outer += size * inner)
    for (let column = 0; column < inner; column++)
      for (let block = 0; block < size; block += of) {
        const first = outer + column + block * inner;
        const magnitude = (k: number): number => Math.abs(values[first + k * inner] as number);
        const ranked = [...order].sort((a, b) => magnitude(b) - magnitude(a) || a - b);
        for (const k of ranked.slice(kept)) zero[first + k * inner] = 1;
      }
  return { tensor, zero, zeros: (tensor.size / of) * (of - kept) };
}

/** Whether at most `kept` of every `of` consecutive elements along an axis are other than zero. */
export function followsPattern(tensor: Tensor, axis: number, { kept, of }: SparsePattern): boolean {
  const size = tensor.dims[axis] as number;
  if (size % of !== 0 || tensor.size === 0) return false;
  const inner = elementCount(tensor.dims.slice(axis + 1));
  const counts = new Uint8Array(tensor.size / of);
  let place = 0;
  for (const values of float32Chunks(tensor)) {
    for (const value of values) {
      if (value !== 0) {
        const outer = Math.floor(place / (size * inner));
        const index = Math.floor(place / inner) % size;
        const block = (outer * (size / of) + Math.floor(index / of)) * inner + (place % inner);
        counts[block] = (counts[block] as number) + 1;
        if ((counts[block] as number) > kept) return false;
      }
      place++;
    }
  }
  return true;
}
