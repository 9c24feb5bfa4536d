/** Float tensors of any width as float64, and back with one rounding. */
import { float32ToBfloat16 } from './bfloat16.js';
import { DataType, type DataTypeCode, isFloat } from './dtype.js';
import { float32Chunks } from './float-chunks.js';
import { float32ToFloat16 } from './float16.js';
import { bytesOf, Tensor, typedView } from './tensor.js';

/** What the rounding and range of a float type allow. */
export interface FloatFormat {
  /** The largest finite value. */
  readonly max: number;
  /** The smallest value that has all its digits. */
  readonly smallestNormal: number;
  /** Half the distance from 1 to the next value: the relative error of one rounding. */
  readonly unitRoundoff: number;
}

const FORMATS: ReadonlyMap<DataTypeCode, FloatFormat> = new Map([
  [DataType.FLOAT, { max: 2 ** 127 * (2 - 2 ** -23), smallestNormal: 2 ** -126, unitRoundoff: 2 ** -24 }],
  [DataType.DOUBLE, { max: Number.MAX_VALUE, smallestNormal: 2 ** -1022, unitRoundoff: 2 ** -53 }],
  [DataType.FLOAT16, { max: 65504, smallestNormal: 2 ** -14, unitRoundoff: 2 ** -11 }],
  [DataType.BFLOAT16, { max: 2 ** 127 * (2 - 2 ** -7), smallestNormal: 2 ** -126, unitRoundoff: 2 ** -8 }],
]);

/** The format of FLOAT, DOUBLE, FLOAT16 and BFLOAT16; undefined for other types. */
export function floatFormat(dataType: DataTypeCode): FloatFormat | undefined {
  return FORMATS.get(dataType);
}

/** The elements in pieces, as float32 or, for DOUBLE, float64: exactly. A piece is valid until the next is asked for. */
export function* floatChunks(tensor: Tensor): Generator<Float32Array | Float64Array> {
  if (tensor.dataType !== DataType.DOUBLE) yield* float32Chunks(tensor);
  else for (const chunk of tensor.data.chunks()) yield typedView(Float64Array, chunk);
}

/** All elements as float64, exactly; undefined for types other than FLOAT, DOUBLE, FLOAT16 and BFLOAT16. Meant for small tensors. */
export function float64Values(tensor: Tensor): Float64Array | undefined {
  if (!isFloat(tensor.dataType)) return undefined;
  const values = new Float64Array(tensor.size);
  let at = 0;
  for (const chunk of floatChunks(tensor)) {
    values.set(chunk, at);
    at += chunk.length;
  }
  return values;
}

/** A tensor of a float type, each element rounded once, half to even. */
export function floatTensor(
  dataType: DataTypeCode,
  values: Float64Array,
  dims: readonly number[] = [values.length],
): Tensor {
  return Tensor.of(dataType, dims, floatBytes(dataType, values));
}

/** Elements in `raw_data` form, each rounded once, half to even. */
export function floatBytes(dataType: DataTypeCode, values: Float64Array): Uint8Array {
  if (dataType === DataType.DOUBLE) return bytesOf(values.slice());
  if (dataType === DataType.FLOAT) return bytesOf(Float32Array.from(values));
  const wide = new Float32Array(values.length);
  const half = new Uint16Array(values.length);
  roundToOdd(values, wide);
  if (dataType === DataType.FLOAT16) float32ToFloat16(wide, half);
  else float32ToBfloat16(wide, half);
  return bytesOf(half);
}

/**
 * float32 with the last bit set wherever digits were cut off: rounded once more, to a type at least two bits shorter, that
 * gives what rounding the float64 directly would (Boldo and Melquiond 2008).
 */
function roundToOdd(source: Float64Array, target: Float32Array): void {
  const bits = new Int32Array(target.buffer, target.byteOffset, target.length);
  target.set(source);
  for (let i = 0; i < source.length; i++) {
    const exact = source[i] as number;
    const near = target[i] as number;
    if (near === exact || Number.isNaN(exact)) continue;
    if (Math.abs(near) > Math.abs(exact)) bits[i] = (bits[i] as number) - 1;
    bits[i] = (bits[i] as number) | 1;
  }
}
