import { floatAttribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { type Affine, channelAffine, constantOperation, normalizationAffine } from '../affine.js';
import { replaceConstantInput } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { onlyConsumer } from '../nodes.js';
import { foldInput, type LinearInput, linearInput } from './linear-input.js';
import { worsensSpread } from './weight-spread.js';

export interface FoldAffineIntoNextOptions {
  /**
   * Only what 8 bits do not notice: no shift that would move the range of the input away from zero, and no factors that drive the weights of
   * the input channels, and so the channels of the input, further apart.
   */
  readonly forIntegers: boolean;
}

/**
 * Conv(x · f + s, W, b) = Conv(x, W·f, b + Σ W·s), with f and s per input channel: a constant Mul, Div, Add, Sub, Neg
 * or a BatchNormalization before Conv, ConvTranspose, Gemm or MatMul, such as the normalization of an image.
 *
 * Fires when weights and constants are float tensors and nothing else reads the value in between. A shift needs a Conv
 * without padding, or a Gemm; it stays elsewhere, and where it is so large that rounding errors would be visible. Also
 * refuses results that would exceed the range of the weights' type, and shared weights too large to copy. Before INT8
 * (`forIntegers`) a scaler that equalizes the channels of the input stays as well. Numerics: folded in float64, rounded
 * once. Reference: ONNX Conv: it pads with zeros.
 */
export const foldAffineIntoNext = defineRewrite<FoldAffineIntoNextOptions>({
  name: 'fold-affine-into-next',
  summary:
    'Folds a constant Mul, Div, Add, Sub or BatchNormalization into the Conv, ConvTranspose, Gemm or MatMul after it.',
  group: 'fold',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {
    forIntegers: { description: 'skip folds that would make the result worse in INT8', default: false },
  },
  roots: ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'],
  rules: ({ forIntegers }) => ({ match: (node, context) => matchLinear(node, context, forIntegers) }),
});

function matchLinear(node: Node, context: RewriteContext, forIntegers: boolean): Match {
  const value = node.input(0);
  const before = value?.producer;
  if (!value || !before || before.graph !== node.graph) return undefined;
  const operation = constantOperation(before);
  const source = before.is('BatchNormalization') ? before.input(0) : operation?.input;
  const input = source && linearInput(node, source);
  if (!source || !input) return undefined;
  const affine = operation ? channelAffine(operation, input.axis) : normalizationOf(before, input, context);
  // Most of what is added before a MatMul belongs to something else.
  if (!affine || (node.is('MatMul') && affine.shift.some((s) => s !== 0))) return undefined;
  if (onlyConsumer(value) !== node) return `"${value.name}" is also used elsewhere`;
  if (forIntegers && affine.shift.some((s) => Math.abs(s) > largestShift(source)))
    return 'the shift would cost its input INT8 resolution';
  if (forIntegers && worsensSpread(input, affine.factor))
    return 'its input channels, which share one scale in INT8, would differ more in magnitude';
  const folded = foldInput(input, affine, context);
  if (typeof folded === 'string') return folded;
  return {
    nodes: [before, node],
    apply() {
      if (folded.weight) replaceConstantInput(node, 1, folded.weight);
      if (folded.bias) replaceConstantInput(node, 2, folded.bias);
      if (folded.bias && node.is('Gemm') && node.float('beta', 1) !== 1) node.setAttribute(floatAttribute('beta', 1));
      node.setInput(0, source);
      return node;
    },
  };
}

/** A shift that INT8 does not notice in values that a model computes, which lie around 0 or above it and have about unit size. */
const SMALL_SHIFT = 1;

/** What the data of a model is like is not known: it may lie far from 0, and a scaler be what brings it there. */
function largestShift(source: Value): number {
  let value: Value | undefined = source;
  while (value?.producer && (MOVERS.has(value.producer.opType) || constantOperation(value.producer)))
    value = constantOperation(value.producer)?.input ?? value.producer.input(0);
  return value?.producer ? SMALL_SHIFT : 0;
}

/** Operators that hand on the values of their first input. */
const MOVERS: ReadonlySet<string> = new Set([
  'Cast',
  'Concat',
  'Flatten',
  'Identity',
  'Reshape',
  'Slice',
  'Split',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

/** Normalizations have their channels on axis 1. */
function normalizationOf(node: Node, { axis }: LinearInput, context: RewriteContext): Affine | undefined {
  const affine = normalizationAffine(node, context.opset(node));
  if ('reason' in affine || affine.factor.length !== axis.channels) return undefined;
  return axis.rank !== undefined && axis.rank - axis.fromEnd === 1 ? affine : undefined;
}
