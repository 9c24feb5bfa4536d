/** Classes of operators and values that the conversion to FLOAT16 tells apart. */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { constantTensor } from '../../../ir/walk.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';

const SHAPE_ONLY = new Set([
  ...['Identity', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Expand', 'Tile', 'Slice', 'Gather'],
  ...['GatherElements', 'GatherND', 'Concat', 'Split', 'DepthToSpace', 'SpaceToDepth', 'Dropout'],
]);

/** Operators that move elements and compute nothing. */
export function isShapeOnly(node: Node): boolean {
  return node.domain === '' && SHAPE_ONLY.has(node.opType);
}

/** Operators whose output type is said by an attribute. */
const TYPE_ATTRIBUTES = new Map([
  ['Cast', 'to'],
  ['EyeLike', 'dtype'],
  ['RandomNormal', 'dtype'],
  ['RandomUniform', 'dtype'],
  ['RandomNormalLike', 'dtype'],
  ['RandomUniformLike', 'dtype'],
  ['Bernoulli', 'dtype'],
]);

/** The attribute that says the element type of a node's output, or undefined. */
export function typeAttribute(node: Node): string | undefined {
  return node.domain === '' ? TYPE_ATTRIBUTES.get(node.opType) : undefined;
}

const LOOKS_AT_ANY = new Set(['Cast', 'CastLike', 'Shape', 'Size', 'EyeLike', 'RandomNormalLike', 'RandomUniformLike']);

/** Operators whose first input may have any type, because the output has another one or only looks at the shape. */
export function takesAnyType(node: Node, slot: number): boolean {
  return slot === 0 && node.domain === '' && LOOKS_AT_ANY.has(node.opType);
}

/** Element type of a tensor value, where known. */
export function elementTypeOf(value: Value | undefined): DataTypeCode | undefined {
  if (value?.tensor) return value.tensor.dataType;
  return value?.type?.kind === 'tensor' ? value.type.dataType : undefined;
}

/** True for a dense FLOAT tensor. */
export function isFloat32(value: Value | undefined): value is Value {
  return elementTypeOf(value) === DataType.FLOAT;
}

/** True for a FLOAT constant whose elements may be replaced: not one that callers can override. */
export function isFloat32Constant(value: Value | undefined): boolean {
  return constantTensor(value)?.dataType === DataType.FLOAT;
}

const DRAWN = 'ONNX Runtime generates random numbers in float32 and float64 only';

const KEPT = new Map([
  ['RandomNormal', DRAWN],
  ['RandomNormalLike', DRAWN],
  ['RandomUniform', DRAWN],
  ['RandomUniformLike', DRAWN],
  ['Bernoulli', DRAWN],
  ['BitCast', 'it reads the bits of a float32'],
  ['MeanVarianceNormalization', 'the mean of squares exceeds the float16 range from 256 on'],
  ['HannWindow', 'it generates a table, which runtimes do in float32'],
  ['HammingWindow', 'it generates a table, which runtimes do in float32'],
  ['BlackmanWindow', 'it generates a table, which runtimes do in float32'],
  ['MelWeightMatrix', 'it generates a table, which runtimes do in float32'],
]);

/** Why an operator that the specification lets take FLOAT16 is better left alone; undefined when nothing speaks against it. */
export function keptReason(node: Node): string | undefined {
  if (node.domain !== '') return undefined;
  if (/^Scatter(ND|Elements)$/.test(node.opType) && node.string('reduction', 'none') !== 'none') {
    return 'ONNX Runtime reduces while scattering in float32 only';
  }
  return KEPT.get(node.opType);
}
