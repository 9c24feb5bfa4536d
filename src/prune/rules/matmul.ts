import { type AxisId, ONE, OPEN } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { broadcast } from './elementwise.js';
import { type AxisRules, rulesFor } from './rule.js';

/** Batch axes of a product of matrices, aligned from the right: of both operands and the result. */
function batchAxes(
  context: RuleContext,
  a: readonly AxisId[],
  b: readonly AxisId[],
  y: readonly AxisId[],
  bothComputed: boolean,
): void {
  for (const operand of [a, b]) {
    const offset = y.length - operand.length;
    for (const [at, axis] of operand.slice(0, -2).entries()) {
      if (axis === ONE) continue;
      context.same(axis, y[at + offset]);
      if (bothComputed && a.length > 2 && b.length > 2) context.table.addBatchAxis(axis);
    }
  }
}

/** Y[…, m, n] = A[…, m, k] · B[…, k, n], with A or B read transposed where the flags say so. */
export function product(context: RuleContext, transA = false, transB = false, slots = [0, 1]): void {
  const [left = 0, right = 1] = slots;
  const a = context.input(left);
  const b = context.input(right);
  const y = context.output();
  if (a === undefined || b === undefined || y === undefined || a.length === 0 || b.length === 0) return;
  const isRow = a.length === 1;
  const isColumn = b.length === 1;
  const [rowsA = OPEN, innerA = OPEN] = isRow ? [ONE, a[0]] : transA ? [a.at(-1), a.at(-2)] : [a.at(-2), a.at(-1)];
  const [innerB = OPEN, columnsB = OPEN] = isColumn
    ? [b[0], ONE]
    : transB
      ? [b.at(-1), b.at(-2)]
      : [b.at(-2), b.at(-1)];
  context.same(innerA, innerB);
  if (!isRow) context.same(rowsA, isColumn ? y.at(-1) : y.at(-2));
  if (!isColumn) context.same(columnsB, y.at(-1));
  if (!isRow && !isColumn) batchAxes(context, a, b, y, !isWeightLike(context, left) && !isWeightLike(context, right));
  if (isWeightLike(context, right)) {
    context.mark(innerB, 'consumes');
    context.mark(columnsB, 'produces');
  }
  if (isWeightLike(context, left)) {
    context.mark(innerA, 'consumes');
    context.mark(rowsA, 'produces');
  }
}

/** Whether an operand is made of constants alone, through views and conversions. */
export function isWeightLike(context: RuleContext, slot: number): boolean {
  let value = context.node.input(slot);
  if (context.constant(slot)) return true;
  for (let steps = 0; steps < 8 && value?.producer; steps++) {
    const { opType } = value.producer;
    if (opType === 'Constant') return true;
    if (!['Transpose', 'Cast', 'DequantizeLinear', 'Identity', 'Reshape', 'Unsqueeze', 'Squeeze'].includes(opType))
      return false;
    value = value.producer.input(0);
  }
  return value !== undefined && value.producer === undefined && value.tensor !== undefined && !value.isGraphInput;
}

function gemm(context: RuleContext): void {
  product(context, context.node.int('transA', 0) === 1, context.node.int('transB', 0) === 1);
  const bias = context.input(2);
  if (bias === undefined) return;
  broadcast(context, [2]);
  if (bias.length === 1 || bias[0] === ONE) context.mark(bias.at(-1), 'produces');
}

function fusedMatMul(context: RuleContext): void {
  const { node } = context;
  if (node.int('transBatchA', 0) === 1 || node.int('transBatchB', 0) === 1) return;
  product(context, node.int('transA', 0) === 1, node.int('transB', 0) === 1);
}

/** What an equation without an arrow gives: the labels that it has once, in the order of the alphabet. */
function impliedLabels(left: string): string {
  const labels = [...left.replaceAll(',', '')];
  return labels
    .filter((label) => labels.indexOf(label) === labels.lastIndexOf(label))
    .sort()
    .join('');
}

/** Each label is one axis, wherever it is written. */
function einsum(context: RuleContext): void {
  const equation = context.node.string('equation', '').replaceAll(' ', '');
  const [left = '', given] = equation.split('->');
  const terms = left.split(',');
  if (equation.includes('.')) return;
  const right = given ?? impliedLabels(left);
  const axes = new Map<string, AxisId[]>();
  const operands = [
    ...terms.map((term, slot) => [term, context.input(slot)] as const),
    [right, context.output()] as const,
  ];
  for (const [term, operand] of operands) {
    if (operand?.length !== term.length) return;
    for (const [at, label] of [...term].entries()) axes.set(label, [...(axes.get(label) ?? []), operand[at] ?? OPEN]);
  }
  const computed = terms.length === 2 && !context.constant(0) && !context.constant(1);
  for (const [label, [first, ...others]] of axes) {
    if (first === undefined) continue;
    context.touch(first);
    for (const other of others) context.same(first, other);
    const isBatch = computed && right.includes(label) && terms.every((term) => term.includes(label));
    if (isBatch) context.table.addBatchAxis(first);
    for (const [slot, term] of terms.entries()) {
      if (!context.constant(slot) || !term.includes(label)) continue;
      context.mark(context.input(slot)?.[term.indexOf(label)], right.includes(label) ? 'produces' : 'consumes');
    }
  }
}

export const MATMUL_RULES: AxisRules = new Map([
  ...rulesFor('MatMul', (context) => product(context)),
  ...rulesFor('Gemm com.microsoft:FusedGemm', gemm),
  ...rulesFor('com.microsoft:FusedMatMul', fusedMatMul),
  ...rulesFor('Einsum', einsum),
]);
