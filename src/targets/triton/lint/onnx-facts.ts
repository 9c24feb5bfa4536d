import type { Model } from '../../../ir/model.js';
import { formatType, type Shape } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { inferTypes } from '../../../ops/infer-types.js';
import type { TritonDataType } from '../../../proto/model-config.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import { inferOutputs } from '../batch-proof.js';
import { isSettled, mergedShape } from '../output-shapes.js';
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

/** Shapes of outputs as far as a file and inference tell, by name. */
export type OutputShapes = ReadonlyMap<string, OutputShape>;

interface OutputShape {
  readonly declared: Shape;
  /** What ONNX Runtime makes of it, if it infers the same. */
  readonly merged: Shape;
  /** Whether there is a doubt about that. */
  readonly isSettled: boolean;
}

/** What the file and inference tell of the outputs of a model, which stays as it is. */
export function outputShapes(model: Model): OutputShapes {
  const { shapes, open } = inferOutputs(model);
  return new Map(
    model.graph.outputs.map(({ name, type }) => {
      const declared = type?.kind === 'tensor' ? type.shape : undefined;
      const inferred = shapes.get(name);
      const merged = mergedShape(declared, inferred);
      return [name, { declared, merged, isSettled: isSettled(declared, inferred, open) }];
    }),
  );
}

/**
 * What the check needs of a model. Infers its types, which stay in it.
 * @param shapes of its outputs
 * @param reported what ONNX Runtime reports of the outputs, by name; undefined where it was not asked
 */
export function onnxFacts(
  model: Model,
  shapes: OutputShapes = outputShapes(model),
  reported?: ReadonlyMap<string, Shape>,
): OnnxFacts {
  const { unknownOps } = inferTypes(model);
  const { inputs, outputs } = model.graph;
  const isDefault = (value: Value): boolean => value.tensor !== undefined || value.sparse !== undefined;
  const outputFacts = (value: Value): TensorFacts => {
    const known = shapes.get(value.name);
    const facts = tensorFacts(value);
    if (!facts.isTensor || known === undefined) return facts;
    if (reported !== undefined) return { ...facts, dims: dimsOf(reported.get(value.name)) };
    const dims = dimsOf(known.merged);
    const declared = dimsOf(known.declared);
    return { ...facts, dims, ...(known.isSettled || declared === undefined ? {} : { otherDims: declared }) };
  };
  return {
    inputs: inputs.filter((value) => !isDefault(value)).map(tensorFacts),
    defaults: inputs.filter(isDefault).map(tensorFacts),
    outputs: outputs.map(outputFacts),
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
    dims: isTensor ? dimsOf(type.shape) : undefined,
  };
}

/** ONNX Runtime reports symbols and negative sizes as -1. */
function dimsOf(shape: Shape): number[] | undefined {
  return shape?.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : -1));
}
