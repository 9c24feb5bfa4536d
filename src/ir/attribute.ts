import { Tensor } from '../tensor/tensor.js';
import type { Graph } from './graph.js';
import type { ValueType } from './type.js';

/** An int64: a number when it is a safe integer, else a bigint. */
export type Int64 = number | bigint;

/** `AttributeProto.AttributeType` codes of the kinds below. */
export const ATTRIBUTE_TYPE = {
  undefined: 0,
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparse_tensor: 11,
  sparse_tensors: 12,
  type: 13,
  types: 14,
} as const;

export type AttributeKind = keyof typeof ATTRIBUTE_TYPE;

/** The value of an attribute, tagged by its kind. Strings are bytes, since ONNX does not demand UTF-8 here. */
export type AttributeValue =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: Int64 }
  | { readonly kind: 'string'; readonly value: Uint8Array }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly Int64[] }
  | { readonly kind: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly kind: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  | { readonly kind: 'type'; readonly value: ValueType | undefined }
  | { readonly kind: 'types'; readonly value: readonly (ValueType | undefined)[] }
  /** A reference to an attribute of the enclosing local function; `declared` is the kind it says it has. */
  | { readonly kind: 'reference'; readonly value: string; readonly declared?: AttributeKind }
  /** Sparse tensors and kinds of a later ONNX: kept byte for byte. */
  | { readonly kind: 'opaque'; readonly value: undefined };

/** One attribute of a node. Immutable: replace it to change it (a graph inside may still be edited in place). */
export interface Attribute {
  readonly name: string;
  readonly value: AttributeValue;
  /** Where the codec read it; absent for a new one. */
  readonly origin?: object;
}

const text = new TextEncoder();

/** Builds an attribute from a plain value: integer → int, string → string, Tensor → tensor, integer list → ints, string list → strings. Floats need `floatAttribute`. */
export function attribute(
  name: string,
  value: number | bigint | string | Tensor | readonly number[] | readonly bigint[] | readonly string[],
): Attribute {
  if (typeof value === 'number' || typeof value === 'bigint') return { name, value: { kind: 'int', value } };
  if (typeof value === 'string') return { name, value: { kind: 'string', value: text.encode(value) } };
  if (value instanceof Tensor) return { name, value: { kind: 'tensor', value } };
  const list = value as readonly (number | bigint | string)[];
  if (list.length > 0 && typeof list[0] === 'string') {
    return { name, value: { kind: 'strings', value: list.map((v) => text.encode(String(v))) } };
  }
  return { name, value: { kind: 'ints', value: list as readonly Int64[] } };
}

export function floatAttribute(name: string, value: number): Attribute {
  return { name, value: { kind: 'float', value: Math.fround(value) } };
}

export function graphAttribute(name: string, value: Graph): Attribute {
  return { name, value: { kind: 'graph', value } };
}
