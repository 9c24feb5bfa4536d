import type { Model } from '../../../ir/model.js';
import { type Dim, formatType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { inferTypes } from '../../../ops/infer-types.js';
import type { TritonDataType } from '../../../proto/model-config.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import type { OnnxFacts, TensorFacts } from './facts.js';

/** Types that Triton's ONNX Runtime backend has (`onnxruntime_utils.cc`). */
const TYPES: ReadonlyMap<DataTypeCode, TritonDataType> = new Map<DataTypeCode, TritonDataType>([
  [DataType.BOOL, 'TYPE_BOOL'],
  [DataType.UINT8, 'TYPE_UINT8'],
  [DataType.UINT16, 'TYPE_UINT16'],
  [DataType.UINT32, 'TYPE_UINT32'],
  [DataType.UINT64, 'TYPE_UINT64'],
  [DataType.INT8, 'TYPE_INT8'],
  [DataType.INT16, 'TYPE_INT16'],
  [DataType.INT32, 'TYPE_INT32'],
  [DataType.INT64, 'TYPE_INT64'],
  [DataType.FLOAT16, 'TYPE_FP16'],
  [DataType.FLOAT, 'TYPE_FP32'],
  [DataType.DOUBLE, 'TYPE_FP64'],
  [DataType.STRING, 'TYPE_STRING'],
  [DataType.BFLOAT16, 'TYPE_BF16'],
]);

/** Reads what the check needs of a model. Infers its types, which stay in it. */
export function onnxFacts(model: Model): OnnxFacts {
  const { unknownOps } = inferTypes(model);
  const { inputs, outputs } = model.graph;
  const isDefault = (value: Value): boolean => value.tensor !== undefined || value.sparse !== undefined;
  return {
    inputs: inputs.filter((value) => !isDefault(value)).map(tensorFacts),
    defaults: inputs.filter(isDefault).map(tensorFacts),
    outputs: outputs.map(tensorFacts),
    unknownOperators: unknownOps,
  };
}

function tensorFacts({ name, type }: Value): TensorFacts {
  const isTensor = type?.kind === 'tensor';
  return {
    name,
    type: isTensor ? TYPES.get(type.dataType) : undefined,
    isTensor,
    typeText: formatType(type),
    dims: isTensor ? type.shape?.map(sizeOf) : undefined,
  };
}

/** ONNX Runtime reports symbols and negative sizes as -1. */
function sizeOf(dim: Dim): number {
  return typeof dim === 'number' && dim >= 0 ? dim : -1;
}
