import type { Value } from '../ir/value.js';
import { opSchema } from '../ops/schema.js';
import { DataType, type DataTypeCode, dataTypeName } from '../tensor/dtype.js';
import { dataTypeOf } from './types.js';

/**
 * Standard operators that ONNX Runtime's CPU provider computes in FLOAT (and FLOAT16, by casting) but not in DOUBLE, with the
 * operator set from which it does after all. What they replace (Add, Mul, Exp, …) it does compute in DOUBLE.
 */
const NO_DOUBLE_BEFORE: ReadonlyMap<string, number> = new Map([
  ['Clip', 12],
  ['Gelu', Number.POSITIVE_INFINITY],
  ['HardSigmoid', Number.POSITIVE_INFINITY],
  ['HardSwish', Number.POSITIVE_INFINITY],
  ['InstanceNormalization', Number.POSITIVE_INFINITY],
  ['LeakyRelu', 16],
  ['Mish', Number.POSITIVE_INFINITY],
  ['PRelu', 16],
  ['Softplus', Number.POSITIVE_INFINITY],
]);

/**
 * Why an operator of ai.onnx cannot take the place of others for data of this type: its type is unknown, the specification does not
 * allow it at that operator set, or ONNX Runtime has no kernel. Undefined where it can.
 */
export function whyNotOfType(opType: string, opset: number, value: Value): string | undefined {
  const dataType = dataTypeOf(value);
  if (dataType === undefined) return `the type of "${value.name}" is unknown`;
  const name = dataTypeName(dataType);
  const schema = opSchema('', opType, opset);
  const parameter = schema?.inputs[0];
  const allowed = parameter && schema.typeConstraints.get(parameter.type);
  if (!allowed?.includes(`tensor(${name})`)) return `${opType} does not take ${name} in opset ${opset}`;
  if (dataType === DataType.DOUBLE && opset < (NO_DOUBLE_BEFORE.get(opType) ?? 0))
    return `ONNX Runtime has no ${opType} for double`;
  return undefined;
}

/** Types for which ONNX Runtime's CPU provider has the fused operators of com.microsoft: FLOAT, and FLOAT16 by itself or by casting. */
const CONTRIB_TYPES: ReadonlySet<DataTypeCode> = new Set([DataType.FLOAT, DataType.FLOAT16]);

/** Why an operator of com.microsoft cannot take the place of others for data of this type; undefined where it can. */
export function whyNotOfContribType(opType: string, value: Value): string | undefined {
  const dataType = dataTypeOf(value);
  if (dataType === undefined) return `the type of "${value.name}" is unknown`;
  return CONTRIB_TYPES.has(dataType) ? undefined : `ONNX Runtime has no ${opType} for ${dataTypeName(dataType)}`;
}
