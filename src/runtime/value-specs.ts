import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { type Dim, formatType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import type { ValueSpec } from './types.js';

/** The inputs a caller must feed: graph inputs without a default. */
export function inputSpecs(model: Model): ValueSpec[] {
  return model.graph.inputs.filter((value) => value.tensor === undefined && !value.sparse).map(inputSpec);
}

export function outputSpecs(model: Model): ValueSpec[] {
  return model.graph.outputs.map(baseSpec);
}

function baseSpec(value: Value): ValueSpec {
  const { type } = value;
  const isTensor = type?.kind === 'tensor';
  return {
    name: value.name,
    dataType: isTensor ? type.dataType : undefined,
    shape: isTensor ? type.shape?.map(knownDim) : undefined,
    typeText: formatType(type),
  };
}

/** Exporters write -1 (PaddlePaddle) where they mean "any size". */
function knownDim(dim: Dim): Dim {
  return typeof dim === 'number' && dim < 0 ? undefined : dim;
}

const INTEGERS: ReadonlySet<number> = new Set([
  DataType.INT64,
  DataType.INT32,
  DataType.UINT8,
  DataType.INT8,
  DataType.UINT16,
  DataType.INT16,
  DataType.UINT32,
  DataType.UINT64,
]);

function inputSpec(value: Value): ValueSpec {
  const base = baseSpec(value);
  if (base.dataType === undefined || !INTEGERS.has(base.dataType)) return base;
  const use = integerUse(value);
  return {
    ...base,
    ...(use.exclusiveUpper === undefined ? {} : { exclusiveUpper: use.exclusiveUpper }),
    ...(use.candidates.length > 0 ? { candidates: use.candidates } : {}),
  };
}

/** Operators whose output holds the same numbers, or some of them, as their first input. */
const CARRIERS: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Slice',
  'Expand',
  'Tile',
  'Concat',
]);
/** How many values are followed: enough for any way to an embedding, bounded for hostile graphs. */
const MOST_VALUES = 200;
const MOST_CANDIDATES = 16;

/** What the graph says about the legal values of an integer input: it indexes tables, or is compared with constants. */
function integerUse(input: Value): { exclusiveUpper: number | undefined; candidates: number[] } {
  let exclusiveUpper: number | undefined;
  const candidates = new Set<number>();
  const seen = new Set<Value>([input]);
  const queue = [input];
  for (let value = queue.shift(); value && seen.size < MOST_VALUES; value = queue.shift()) {
    for (const { node, slot } of value.uses) {
      const limit = indexLimit(node, slot);
      if (limit !== undefined) exclusiveUpper = Math.min(exclusiveUpper ?? limit, limit);
      if (node.is('Equal')) for (const item of smallConstant(node.input(1 - slot))) candidates.add(item);
      const output = node.outputs[0];
      if (
        output &&
        node.domain === '' &&
        CARRIERS.has(node.opType) &&
        (slot === 0 || node.is('Concat')) &&
        !seen.has(output)
      ) {
        seen.add(output);
        queue.push(output);
      }
    }
  }
  // Compared with one number only (padding, a mask): that number is no typical value.
  const useful = candidates.size > 1 && exclusiveUpper === undefined ? [...candidates].slice(0, MOST_CANDIDATES) : [];
  return {
    exclusiveUpper,
    candidates:
      input.type?.kind === 'tensor' && input.type.shape?.length === 0
        ? [...candidates].slice(0, MOST_CANDIDATES)
        : useful,
  };
}

function smallConstant(value: Value | undefined): number[] {
  const tensor = constantTensor(value);
  return tensor && tensor.size <= MOST_CANDIDATES && INTEGERS.has(tensor.dataType) ? tensor.integers() : [];
}

/** Size of the dimension that input `slot` of `node` indexes; undefined when it is no index or the size is open. */
function indexLimit(node: Node, slot: number): number | undefined {
  if (slot === 1 && (node.is('Gather') || node.is('GatherElements'))) {
    const data = node.input(0);
    const dims = constantTensor(data)?.dims ?? (data?.type?.kind === 'tensor' ? data.type.shape : undefined);
    const axis = node.int('axis', 0);
    const dim = dims?.[axis < 0 ? axis + dims.length : axis];
    return typeof dim === 'number' && dim > 0 ? dim : undefined;
  }
  if (slot === 0 && node.is('OneHot')) {
    const [depth] = smallConstant(node.input(1));
    return depth !== undefined && depth > 0 ? depth : undefined;
  }
  return node.domain === 'com.microsoft' && node.opType === 'EmbedLayerNormalization' && slot <= 1
    ? constantTensor(node.input(slot === 0 ? 2 : 4))?.dims[0]
    : undefined;
}
