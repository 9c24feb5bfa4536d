import { ServeOptError } from '../../errors.js';
import type { TritonDataType } from '../../proto/model-config.js';
import type { ValueSpec } from '../../samples/types.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';

interface TypeRow {
  readonly onnx: DataTypeCode;
  /** In a configuration. */
  readonly config: TritonDataType;
  /** In requests and responses of the protocol. */
  readonly wire: string;
}

/** Types that Triton's ONNX Runtime backend takes for inputs and outputs (its `onnxruntime_utils.cc`). */
export const TRITON_TYPES: readonly TypeRow[] = [
  { onnx: DataType.BOOL, config: 'TYPE_BOOL', wire: 'BOOL' },
  { onnx: DataType.UINT8, config: 'TYPE_UINT8', wire: 'UINT8' },
  { onnx: DataType.UINT16, config: 'TYPE_UINT16', wire: 'UINT16' },
  { onnx: DataType.UINT32, config: 'TYPE_UINT32', wire: 'UINT32' },
  { onnx: DataType.UINT64, config: 'TYPE_UINT64', wire: 'UINT64' },
  { onnx: DataType.INT8, config: 'TYPE_INT8', wire: 'INT8' },
  { onnx: DataType.INT16, config: 'TYPE_INT16', wire: 'INT16' },
  { onnx: DataType.INT32, config: 'TYPE_INT32', wire: 'INT32' },
  { onnx: DataType.INT64, config: 'TYPE_INT64', wire: 'INT64' },
  { onnx: DataType.FLOAT16, config: 'TYPE_FP16', wire: 'FP16' },
  { onnx: DataType.FLOAT, config: 'TYPE_FP32', wire: 'FP32' },
  { onnx: DataType.DOUBLE, config: 'TYPE_FP64', wire: 'FP64' },
  { onnx: DataType.STRING, config: 'TYPE_STRING', wire: 'BYTES' },
];

/** Why some types are refused although others of their kind are not. */
const REASONS: ReadonlyMap<DataTypeCode, string> = new Map([
  [DataType.BFLOAT16, "Triton's ONNX Runtime backend takes BF16 from release 26.04 on only"],
]);

/**
 * The type of an input or output in a configuration.
 * @throws SO3501 naming the tensor, for types that Triton's ONNX Runtime backend has no entry for
 */
export function tritonType(role: 'input' | 'output', { name, dataType, typeText }: ValueSpec): TritonDataType {
  const row = TRITON_TYPES.find(({ onnx }) => onnx === dataType);
  if (row !== undefined) return row.config;
  const kind = dataType === undefined ? 'sequences, optionals and maps' : 'tensors of this type';
  throw new ServeOptError('SO3501', `Triton cannot serve the ${role} "${name}" of type ${typeText}`, {
    why: (dataType === undefined ? undefined : REASONS.get(dataType)) ?? `its ONNX Runtime backend has no ${kind}`,
    hint: `export the model with "${name}" as a tensor of float, integers, bool or string: add a Cast in the model`,
    location: { value: name },
  });
}

/** The name that requests use for a type of a configuration: `FP32` for `TYPE_FP32`, `BYTES` for `TYPE_STRING`. */
export function wireType(type: string): string {
  return TRITON_TYPES.find(({ config }) => config === type)?.wire ?? type.replace(/^TYPE_/, '');
}
