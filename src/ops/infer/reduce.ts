import type { Dim } from '../../ir/type.js';
import { addDims, maxDims, minDims, multiplyDims } from '../dim.js';
import { axesOf, type RuleContext, type RuleTable } from './context.js';
import { isCarriedInteger, listElements, scalarElements } from './elements.js';
import { unknownShape } from './layout.js';

function reduce(context: RuleContext): void {
  const shape = context.shape(0);
  const keep = context.int('keepdims') !== 0;
  const given = axesOf(context, 1);
  if (!shape) {
    if (!keep && given === 'absent' && context.int('noop_with_empty_axes') !== 1) context.setShape(0, []);
    return;
  }
  if (given === 'unknown') {
    const count = context.dim(1, 0);
    context.setShape(
      0,
      keep
        ? unknownShape(shape.length)
        : typeof count === 'number' && count > 0
          ? unknownShape(shape.length - count)
          : undefined,
    );
    return;
  }
  const empty = given === 'absent' || given.length === 0;
  if (empty && context.int('noop_with_empty_axes') === 1) {
    context.setShape(0, shape);
    return;
  }
  const axes = empty ? shape.map((_, axis) => axis) : context.axes(given, shape.length);
  if (!axes) return;
  context.setShape(
    0,
    keep ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)) : shape.filter((_, axis) => !axes.includes(axis)),
  );
  reduceElements(context, axes, keep);
}

const FOLDS: ReadonlyMap<string, (a: Dim, b: Dim) => Dim> = new Map([
  ['ReduceProd', multiplyDims],
  ['ReduceSum', addDims],
  ['ReduceMax', maxDims],
  ['ReduceMin', minDims],
]);

/** Vectors of integers only: the products and sums of shapes. */
function reduceElements(context: RuleContext, axes: readonly number[], keep: boolean): void {
  const fold = FOLDS.get(context.node.opType);
  const elements = context.elements(0);
  if (!fold || elements?.dims.length !== 1 || axes.length !== 1 || !isCarriedInteger(context.dataType(0) ?? 0)) return;
  const [first, ...rest] = elements.items;
  if (elements.items.length === 0) return;
  let total: Dim = first;
  for (const item of rest) total = total === undefined || item === undefined ? undefined : fold(total, item);
  context.setElements(0, keep ? listElements([total]) : scalarElements(total));
}

function argExtreme(context: RuleContext): void {
  const shape = context.shape(0);
  const axis = shape && context.axis(context.int('axis'), shape.length);
  if (!shape || axis === undefined) return;
  const keep = context.int('keepdims') !== 0;
  context.setShape(
    0,
    shape.flatMap((dim, at): Dim[] => (at !== axis ? [dim] : keep ? [1] : [])),
  );
}

export const reduceRules: RuleTable = [
  [
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare',
    reduce,
  ],
  ['ArgMax ArgMin', argExtreme],
];
