import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';

/** What becomes of one element of a list of sizes or positions: another number, or a multiple. */
export type SizeEdit = { readonly value: number } | { readonly times: number; readonly over: number };

/** By place in the list. */
export type SizeEdits = ReadonlyMap<number, SizeEdit>;

/**
 * A list that the model computes, with elements changed: given · times / over + value, in integers. Elements without an edit stay.
 * @param before the node in front of which it is computed
 */
export function editedSizes(
  graph: Graph,
  given: Value,
  edits: SizeEdits,
  count: number,
  before: Node | undefined,
): Value {
  const isWide = given.type?.kind !== 'tensor' || given.type.dataType !== DataType.INT32;
  const list = (of: (edit: SizeEdit | undefined) => number): number[] =>
    Array.from({ length: count }, (_, at) => of(edits.get(at)));
  const steps = [
    ['Mul', 1, list((edit) => (edit === undefined ? 1 : 'value' in edit ? 0 : edit.times))],
    ['Div', 1, list((edit) => (edit === undefined || 'value' in edit ? 1 : edit.over))],
    ['Add', 0, list((edit) => (edit !== undefined && 'value' in edit ? edit.value : 0))],
  ] as const;
  let value = given;
  for (const [opType, neutral, numbers] of steps) {
    if (numbers.every((number) => number === neutral)) continue;
    const tensor = isWide ? Tensor.int64(numbers) : Tensor.int32(numbers);
    const operand = addConstant(graph, `${given.name}_${opType.toLowerCase()}`, tensor, before);
    const output = { name: `${given.name}_kept`, type: tensorType(tensor.dataType, [count]) };
    value = graph.addNode({ opType, inputs: [value, operand], outputs: [output] }, before).output();
  }
  return value;
}
