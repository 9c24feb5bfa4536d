import { functionKey } from '../ir/model-function.js';
import type { Node } from '../ir/node.js';
import type { Dim } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { DataType } from '../tensor/dtype.js';

/** Names that exporters give to keys and values of positions before: `past_key_values.0.key`, `cache_k_0`, `past.0.value`. */
const CACHE_NAME = /past|cache|(^|[._/])(key|value|k|v)s?_?(states?)?([._/]\d+)?$/i;
/** Values that are followed on the way to where new positions are appended. */
const MOST_VALUES = 40;

/** Operators of com.microsoft and ai.onnx that append new positions themselves, and their inputs that hold the past. */
const CACHE_SLOTS: ReadonlyMap<string, readonly number[]> = new Map([
  ['Attention', [4, 5]],
  ['GroupQueryAttention', [3, 4]],
  ['MultiHeadAttention', [6, 7]],
  ['DecoderMaskedMultiHeadAttention', [5, 6]],
  ['DecoderMaskedSelfAttention', [4]],
  ['SparseAttention', [3, 4]],
]);

/**
 * The axis along which the graph appends to an input that holds keys or values of positions before; undefined for other
 * inputs. The graph's own Concat tells, or an attention operator that has a past; else a name and a rank of the kind.
 */
export function cacheAxis(input: Value): number | undefined {
  const { type, name } = input;
  if (type?.kind !== 'tensor' || !type.shape || !isFloat(type.dataType)) return undefined;
  const { shape } = type;
  if (shape.length < 3 || shape.length > 5) return undefined;
  const appended = appendedAxis(input, shape);
  const isNamed = CACHE_NAME.test(name);
  if (appended !== undefined && isOpen(shape[appended]) && appended > 0 && (isNamed || shape.length >= 4))
    return appended;
  return isNamed ? usualAxis(shape) : undefined;
}

const isOpen = (dim: Dim): boolean => typeof dim !== 'number' || dim < 0;

function isFloat(dataType: number): boolean {
  return (
    dataType === DataType.FLOAT ||
    dataType === DataType.FLOAT16 ||
    dataType === DataType.BFLOAT16 ||
    dataType === DataType.DOUBLE
  );
}

/** Batch, heads, positions, size; batch, positions, heads, size; either with a dimension for keys and values, or layers, before. */
function usualAxis(shape: readonly Dim[]): number | undefined {
  const first = shape.length - 4;
  if (first < 0) return undefined;
  const [heads, positions, size] = [first + 1, first + 2, first + 3];
  if (!isOpen(shape[size])) {
    if (isOpen(shape[positions])) return positions;
    if (isOpen(shape[heads])) return heads;
  }
  return undefined;
}

/** The axis of the input along which a Concat, or an attention operator, makes it longer. */
function appendedAxis(input: Value, shape: readonly Dim[]): number | undefined {
  const seen = new Set<Value>([input]);
  /** For each axis of the value, the axis of the input that it is; undefined for one that the input does not have. */
  const queue: { readonly value: Value; readonly axes: readonly (number | undefined)[] }[] = [
    { value: input, axes: shape.map((_, axis) => axis) },
  ];
  for (let at = 0; at < queue.length; at++) {
    const { value, axes } = queue[at] as (typeof queue)[number];
    for (const { node, slot } of value.uses) {
      if (node.is('Concat')) {
        const axis = axes.at(node.int('axis', 0));
        if (axis !== undefined) return axis;
      }
      if (CACHE_SLOTS.get(node.opType)?.includes(slot) && (node.domain === '' || node.domain === 'com.microsoft'))
        return axes.at(-2);
      const next = carried(node, slot, axes);
      if (!next || seen.has(next.value) || seen.size >= MOST_VALUES) continue;
      seen.add(next.value);
      queue.push(next);
    }
  }
  return undefined;
}

/** What a node makes of a value whose axes are known: the same numbers in another order of axes, or a part of them. */
function carried(
  node: Node,
  slot: number,
  axes: readonly (number | undefined)[],
): { readonly value: Value; readonly axes: readonly (number | undefined)[] } | undefined {
  const called = node.graph.model.functions.get(functionKey(node.domain, node.opType, node.overload));
  const parameter = called?.graph.inputs[slot];
  if (parameter) return { value: parameter, axes };
  const output = node.outputs[0];
  if (!output || node.domain !== '' || slot !== 0) return undefined;
  switch (node.opType) {
    case 'Identity':
    case 'Cast':
      return { value: output, axes };
    case 'Transpose': {
      const perm = node.ints('perm') ?? axes.map((_, axis) => axes.length - 1 - axis);
      return { value: output, axes: perm.map((axis) => axes[axis]) };
    }
    case 'Gather': {
      const axis = node.int('axis', 0);
      const gone = axis < 0 ? axis + axes.length : axis;
      const { type } = node.input(1) ?? {};
      const isScalar =
        node.input(1)?.tensor?.dims.length === 0 || (type?.kind === 'tensor' && type.shape?.length === 0);
      return { value: output, axes: isScalar ? axes.filter((_, at) => at !== gone) : axes };
    }
    default:
      return undefined;
  }
}
