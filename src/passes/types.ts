/** What is known of the types of values, as passes ask it. */
import type { Dim, Shape } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { DataType, type DataTypeCode } from '../tensor/dtype.js';

/** The element type of a tensor value, or undefined. */
export function dataTypeOf(value: Value | undefined): DataTypeCode | undefined {
  if (!value) return undefined;
  if (value.tensor) return value.tensor.dataType;
  const { type } = value;
  return type?.kind === 'tensor' && type.dataType !== DataType.UNDEFINED ? type.dataType : undefined;
}

/** The shape of a tensor value; undefined where the rank is not known. */
export function shapeOf(value: Value | undefined): Shape {
  if (!value) return undefined;
  if (value.tensor) return value.tensor.dims;
  return value.type?.kind === 'tensor' ? value.type.shape : undefined;
}

export function rankOf(value: Value | undefined): number | undefined {
  return shapeOf(value)?.length;
}

/** True when two sizes are the same whatever the symbols are. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a !== undefined && a === b;
}

/** True when two shapes are known and the same whatever the symbols are. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((dim, axis) => sameDim(dim, b[axis]));
}

/** An axis counted from the front; undefined when it is out of range. */
export function frontAxis(axis: number, rank: number): number | undefined {
  const front = axis < 0 ? axis + rank : axis;
  return Number.isInteger(front) && front >= 0 && front < rank ? front : undefined;
}
