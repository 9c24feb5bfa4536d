import { bfloat16ToFloat32 } from './bfloat16.js';
import { DataType, type DataTypeCode, rawByteLength } from './dtype.js';
import { floatBytes, floatChunks } from './float-values.js';
import { float16ToFloat32 } from './float16.js';
import { BLOCK_ELEMENTS, type SimdKernels, simdKernels } from './kernels.js';
import { bytesOf, Tensor, type TensorBytes, typedView } from './tensor.js';

type FloatArray = Float32Array | Float64Array;

/**
 * Which factor an element gets: `factors[floor(i / inner) % factors.length]` for element `i`. So a row, a column or a channel of a
 * weight has one.
 */
export interface Scaling {
  readonly factors: Float64Array;
  readonly inner: number;
}

/**
 * A FLOAT, DOUBLE, FLOAT16 or BFLOAT16 tensor times its factors. Computed in float64 when it is read, in pieces, and rounded once;
 * scaling a scaled tensor of the same layout again multiplies the factors.
 */
export function scaledTensor(tensor: Tensor, scaling: Scaling): Tensor {
  const { dataType, dims, data } = tensor;
  const merged = data instanceof ScaledBytes ? mergeScalings(data.scaling, scaling) : undefined;
  const bytes =
    data instanceof ScaledBytes && merged
      ? new ScaledBytes(data.unscaled, dataType, merged)
      : new ScaledBytes(data, dataType, scaling);
  return Tensor.of(dataType, dims, bytes);
}

/**
 * The greatest magnitude among the elements that each factor applies to; NaN where one of them is not finite.
 * Reads the tensor once, in pieces.
 */
export function runMagnitudes(tensor: Tensor, count: number, inner: number): Float64Array {
  const magnitudes = new Float64Array(count);
  const simd = tensor.dataType === DataType.FLOAT && inner >= SIMD_RUN ? simdKernels() : undefined;
  let at = 0;
  for (const values of floatChunks(tensor)) {
    if (inner === 1) columnMagnitudes(values, at, magnitudes);
    else {
      const single = simd && values instanceof Float32Array ? values : undefined;
      forEachRun(values.length, at, count, inner, (run, from, to) => {
        const greatest = simd && single ? greatestOf(simd, single, from, to) : plainGreatestOf(values, from, to);
        // Not Math.max: a NaN stays one, whatever comes after it.
        const before = magnitudes[run] as number;
        magnitudes[run] = greatest > before || Number.isNaN(greatest) ? greatest : before;
      });
    }
    at += values.length;
  }
  return magnitudes;
}

/** Shorter runs are not worth the way into the kernels. */
const SIMD_RUN = 64;
const INFINITY_BITS = 0x7f800000;

function plainGreatestOf(values: FloatArray, from: number, to: number): number {
  let greatest = 0;
  let poison = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    poison += value * 0;
    if (value > greatest) greatest = value;
    else if (-value > greatest) greatest = -value;
  }
  return greatest + poison;
}

/** The same by blocks; infinities and NaN have the greatest bits of all. */
function greatestOf(simd: SimdKernels, values: Float32Array, from: number, to: number): number {
  let bits = 0;
  for (let start = from; start < to; start += BLOCK_ELEMENTS) {
    const block = values.subarray(start, Math.min(to, start + BLOCK_ELEMENTS));
    simd.floats.set(block);
    bits = Math.max(bits, simd.maximumOfRun(0, block.length));
  }
  return bits >= INFINITY_BITS ? Number.NaN : (new Float32Array(Int32Array.of(bits).buffer)[0] as number);
}

/** Runs of one element: a visit each would take ten times as long. */
function columnMagnitudes(values: FloatArray, at: number, magnitudes: Float64Array): void {
  const count = magnitudes.length;
  let run = at % count;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i] as number);
    // An infinity becomes NaN, and nothing is greater than that.
    if (magnitude > (magnitudes[run] as number)) magnitudes[run] = magnitude + magnitude * 0;
    else if (Number.isNaN(magnitude)) magnitudes[run] = magnitude;
    run = run + 1 === count ? 0 : run + 1;
  }
}

class ScaledBytes implements TensorBytes {
  readonly byteLength: number;
  readonly unscaled: TensorBytes;
  readonly scaling: Scaling;
  readonly range?: (start: number, end: number) => Uint8Array;
  readonly readInto?: (target: Uint8Array, start: number) => void;
  readonly #dataType: DataTypeCode;
  readonly #elementBytes: number;

