import type { Shape } from '../../ir/type.js';
import { DataType } from '../../tensor/dtype.js';
import { castElements, propagateElementwise } from './arithmetic.js';
import { broadcastShapes } from './broadcast.js';
import type { RuleContext, RuleTable } from './context.js';
import { broadcastElements, numericDims } from './elements.js';

/** Output 0 has the shape of input 0. */
export function sameShape(context: RuleContext): void {
  context.setShape(0, context.shape(0));
}

function unary(context: RuleContext): void {
  sameShape(context);
  propagateElementwise(context);
}

/** Operators whose opset-1 to -6 versions broadcast B into A only (attributes `broadcast` and `axis`). */
function binary(context: RuleContext): void {
  const legacy = context.schema.attributes.has('broadcast');
  const shapes = context.node.inputs.map((_, slot) => context.shape(slot));
  if (legacy) {
    context.setShape(0, shapes[0]);
    if (shapes[0]?.length !== shapes[1]?.length) return;
  } else context.setShape(0, broadcast(context, shapes));
  propagateElementwise(context);
}

export function broadcast(context: RuleContext, shapes: readonly Shape[]): Shape {
  return broadcastShapes(shapes, (reason) => context.problem(reason));
}

/** Max, Min, Sum, Mean broadcast from opset 8 on; before, all shapes are equal. */
function variadic(context: RuleContext): void {
  const shapes = context.node.inputs.map((_, slot) => context.shape(slot));
  context.setShape(0, context.since < 8 ? shapes.find((shape) => shape) : broadcast(context, shapes));
  propagateElementwise(context);
}

function where(context: RuleContext): void {
  const shape = broadcast(context, [context.shape(0), context.shape(1), context.shape(2)]);
  context.setShape(0, shape);
  const dims = numericDims(shape);
  const parts = [0, 1, 2].map((slot) => {
    const elements = context.partialElements(slot);
    return elements && dims && broadcastElements(elements, dims);
  });
  const [condition, yes, no] = parts;
  if (!condition || !yes || !no || !dims) return;
  const items = condition.items.map((flag, at) => {
    if (flag === undefined) return yes.items[at] === no.items[at] ? yes.items[at] : undefined;
    return flag ? yes.items[at] : no.items[at];
  });
  context.setElements(0, { dims, items });
}

function cast(context: RuleContext): void {
  // Before opset 6 `to` was a string such as `FLOAT`.
  const text = context.string('to');
  const to = context.int('to') ?? (text === undefined ? undefined : LEGACY_TYPES.get(text));
  context.setDataType(0, to);
  sameShape(context);
  if (to !== undefined && context.node.opType === 'Cast')
    context.setElements(0, castElements(context.elements(0), context.dataType(0), to));
}

const LEGACY_TYPES: ReadonlyMap<string, number> = new Map(Object.entries(DataType));

function castLike(context: RuleContext): void {
  sameShape(context);
  const to = context.dataType(1);
  if (to !== undefined) context.setElements(0, castElements(context.elements(0), context.dataType(0), to));
}

function identity(context: RuleContext): void {
  context.setType(0, context.type(0));
  context.setElements(0, context.elements(0));
}

function dropout(context: RuleContext): void {
  context.setShape(0, context.shape(0));
  context.setShape(1, context.shape(0));
}

function clip(context: RuleContext): void {
  sameShape(context);
  const low = context.has(1) ? context.single(1) : Number.NEGATIVE_INFINITY;
  const high = context.has(2) ? context.single(2) : Number.POSITIVE_INFINITY;
  const elements = context.since >= 11 ? context.elements(0) : undefined;
  if (!elements || typeof low !== 'number' || typeof high !== 'number') return;
  const clamp = (item: unknown) => (typeof item === 'number' ? Math.min(Math.max(item, low), high) : undefined);
  context.setElements(0, { dims: elements.dims, items: elements.items.map(clamp) });
}

function batchNormalization(context: RuleContext): void {
  sameShape(context);
  const channels = context.shape(1) ?? context.shape(2);
  for (let index = 1; index < context.outputCount; index++) context.setShape(index, channels);
}

/** Mean and inverse deviation keep the rank, with 1 for the normalized axes. */
function layerNormalization(context: RuleContext): void {
  sameShape(context);
  const shape = context.shape(0);
  const stash = context.int('stash_type') ?? DataType.FLOAT;
  const axis = shape && context.axis(context.int('axis'), shape.length);
  for (const index of [1, 2]) {
    context.setDataType(index, stash);
    if (shape && axis !== undefined)
      context.setShape(
        index,
        shape.map((dim, at) => (at < axis ? dim : 1)),
      );
  }
}

export const elementwiseRules: RuleTable = [
  ['Abs Ceil Floor Neg Not Reciprocal Relu Round Sign Sqrt', unary],
  [
    'Acos Acosh Asin Asinh Atan Atanh Celu Cos Cosh CumProd CumSum Elu Erf Exp Gelu GroupNormalization HardSigmoid ' +
      'HardSwish Hardmax InstanceNormalization IsInf IsNaN LRN LeakyRelu Log LogSoftmax LpNormalization ' +
      'MeanVarianceNormalization Mish PRelu RMSNormalization RegexFullMatch ReverseSequence RotaryEmbedding Scatter ' +
      'ScatterElements ScatterND Selu Shrink Sigmoid Sin Sinh Softmax Softplus Softsign Swish Tan Tanh TensorScatter ' +
      'ThresholdedRelu Trilu BitwiseNot Affine ParametricSoftplus ScaledTanh ImageScaler Scale ' +
      'SimplifiedLayerNormalization',
    sameShape,
  ],
  [
    'Add Sub Mul Div Pow Mod And Or Xor Equal Greater Less GreaterOrEqual LessOrEqual BitShift BitwiseAnd BitwiseOr ' +
      'BitwiseXor StringConcat',
    binary,
  ],
  ['Max Min Sum Mean', variadic],
  ['Where', where],
  ['Cast BitCast', cast],
  ['CastLike', castLike],
  ['Identity', identity],
  ['Dropout', dropout],
  ['Clip', clip],
  ['BatchNormalization', batchNormalization],
  ['LayerNormalization', layerNormalization],
];
