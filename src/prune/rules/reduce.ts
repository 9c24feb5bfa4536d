import type { Value } from '../../ir/value.js';
import { type AxisId, ONE } from '../axis-table.js';
import { axesOfValue, type RuleContext } from '../rule-context.js';
import { type AxisRules, fromStart, rulesFor } from './rule.js';

/** Axes that are reduced stay; the others pass. @param sinceInput the operator set version from which the axes are an input */
const reduction =
  (sinceInput: number) =>
  (context: RuleContext): void => {
    const x = context.input(0);
    const y = context.output();
    if (x === undefined || y === undefined) return;
    const given = context.opset >= sinceInput ? context.integers(1) : context.node.ints('axes');
    const isGiven = context.opset >= sinceInput ? context.has(1) : given !== undefined;
    if (isGiven && given === undefined) return;
    const nothing = (given === undefined || given.length === 0) && context.node.int('noop_with_empty_axes', 0) === 1;
    if (nothing) {
      context.sameAll(x, y);
      return;
    }
    const all = given === undefined || given.length === 0 ? x.map((_, axis) => axis) : given;
    reduced(context, new Set(all.map((axis) => fromStart(axis, x.length))));
  };

function reduced(context: RuleContext, axes: ReadonlySet<number>): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  const keeps = context.node.int('keepdims', 1) === 1;
  let at = 0;
  for (const [axis, each] of x.entries()) {
    if (axes.has(axis)) reduce(context, each, x.length - axis);
    else context.same(each, y[at]);
    if (keeps || !axes.has(axis)) at++;
  }
}

/** A mean is a statistic as others are. @param fromEnd position of the axis, 1 for the last */
function reduce(context: RuleContext, axis: AxisId, fromEnd: number): void {
  context.touch(axis);
  if (axis === ONE) return;
  if (context.node.is('ReduceMean')) context.normalizes([axis]);
  else if (!isDotProduct(context, fromEnd)) context.stay(axis, 'it is reduced');
}

/** The sum of products along an axis that both factors have, as a product of matrices sums: not one of squares, nor of a share of each. */
function isDotProduct({ node, table }: RuleContext, fromEnd: number): boolean {
  const x = node.input(0);
  const product = x?.producer;
  if (!node.is('ReduceSum') || !product?.is('Mul') || x?.uses.size !== 1 || x.isGraphOutput) return false;
  const [a, b] = product.inputs;
  const has = (value: Value | undefined): boolean =>
    ((value && axesOfValue(table, value)?.at(-fromEnd)) ?? ONE) !== ONE;
  return a !== b && has(a) && has(b);
}

function argument(context: RuleContext): void {
  const x = context.input(0);
  if (x) reduced(context, new Set([fromStart(context.node.int('axis', 0), x.length)]));
}

/** The other axes pass; along this one, each result depends on all or on those before. */
function alongOneAxis(context: RuleContext, axis: number | undefined): void {
  const x = context.input(0);
  if (x === undefined || axis === undefined) return;
  const at = fromStart(axis, x.length);
  for (const index of context.node.outputs.keys()) {
    const y = context.output(index);
    if (y?.length === x.length) for (const [each, id] of x.entries()) if (each !== at) context.same(id, y[each]);
  }
}

export const REDUCE_RULES: AxisRules = new Map([
  ...rulesFor(
    'ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare',
    reduction(18),
  ),
  ...rulesFor('ReduceSum', reduction(13)),
  ...rulesFor('ArgMax ArgMin', argument),
  ...rulesFor('TopK', (context) => alongOneAxis(context, context.node.int('axis', -1))),
  ...rulesFor('CumSum CumProd', (context) => alongOneAxis(context, context.integers(1)?.[0])),
]);
