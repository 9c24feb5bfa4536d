import { bug } from '../errors.js';
import { bfloat16ToFloat32 } from './bfloat16.js';
import { DataType, type DataTypeCode, dataTypeName } from './dtype.js';
import { float16ToFloat32 } from './float16.js';
import { type Tensor, typedView } from './tensor.js';

/**
 * The elements of a FLOAT, FLOAT16, BFLOAT16 or DOUBLE tensor as float32, in order and in pieces; only one piece is in
 * memory, and it is valid until the next one is asked for. DOUBLE is rounded to float32.
 */
export function* float32Chunks(tensor: Tensor): Generator<Float32Array> {
  let buffer = new Float32Array(0);
  for (const chunk of tensor.data.chunks()) {
    if (tensor.dataType === DataType.FLOAT) {
      yield typedView(Float32Array, chunk);
      continue;
    }
    const count = chunk.byteLength / (tensor.dataType === DataType.DOUBLE ? 8 : 2);
    if (buffer.length < count) buffer = new Float32Array(count);
    const target = buffer.subarray(0, count);
    widen(tensor.dataType, chunk, target);
    yield target;
  }
}

function widen(dataType: DataTypeCode, bytes: Uint8Array, target: Float32Array): void {
  if (dataType === DataType.FLOAT16) float16ToFloat32(typedView(Uint16Array, bytes), target);
  else if (dataType === DataType.BFLOAT16) bfloat16ToFloat32(typedView(Uint16Array, bytes), target);
  else if (dataType === DataType.DOUBLE) target.set(typedView(Float64Array, bytes));
  else throw bug(`expected a float tensor, got ${dataTypeName(dataType)}`);
}
