import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { float64Values, floatFormat, floatTensor } from '../../tensor/float-values.js';
import {
  type Affine,
  type ChannelAxis,
  channelAffine,
  constantOperation,
  isSmallShift,
  normalizationAffine,
} from '../affine.js';
import { dropIfUnused, replaceConstantInput } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { absorbConsumer, onlyConsumer } from '../nodes.js';
import { dataTypeOf, shapeOf } from '../types.js';

/**
 * BN(x) · f + s and BN(x · f + s) = BN(x) with other parameters, for f and s with one value, or one per channel: Mul,
 * Div, Add, Sub, Neg or another BatchNormalization after or before a BatchNormalization, such as the Scale layers of
 * Caffe.
 *
 * Fires in inference mode when parameters and constants are float tensors, the rank is known, and nothing else reads
 * the value in between. Refuses constants that vary along other axes or widen the result, a shift before it that is so
 * large that rounding errors would be visible, and parameters that would exceed the range of their type. Numerics:
 * folded in float64, rounded once. Reference: ONNX BatchNormalization-15.
 */
export const foldAffineIntoNormalization = defineRewrite<object>({
  name: 'fold-affine-into-normalization',
  summary: 'Folds a constant Mul, Div, Add or Sub into the BatchNormalization next to it.',
  group: 'fold',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['BatchNormalization', 'Mul', 'Div', 'Add', 'Sub', 'Neg'],
  rules: () => ({
    match: (node, context) =>
      (node.is('BatchNormalization') ? matchBefore(node, context) : undefined) ?? matchAfter(node, context),
  }),
});

/** A BatchNormalization in inference mode, as numbers. */
interface Normalization {
  readonly node: Node;
  readonly affine: Affine;
  readonly scale: Float64Array;
  readonly bias: Float64Array;
  readonly mean: Float64Array;
  readonly axis: ChannelAxis;
}

function normalizationOf(node: Node | undefined, context: RewriteContext): Normalization | undefined {
  if (!node?.is('BatchNormalization') || !node.outputs[0]) return undefined;
  const affine = normalizationAffine(node, context.opset(node));
  const rank = (shapeOf(node.input(0)) ?? shapeOf(node.outputs[0]))?.length;
  if ('reason' in affine || rank === undefined || rank < 2) return undefined;
  const [scale, bias, mean] = [1, 2, 3].map((slot) => valuesOf(node.input(slot)));
  if (!scale || !bias || !mean) return undefined;
  return { node, affine, scale, bias, mean, axis: { channels: affine.factor.length, fromEnd: rank - 1, rank } };
}

function valuesOf(value: Value | undefined): Float64Array | undefined {
  const tensor = constantTensor(value);
  return tensor && float64Values(tensor);
}

/** What an elementwise node or another normalization does to each channel. */
function affineOf(
  node: Node,
  axis: ChannelAxis,
  context: RewriteContext,
): { input: Value; affine: Affine } | undefined {
  const operation = constantOperation(node);
  const affine = operation && channelAffine(operation, axis);
  if (operation) return affine && { input: operation.input, affine };
  const other = normalizationOf(node, context);
  const input = node.input(0);
  return other && input && other.axis.channels === axis.channels ? { input, affine: other.affine } : undefined;
}

function matchAfter(node: Node, context: RewriteContext): Match {
  const value = constantOperation(node)?.input ?? node.input(0);
  const normalization = normalizationOf(value?.producer, context);
  if (!value || !normalization || !node.outputs[0]) return undefined;
  const last = affineOf(node, normalization.axis, context);
  if (!last) return undefined;
  if (onlyConsumer(value) !== node) return `"${value.name}" is also used elsewhere`;
  const { factor, shift } = last.affine;
  const parameters: Parameters = [
    [1, normalization.scale.map((v, c) => v * (factor[c] as number))],
    [2, normalization.bias.map((v, c) => v * (factor[c] as number) + (shift[c] as number))],
  ];
  const reason = whyOutOfRange(normalization.node, parameters);
  if (reason !== undefined) return reason;
  return {
    nodes: [node, normalization.node],
    apply() {
      const constants = new Set(node.inputs.filter((input) => input !== value));
      replace(normalization.node, parameters);
      absorbConsumer(normalization.node, node);
      for (const constant of constants) if (constant) dropIfUnused(constant);
      return normalization.node;
    },
  };
}

function matchBefore(node: Node, context: RewriteContext): Match {
  const value = node.input(0);
  const normalization = normalizationOf(node, context);
  if (!value?.producer || !normalization) return undefined;
  const { axis, affine, scale, mean, bias } = normalization;
  const first = affineOf(value.producer, axis, context);
  const shape = shapeOf(first?.input);
  // A constant may have given the value its rank or its channels.
  if (!first || shape?.length !== axis.rank || shape?.[1] !== axis.channels) return undefined;
  if (onlyConsumer(value) !== node) return undefined;
  const shifts = affine.factor.map((f, c) => f * (first.affine.shift[c] as number));
  const format = floatFormat(dataTypeOf(value) ?? 0);
  if (!format || !isSmallShift(shifts, format))
    return 'the shift before it is so large that rounding errors would be visible';
  const parameters: Parameters = [
    [1, scale.map((v, c) => v * (first.affine.factor[c] as number))],
    [2, bias.map((v, c) => v + (shifts[c] as number) - (affine.factor[c] as number) * (mean[c] as number))],
    [3, mean.map(() => 0)],
  ];
  const reason = whyOutOfRange(node, parameters);
  if (reason !== undefined) return reason;
  const { producer } = value;
  return {
    nodes: [node, producer],
    apply() {
      replace(node, parameters);
      node.setInput(0, first.input);
      return node;
    },
  };
}

/** New parameters by slot. */
type Parameters = readonly (readonly [number, Float64Array])[];

function whyOutOfRange(node: Node, parameters: Parameters): string | undefined {
  for (const [slot, values] of parameters) {
    const format = floatFormat(dataTypeOf(node.input(slot)) ?? 0);
    if (!format || !values.every((v) => Math.abs(v) <= format.max))
      return 'its parameters would exceed the range of their type';
  }
  return undefined;
}

function replace(node: Node, parameters: Parameters): void {
  for (const [slot, values] of parameters)
    replaceConstantInput(node, slot, floatTensor(dataTypeOf(node.input(slot)) ?? 0, values));
}
