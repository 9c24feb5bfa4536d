/** Lists of integers (axes, sizes, starts, pads) that old versions of an operator have as an attribute and new ones as an input. */
import type { Attribute, Int64 } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Dim } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { numericItems } from '../../ops/infer/elements.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import type { RewriteContext } from './rewrite.js';

/** The numbers, or `absent` where the node leaves the list out, or `unknown` where it is computed. */
export type ListOperand = readonly number[] | 'absent' | 'unknown';

/** Reads attribute `name` or input `slot`, whichever the node has. */
export function readList(context: RewriteContext, node: Node, name: string, slot: number): ListOperand {
  if (node.attributes.has(name)) return node.ints(name) ?? 'unknown';
  const value = node.input(slot);
  if (!value) return 'absent';
  return numericItems(context.elements(value)) ?? 'unknown';
}

/** Like `readList`, where a size may be symbolic or not known at all. */
export function readItems(
  context: RewriteContext,
  node: Node,
  name: string,
  slot: number,
): readonly Dim[] | 'absent' | 'unknown' {
  if (node.attributes.has(name)) return node.ints(name) ?? 'unknown';
  const value = node.input(slot);
  return value ? (context.elements(value)?.items ?? 'unknown') : 'absent';
}

/** The operator set version from which on `Operator.list` is an input. What has no row has been one for as long as it exists. */
const INPUT_SINCE: ReadonlyMap<string, number> = new Map([
  ['Reshape.shape', 5],
  ['Slice.starts', 10],
  ['Slice.ends', 10],
  ['Slice.axes', 10],
  ['Slice.steps', 10],
  ['Pad.pads', 11],
  ['Squeeze.axes', 13],
  ['Unsqueeze.axes', 13],
  ['Split.split', 13],
  ['ReduceSum.axes', 13],
  ['ReduceL1.axes', 18],
  ['ReduceL2.axes', 18],
  ['ReduceLogSum.axes', 18],
  ['ReduceLogSumExp.axes', 18],
  ['ReduceMax.axes', 18],
  ['ReduceMean.axes', 18],
  ['ReduceMin.axes', 18],
  ['ReduceProd.axes', 18],
  ['ReduceSumSquare.axes', 18],
]);

/** True where `Operator.list` is an input in this version of the operator set. */
export function isInput(opType: string, name: string, opset: number): boolean {
  return opset >= (INPUT_SINCE.get(`${opType}.${name}`) ?? 1);
}

/** What a new node needs for one list: an input to add, or an attribute. */
export interface WrittenList {
  readonly inputs: readonly Value[];
  readonly attributes: readonly Attribute[];
}

/** Writes a list for a new `opType` in the place of `at`: a new constant, or an attribute. Only for `apply`: it edits the graph. */
export function writeList(
  context: RewriteContext,
  at: Node,
  opType: string,
  name: string,
  list: readonly Int64[],
): WrittenList {
  if (!isInput(opType, name, context.opset(at)))
    return { inputs: [], attributes: [{ name, value: { kind: 'ints', value: list } }] };
  return { inputs: [addConstant(at.graph, `${nodeLabel(at)}_${name}`, Tensor.int64(list), at)], attributes: [] };
}

/** True when an attribute refers to one of the enclosing local function, so that its value differs from call to call. */
export function hasReference(node: Node): boolean {
  for (const { value } of node.attributes.values()) if (value.kind === 'reference') return true;
  return false;
}
