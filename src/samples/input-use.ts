import { functionKey } from '../ir/model-function.js';
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';

/** What the graph says about the legal values of an input. */
export interface InputUse {
  /** Least size of what it indexes. */
  readonly exclusiveUpper: number | undefined;
  /** Constants that it is compared with. */
  readonly compared: readonly number[];
  /** Values of a scalar that decide differently: constants it is compared with and their neighbours, 0 and 1 of a flag. */
  readonly deciding: readonly number[];
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
/** Uses that are looked at, over all values. */
const MOST_USES = 10_000;
const MOST_CANDIDATES = 16;

/** Operators that ask whether a number is 0. */
const FLAG_READERS: ReadonlySet<string> = new Set(['Not', 'And', 'Or', 'Xor', 'If', 'Where']);
const ORDERINGS: ReadonlySet<string> = new Set(['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual']);

/** Follows a value to what indexes with it, compares it or branches on it, into subgraphs and local functions. */
export function inputUse(input: Value): InputUse {
  let exclusiveUpper: number | undefined;
  let uses = 0;
  const compared = new Set<number>();
  const deciding = new Set<number>();
  const seen = new Set<Value>([input]);
  const queue = [input];
  const follow = (value: Value | undefined): void => {
    if (!value || seen.has(value) || seen.size >= MOST_VALUES) return;
    seen.add(value);
    queue.push(value);
  };
  for (let value = queue.shift(); value; value = queue.shift()) {
    for (const { node, slot } of value.uses) {
      if (++uses > MOST_USES) break;
      const limit = indexLimit(node, slot);
      if (limit !== undefined) exclusiveUpper = Math.min(exclusiveUpper ?? limit, limit);
      if (node.is('Equal')) for (const item of smallConstant(node.input(1 - slot))) compared.add(item);
      for (const item of decidingValues(node, slot)) deciding.add(item);
      if (node.domain === '' && CARRIERS.has(node.opType) && (slot === 0 || node.is('Concat'))) follow(node.outputs[0]);
      const called = node.graph.model.functions.get(functionKey(node.domain, node.opType, node.overload));
      if (called) follow(called.graph.inputs[slot]);
    }
  }
  const first = (values: ReadonlySet<number>): number[] => [...values].slice(0, MOST_CANDIDATES);
  return {
    exclusiveUpper,
    compared: first(compared),
    deciding: [...new Set([...first(compared), ...first(deciding)])],
  };
}

/** Values of input `slot` for which `node` goes different ways. */
function decidingValues(node: Node, slot: number): readonly number[] {
  if (node.domain !== '') return [];
  if (node.is('Equal')) return around(node, slot, [0, 1]);
  if (ORDERINGS.has(node.opType)) return around(node, slot, [0, 1, -1]);
  if (node.is('Mod') && slot === 0) return smallConstant(node.input(1)).flatMap((item) => [1, 0, Math.abs(item)]);
  const isFlag =
    (FLAG_READERS.has(node.opType) && (slot === 0 || !node.is('Where'))) ||
    (node.is('Cast') && node.int('to', 0) === DataType.BOOL);
  return isFlag ? [1, 0] : [];
}

function around(node: Node, slot: number, steps: readonly number[]): number[] {
  return smallConstant(node.input(1 - slot)).flatMap((item) => steps.map((step) => item + step));
}

/** The numbers of a constant that holds few. */
function smallConstant(value: Value | undefined): readonly number[] {
  const tensor = constantTensor(value);
  if (!tensor || tensor.size > MOST_CANDIDATES || tensor.dataType === DataType.STRING) return [];
  return INTEGERS.has(tensor.dataType) ? tensor.integers() : [];
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

export function isInteger(dataType: number | undefined): boolean {
  return dataType !== undefined && INTEGERS.has(dataType);
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
