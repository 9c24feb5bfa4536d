import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { dataTypeRow } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { shapeOf } from '../types.js';
import { uniformElement } from '../uniform.js';
import { broadcastKeeps } from './broadcast-keeps.js';
import { passThrough } from './pass-through.js';

/**
 * Arithmetic with the neutral element: `x·1`, `x/1`, `x-0`, `x+(-0)`, `x+0` of integers, `x^1`, `x∨false`, `x∧true`,
 * `x⊻false` and the bitwise forms; Max, Min, Sum and Mean of one tensor; `x∧x`, `x∨x`, `max(x,x)`, `min(x,x)`.
 *
 * Fires when one operand is a constant filled with the neutral element and broadcasting with it keeps the shape of the
 * other unchanged. `x+0` of floats is handled by eliminate-add-zero: it turns -0 into 0. Refuses: a constant that makes
 * the result larger than `x`. Numerics: exact.
 */
export const eliminateNoOpArithmetic = defineRewrite<object>({
  name: 'eliminate-no-op-arithmetic',
  summary: 'Removes arithmetic with a neutral element, such as x·1 and x-0.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: [
    ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'And', 'Or', 'Xor'],
    ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitShift', 'Max', 'Min', 'Sum', 'Mean'],
  ],
  rules: () => ({ match: matchArithmetic }),
});

type IsNeutral = (tensor: Tensor, element: number) => boolean;

const isOne: IsNeutral = (_, element) => element === 1;
/** Of zeros that are none to subtract, and of those that are none to add, one has a sign: 0-0 = 0, but -0+0 = 0 and not -0. */
const isPlusZero: IsNeutral = (_, element) => Object.is(element, 0);
const isZeroToAdd: IsNeutral = (tensor, element) => Object.is(element, isInteger(tensor) ? 0 : -0);
const isAllBits: IsNeutral = (tensor, element) => element === allBits(tensor.dataType);

/** What changes nothing, and as which operands. */
const NEUTRAL: ReadonlyMap<string, { readonly is: IsNeutral; readonly slots: readonly number[] }> = new Map([
  ['Add', { is: isZeroToAdd, slots: [0, 1] }],
  ['Sub', { is: isPlusZero, slots: [1] }],
  ['Mul', { is: isOne, slots: [0, 1] }],
  ['Div', { is: isOne, slots: [1] }],
  ['Pow', { is: isOne, slots: [1] }],
  ['And', { is: isOne, slots: [0, 1] }],
  ['Or', { is: isPlusZero, slots: [0, 1] }],
  ['Xor', { is: isPlusZero, slots: [0, 1] }],
  ['BitwiseAnd', { is: isAllBits, slots: [0, 1] }],
  ['BitwiseOr', { is: isPlusZero, slots: [0, 1] }],
  ['BitwiseXor', { is: isPlusZero, slots: [0, 1] }],
  ['BitShift', { is: isPlusZero, slots: [1] }],
]);

const OF_ONE: ReadonlySet<string> = new Set(['Max', 'Min', 'Sum', 'Mean']);
const OF_EQUALS: ReadonlySet<string> = new Set(['And', 'Or', 'Max', 'Min', 'BitwiseAnd', 'BitwiseOr']);

function matchArithmetic(node: Node, context: RewriteContext): Match {
  const output = node.outputs[0];
  const [first, second] = node.inputs;
  if (!output || !first || hasReference(node)) return undefined;
  if (node.inputs.length === 1) return OF_ONE.has(node.opType) ? passThrough(node, first, output) : undefined;
  if (node.inputs.length !== 2 || !second) return undefined;
  if (first === second && OF_EQUALS.has(node.opType)) return passThrough(node, first, output);
  const neutral = NEUTRAL.get(node.opType);
  for (const slot of neutral?.slots ?? []) {
    const [constant, other] = slot === 0 ? [first, second] : [second, first];
    const tensor = context.constant(constant);
    const element = tensor && uniformElement(tensor);
    if (!tensor || element === undefined || !neutral?.is(tensor, element)) continue;
    if (!keepsShape(node, other, constant, context)) return `the constant makes the result larger than "${other.name}"`;
    return passThrough(node, other, output);
  }
  return undefined;
}

/** Before opset 7 the result always had the shape of the first operand. */
function keepsShape(node: Node, other: Value, constant: Value, context: RewriteContext): boolean {
  if (context.opset(node) >= 7) return broadcastKeeps(shapeOf(other), shapeOf(constant));
  return node.input(0) === other || !node.attributes.has('broadcast');
}

function isInteger(tensor: Tensor): boolean {
  const kind = dataTypeRow(tensor.dataType)?.kind;
  return kind === 'int' || kind === 'uint';
}

function allBits(dataType: number): number | undefined {
  const row = dataTypeRow(dataType);
  if (row?.kind === 'int') return -1;
  // 2^64 - 1 is no safe integer and is not found: what is lost is one rewrite.
  return row?.kind === 'uint' && row.bits !== undefined ? 2 ** row.bits - 1 : undefined;
}
