import { ServeOptError } from '../errors.js';
import type { ValueSpec } from '../samples/types.js';
import { DataType, type DataTypeCode } from '../tensor/dtype.js';

/** Name of a type in onnxruntime-node → ONNX code. These cross between JavaScript and ONNX Runtime; no other does. */
export const HOST_TYPES: ReadonlyMap<string, DataTypeCode> = new Map([
  ['float32', DataType.FLOAT],
  ['uint8', DataType.UINT8],
  ['int8', DataType.INT8],
  ['uint16', DataType.UINT16],
  ['int16', DataType.INT16],
  ['int32', DataType.INT32],
  ['int64', DataType.INT64],
  ['string', DataType.STRING],
  ['bool', DataType.BOOL],
  ['float16', DataType.FLOAT16],
  ['float64', DataType.DOUBLE],
  ['uint32', DataType.UINT32],
  ['uint64', DataType.UINT64],
]);

const HOST_TYPE_NAMES: ReadonlyMap<DataTypeCode, string> = new Map([...HOST_TYPES].map(([name, code]) => [code, name]));

/** Name of a data type in onnxruntime-node; undefined for a type it cannot pass. */
export function hostTypeName(code: DataTypeCode): string | undefined {
  return HOST_TYPE_NAMES.get(code);
}

/**
 * Types that onnxruntime-node accepts in an interface although their values cannot be fetched: fetching one of these
 * ends the whole process (`v8::ArrayBuffer::New`, not catchable). Every other type without a row above is refused when
 * the session is created.
 */
const DEADLY_TO_FETCH: ReadonlySet<DataTypeCode> = new Set([DataType.UINT4, DataType.INT4]);

/** onnxruntime-node collects outputs in a plain object, where this name is not a key. */
export const UNFETCHABLE_NAME = '__proto__';

const typeIsUnknown = (spec: ValueSpec): boolean =>
  spec.dataType === DataType.UNDEFINED || (spec.dataType === undefined && spec.typeText === '?');

/** Outputs whose values onnxruntime-node can hand over: pass these as `fetches`. Sequences, maps, int4 are left out. */
export function fetchableOutputs(outputs: readonly ValueSpec[]): string[] {
  return outputs
    .filter((o) => o.name !== UNFETCHABLE_NAME)
    .filter((o) => typeIsUnknown(o) || (o.dataType !== undefined && HOST_TYPE_NAMES.has(o.dataType)))
    .map((o) => o.name);
}

/**
 * Checks, before a session is made, that onnxruntime-node can feed every input and fetch at least one output.
 * @throws SO5006 naming each value and its type that stands in the way.
 */
export function screenInterface(inputs: readonly ValueSpec[], outputs: readonly ValueSpec[]): void {
  const refused: string[] = [];
  for (const input of inputs) {
    const feedable = input.dataType !== undefined && HOST_TYPE_NAMES.has(input.dataType);
    if (!feedable && !typeIsUnknown(input)) refused.push(`input "${input.name}" is ${input.typeText}`);
  }
  for (const output of outputs) {
    const code = output.dataType;
    const tensorTypeRefused = code !== undefined && !HOST_TYPE_NAMES.has(code) && !DEADLY_TO_FETCH.has(code);
    if (tensorTypeRefused && !typeIsUnknown(output)) refused.push(`output "${output.name}" is ${output.typeText}`);
  }
  if (refused.length === 0 && outputs.length > 0 && fetchableOutputs(outputs).length === 0) {
    refused.push(...outputs.map((o) => `output "${o.name}" is ${o.typeText}`));
  }
  if (refused.length === 0) return;
  const shown = refused.slice(0, 5).join(', ') + (refused.length > 5 ? ` and ${refused.length - 5} more` : '');
  throw new ServeOptError('SO5006', `ONNX Runtime for Node cannot pass values of this model: ${shown}`, {
    why: `It passes tensors of ${[...HOST_TYPES.keys()].join(', ')} only`,
  });
}