  constructor(source: TensorBytes, dataType: DataTypeCode, scaling: Scaling) {
    this.byteLength = source.byteLength;
    this.unscaled = source;
    this.scaling = scaling;
    this.#dataType = dataType;
    this.#elementBytes = rawByteLength(dataType, 1) ?? 1;
    if (source.range) {
      const range = source.range.bind(source);
      this.range = (start, end) => this.#scaledRange(range, start, end);
    }
    if (source.readInto && this.range && dataType === DataType.FLOAT) {
      const [readInto, range] = [source.readInto.bind(source), this.range];
      this.readInto = (target, start) => {
        const isWhole = [start, target.byteOffset, target.byteLength].every((place) => place % 4 === 0);
        if (!isWhole) return void target.set(range(start, start + target.byteLength));
        readInto(target, start);
        const values = typedView(Float32Array, target);
        multiply(values, values, scaling, start / 4);
      };
    }
  }

  read(): Uint8Array {
    return this.#scale(this.unscaled.read(), 0);
  }

  *chunks(): Iterable<Uint8Array> {
    let at = 0;
    // A piece is valid until the next is asked for, so all share their memory.
    let memory = new Float32Array(0);
    for (const chunk of this.unscaled.chunks()) {
      const count = chunk.byteLength / this.#elementBytes;
      if (this.#dataType === DataType.FLOAT && memory.length < count) memory = new Float32Array(count);
      yield this.#scale(chunk, at, memory);
      at += count;
    }
  }

  /** A few bytes without the rest, where the source gives them. */
  #scaledRange(source: (start: number, end: number) => Uint8Array, start: number, end: number): Uint8Array {
    const first = Math.floor(start / this.#elementBytes);
    const from = first * this.#elementBytes;
    const to = Math.ceil(end / this.#elementBytes) * this.#elementBytes;
    return this.#scale(source(from, to), first).subarray(start - from, end - from);
  }

  #scale(bytes: Uint8Array, at: number, memory?: Float32Array): Uint8Array {
    switch (this.#dataType) {
      case DataType.FLOAT: {
        const values = typedView(Float32Array, bytes);
        const target = memory?.subarray(0, values.length) ?? new Float32Array(values.length);
        return bytesOf(multiply(values, target, this.scaling, at));
      }
      case DataType.DOUBLE: {
        const values = typedView(Float64Array, bytes);
        return bytesOf(multiply(values, new Float64Array(values.length), this.scaling, at));
      }
      default: {
        const half = typedView(Uint16Array, bytes);
        const wide = new Float32Array(half.length);
        if (this.#dataType === DataType.FLOAT16) float16ToFloat32(half, wide);
        else bfloat16ToFloat32(half, wide);
        return floatBytes(this.#dataType, multiply(wide, new Float64Array(half.length), this.scaling, at));
      }
    }
  }
}

function multiply<T extends FloatArray>(source: FloatArray, target: T, { factors, inner }: Scaling, at: number): T {
  if (inner === 1) {
    let run = at % factors.length;
    for (let i = 0; i < source.length; i++) {
      target[i] = (source[i] as number) * (factors[run] as number);
      run = run + 1 === factors.length ? 0 : run + 1;
    }
    return target;
  }
  forEachRun(source.length, at, factors.length, inner, (run, from, to) => {
    const factor = factors[run] as number;
    for (let i = from; i < to; i++) target[i] = (source[i] as number) * factor;
  });
  return target;
}

/** Visits the runs of `inner` elements that `length` elements from element `at` on lie in; runs are counted modulo `count`. */
function forEachRun(
  length: number,
  at: number,
  count: number,
  inner: number,
  visit: (run: number, from: number, to: number) => void,
): void {
  let run = Math.floor(at / inner) % count;
  let to = inner - (at % inner);
  for (let from = 0; from < length; from = to, to += inner) {
    visit(run, from, Math.min(to, length));
    run = run + 1 === count ? 0 : run + 1;
  }
}

/** Both at once, where one factor applies to all or the layouts are the same; else undefined. */
function mergeScalings(a: Scaling, b: Scaling): Scaling | undefined {
  if (b.factors.length === 1) return { factors: a.factors.map((f) => f * (b.factors[0] as number)), inner: a.inner };
  if (a.factors.length === 1) return mergeScalings(b, a);
  if (a.inner !== b.inner || a.factors.length !== b.factors.length) return undefined;
  return { factors: a.factors.map((f, i) => f * (b.factors[i] as number)), inner: a.inner };
}
