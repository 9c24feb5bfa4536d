import type { DataTypeCode } from '../tensor/dtype.js';
import { dataTypeName } from '../tensor/dtype.js';

/** A dimension: a size, a symbol or expression (`batch`, `2*seq+1`), or undefined when nothing is known. */
export type Dim = number | string | undefined;

/** A tensor shape; undefined means the rank itself is unknown, `[]` is a scalar. */
export type Shape = readonly Dim[] | undefined;

export interface TensorType {
  readonly kind: 'tensor' | 'sparse_tensor';
  readonly dataType: DataTypeCode;
  readonly shape: Shape;
}

export interface SequenceType {
  readonly kind: 'sequence' | 'optional';
  readonly element: ValueType | undefined;
}

export interface MapType {
  readonly kind: 'map';
  readonly keyType: DataTypeCode;
  readonly valueType: ValueType | undefined;
}

/** `Opaque` and kinds of a later ONNX: kept byte for byte, never computed with. */
export interface OpaqueType {
  readonly kind: 'opaque';
  /** Where the codec read it; only the codec looks inside. */
  readonly origin?: object;
}

/** The type of a graph value (onnx.proto TypeProto). */
export type ValueType = TensorType | SequenceType | MapType | OpaqueType;

export function tensorType(dataType: DataTypeCode, shape?: Shape): TensorType {
  return { kind: 'tensor', dataType, shape };
}

/** ONNX text syntax of a type: `float[batch,3,?]`, `float` for a scalar, `float[]` when the rank is unknown, `seq(float[N])`. */
export function formatType(type: ValueType | undefined): string {
  if (!type) return '?';
  switch (type.kind) {
    case 'tensor':
    case 'sparse_tensor': {
      const dims = type.shape?.length === 0 ? '' : `[${(type.shape ?? []).map((d) => d ?? '?').join(',')}]`;
      const text = `${dataTypeName(type.dataType)}${dims}`;
      return type.kind === 'tensor' ? text : `sparse_tensor(${text})`;
    }
    case 'sequence':
      return `seq(${formatType(type.element)})`;
    case 'optional':
      return `optional(${formatType(type.element)})`;
    case 'map':
      return `map(${dataTypeName(type.keyType)}, ${formatType(type.valueType)})`;
    case 'opaque':
      return 'opaque';
  }
}

/** Structural equality of two types, dimensions by size or symbol. */
export function sameType(a: ValueType | undefined, b: ValueType | undefined): boolean {
  return a === b || formatType(a) === formatType(b);
}
