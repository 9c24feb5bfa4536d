import { ServeOptError } from '../../errors.js';
import type { ValueSpec } from '../../samples/types.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';

/** Types that ONNX Runtime for Python exchanges as NumPy arrays. */
const NUMPY_TYPES: ReadonlyMap<DataTypeCode, string> = new Map([
  [DataType.FLOAT, 'float32'],
  [DataType.DOUBLE, 'float64'],
  [DataType.FLOAT16, 'float16'],
  [DataType.INT8, 'int8'],
  [DataType.INT16, 'int16'],
  [DataType.INT32, 'int32'],
  [DataType.INT64, 'int64'],
  [DataType.UINT8, 'uint8'],
  [DataType.UINT16, 'uint16'],
  [DataType.UINT32, 'uint32'],
  [DataType.UINT64, 'uint64'],
  [DataType.BOOL, 'bool'],
  [DataType.STRING, 'string'],
]);

/** The NumPy name of an input's type. @throws SO3501 for a type that has none, and for what is no tensor */
export function inputType(spec: ValueSpec): string {
  const name = spec.dataType === undefined ? undefined : NUMPY_TYPES.get(spec.dataType);
  if (name === undefined) throw notServed('input', spec);
  return name;
}

/** Refuses an output that Python cannot be given. Sequences and maps become JSON lists and objects. @throws SO3501 */
export function checkOutputType(spec: ValueSpec): void {
  if (spec.dataType === undefined ? /^(seq|map)\(/.test(spec.typeText) : NUMPY_TYPES.has(spec.dataType)) return;
  throw notServed('output', spec);
}

function notServed(kind: 'input' | 'output', { name, typeText }: ValueSpec): ServeOptError {
  return new ServeOptError('SO3501', `The ${kind} "${name}" of type ${typeText} cannot be served by TorchServe`, {
    why: 'ONNX Runtime for Python does not exchange this type as a NumPy array',
    hint: `cast it to a common type inside the model: float32, float16, an integer of 8 to 64 bits, bool or string`,
    location: { value: name },
  });
}
