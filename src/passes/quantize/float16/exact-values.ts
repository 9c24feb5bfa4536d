/**
 * Values that end as whole numbers, indices or flags. FLOAT16 holds whole numbers up to 2048 only, and what it rounds
 * elsewhere lands in another bin, row or class: there the error of a layer is not small but a wrong element.
 */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { elementTypeOf, isFloat32, isFloat32Constant, isShapeOnly } from './classes.js';

const REASONS = {
  exact: 'its values end as integers, indices or flags, which rounding would change',
  compared: 'its values are compared, and 16 bits round positions and amounts',
} as const;

/** How a node turns FLOAT into something else; `compared` matters only to values that no layer computes. */
type Decision = keyof typeof REASONS;

const FLOAT_TYPES: ReadonlySet<number> = new Set([
  ...[DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE, DataType.BFLOAT16],
]);

const CHOOSERS = new Set(['Equal', 'ArgMax', 'ArgMin', 'TopK', 'NonZero', 'Unique', 'Range']);
const COMPARISONS = new Set(['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual']);

function decisionOf(node: Node, slot: number): Decision | undefined {
  if (node.domain !== '') return undefined;
  if (node.is('Cast')) return FLOAT_TYPES.has(node.int('to', 0)) ? undefined : 'exact';
  if (node.is('CastLike') && slot === 0) {
    return FLOAT_TYPES.has(elementTypeOf(node.outputs[0]) ?? DataType.FLOAT) ? undefined : 'exact';
  }
  if (node.is('OneHot')) return slot === 0 ? 'exact' : undefined;
  if (CHOOSERS.has(node.opType)) return 'exact';
  return COMPARISONS.has(node.opType) ? 'compared' : undefined;
}

/** Arithmetic of numbers, as opposed to layers that compute features. */
const ARITHMETIC = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Max', 'Min', 'Clip', 'Abs', 'Neg', 'Relu', 'Floor', 'Ceil', 'Round', 'Sign'],
  ...['Where', 'Pow', 'Sqrt', 'Reciprocal', 'Log', 'Exp', 'Sum', 'Mean', 'CumSum', 'Range', 'ConstantOfShape', 'Pad'],
  ...['ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceMean', 'ReduceProd', 'Trilu', 'ScatterND', 'ScatterElements'],
  ...['Compress', 'Cast', 'CastLike', 'Resize'],
]);

function isArithmetic(node: Node): boolean {
  return node.domain === '' && (ARITHMETIC.has(node.opType) || isShapeOnly(node));
}

/**
 * The nodes that make values which end as integers, indices or flags, each with the reason: from the node that turns
 * them into such back over arithmetic and moves of elements, up to and with the layer they come from. A residual sum of
 * two layers ends the way too. `order` holds the nodes topologically, outer graphs first.
 */
export function exactValues(order: readonly Node[]): Map<Node, string> {
  const computed = featuresOf(order);
  const reasons = new Map<Node, string>();
  const pending: { readonly value: Value; readonly decision: Decision }[] = [];
  const follow = (value: Value | undefined, decision: Decision): void => {
    if (!isFloat32(value) || isFloat32Constant(value)) return;
    if (decision === 'compared' && value.producer && computed.has(value.producer)) return;
    pending.push({ value, decision });
  };
  for (const node of order) {
    for (const [slot, input] of node.inputs.entries()) {
      const decision = decisionOf(node, slot);
      if (decision === undefined) continue;
      if (decision === 'exact' && !node.is('Cast') && isFloat32(input)) reasons.set(node, REASONS.exact);
      follow(input, decision);
    }
  }
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, decision } = next;
    const node = value.producer ?? (value.isGraphInput ? value.graph.parent : undefined);
    if (!node || reasons.has(node)) continue;
    if (node.is('Constant')) continue;
    reasons.set(node, REASONS[decision]);
    for (const { graph } of node.subgraphs()) for (const output of graph.outputs) follow(output, decision);
    const dependent = node.inputs.filter((input) => isFloat32(input) && input.producer && computed.has(input.producer));
    const isLayer = !isArithmetic(node);
    if (!isLayer && dependent.length > 1) continue;
    for (const input of node.inputs) {
      if (isLayer && input?.producer && computed.has(input.producer)) continue;
      follow(input, decision);
    }
  }
  return reasons;
}

/** Nodes whose FLOAT outputs depend on a layer, rather than on inputs and constants over arithmetic alone. */
function featuresOf(order: readonly Node[]): Set<Node> {
  const computed = new Set<Node>();
  for (const node of order) {
    if (node.is('Constant') || !node.outputs.some(isFloat32)) continue;
    const depends = node.inputs.some((input) => isFloat32(input) && input.producer && computed.has(input.producer));
    if (depends || !isArithmetic(node)) computed.add(node);
  }
  return computed;
}
