/** Constants of one element, as numbers. */
import { DataType, type DataTypeCode, isFloat } from '../tensor/dtype.js';
import { float32Chunks } from '../tensor/float-chunks.js';
import { type Tensor, typedView } from '../tensor/tensor.js';

/** The number that a tensor of one element holds, in any integer, bool or 16 to 64-bit float type; undefined for any other. */
export function scalarOf(tensor: Tensor | undefined): number | undefined {
  if (tensor?.size !== 1) return undefined;
  switch (tensor.dataType) {
    case DataType.DOUBLE:
      return typedView(Float64Array, tensor.bytes())[0];
    case DataType.FLOAT:
    case DataType.FLOAT16:
    case DataType.BFLOAT16:
      for (const chunk of float32Chunks(tensor)) return chunk[0];
      return undefined;
    case DataType.INT64:
    case DataType.INT32:
    case DataType.INT16:
    case DataType.INT8:
    case DataType.UINT64:
    case DataType.UINT32:
    case DataType.UINT16:
    case DataType.UINT8:
    case DataType.BOOL:
      return tensor.integers()[0];
    default:
      return undefined;
  }
}

/** How far a constant may be from what it stands for, relatively: exporters round √2 to six digits, and 16-bit types to what they have. */
const TOLERANCE: ReadonlyMap<DataTypeCode, number> = new Map([
  [DataType.FLOAT16, 2 ** -10],
  [DataType.BFLOAT16, 2 ** -7],
]);
const FLOAT_TOLERANCE = 1e-5;

/** Whether a constant of this type stands for `expected`: the same number as far as its type can tell; integers exactly. */
export function standsFor(value: number, expected: number, dataType: DataTypeCode): boolean {
  if (value === expected) return true;
  if (!isFloat(dataType)) return false;
  return Math.abs(value - expected) <= (TOLERANCE.get(dataType) ?? FLOAT_TOLERANCE) * Math.abs(expected);
}
