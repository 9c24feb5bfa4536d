/** Conv, ConvTranspose, Gemm and MatMul as nodes whose weights and bias can take a factor and a shift per input channel. */
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { dataTypeName } from '../../tensor/dtype.js';
import { float64Values, floatChunks, floatFormat, floatTensor } from '../../tensor/float-values.js';
import type { Scaling } from '../../tensor/scaled-tensor.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { type Affine, type ChannelAxis, isSmallShift } from '../affine.js';
import { hasReference } from '../engine/operands.js';
import type { RewriteContext } from '../engine/rewrite.js';
import { shapeOf } from '../types.js';
import { scaledConstant } from './linear-output.js';

/** A node with a constant weight, as seen from its first input. */
export interface LinearInput {
  readonly node: Node;
  readonly weight: Tensor;
  readonly axis: ChannelAxis;
}

/** What the fold puts in the place of weight and bias; undefined for one that stays. */
export interface FoldedInput {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
}

/** The channels that `source`, put in the place of the first input of a node, would have, where its weight is a constant that fits. */
export function linearInput(node: Node, source: Value): LinearInput | undefined {
  if (hasReference(node)) return undefined;
  const shape = shapeOf(source);
  const weight = constantTensor(node.input(1));
  if (!shape || !weight || !floatFormat(weight.dataType)) return undefined;
  const rank = shape.length;
  const convolution = node.is('Conv') || node.is('ConvTranspose');
  if (convolution ? rank < 3 || weight.rank !== rank : rank < 2 || weight.rank < 2) return undefined;
  if (node.is('Gemm') && (rank !== 2 || weight.rank !== 2)) return undefined;
  const fromEnd = convolution ? rank - 1 : node.is('Gemm') && node.int('transA', 0) !== 0 ? 2 : 1;
  const channels = inputChannels(node, weight);
  // A constant may widen what it is added to: then the node sees more channels than `source` has.
  if (channels < 1 || shape[rank - fromEnd] !== channels) return undefined;
  return { node, weight, axis: { channels, fromEnd, rank } };
}

function inputChannels(node: Node, { dims }: Tensor): number {
  if (node.is('Conv')) return (dims[1] as number) * node.int('group', 1);
  if (node.is('ConvTranspose')) return dims[0] as number;
  return (node.is('Gemm') && node.int('transB', 0) !== 0 ? dims[1] : dims.at(-2)) as number;
}

/** Weight and bias with the affine of the input folded in, or why that cannot be. */
export function foldInput(input: LinearInput, affine: Affine, context: RewriteContext): FoldedInput | string {
  const { node, weight } = input;
  const bias = affine.shift.some((s) => s !== 0) ? shiftedBias(input, affine.shift) : undefined;
  if (typeof bias === 'string') return bias;
  if (affine.factor.every((f) => f === 1)) return { weight: undefined, bias };
  const scaling = inputScaling(node, weight, affine.factor);
  const value = node.input(1);
  if (typeof scaling === 'string') return scaling;
  if (!value) return 'it has no weight';
  const scaled = scaledConstant(value, weight, scaling, context);
  return typeof scaled === 'string' ? scaled : { weight: scaled, bias };
}

/** Where the factor of each input channel goes in a weight. */
export function inputScaling(node: Node, weight: Tensor, factor: Float64Array): Scaling | string {
  if (factor.every((f) => f === factor[0])) return { factors: factor.slice(0, 1), inner: Math.max(1, weight.size) };
  const { dims } = weight;
  if (node.is('ConvTranspose')) return { factors: factor, inner: elementCount(dims.slice(1)) };
  if (!node.is('Conv')) {
    const rows = node.is('Gemm') && node.int('transB', 0) !== 0;
    return { factors: factor, inner: rows ? 1 : (dims.at(-1) as number) };
  }
  const inner = elementCount(dims.slice(2));
  const group = node.int('group', 1);
  if (group === 1) return { factors: factor, inner };
  // [outputs, inputs / group, …kernel]: the group of an output says which inputs it sees.
  const [outputs, perGroup] = dims as [number, number];
  if (outputs % group !== 0) return `group ${group} does not divide its ${outputs} output channels`;
  const factors = Float64Array.from(
    { length: outputs * perGroup },
    (_, i) => factor[groupOf(Math.floor(i / perGroup), outputs, group) * perGroup + (i % perGroup)] as number,
  );
  return { factors, inner };
}

const groupOf = (output: number, outputs: number, group: number): number => Math.floor(output / (outputs / group));

/** bias + W·shift, or why the shift cannot go there. */
function shiftedBias({ node, weight }: LinearInput, shift: Float64Array): Tensor | string {
  const format = floatFormat(weight.dataType);
  if (!(node.is('Conv') || node.is('Gemm')) || !format) return `${node.opType} has no bias to fold the shift into`;
  if (node.is('Conv') && !isUnpadded(node, weight)) return 'it pads with zeros, which the shift does not change';
  if (!isSmallShift(shift, format)) return 'the shift is so large that rounding errors would be visible';
  const value = node.input(2);
  const old = constantTensor(value);
  if (value && !old) return 'its bias is not constant';
  const sums = node.is('Conv') ? convolutionSums(node, weight, shift) : columnSums(node, weight, shift);
  const alpha = node.is('Gemm') ? node.float('alpha', 1) : 1;
  const beta = node.is('Gemm') ? node.float('beta', 1) : 1;
  const before = old ? float64Values(old) : new Float64Array(1);
  if (!sums || !before) return 'its bias is not a float tensor';
  if (before.length !== 1 && (old?.dims.at(-1) !== sums.length || old.rank > 2))
    return 'its bias is not one value per channel';
  const count = sums.length;
  const values = Float64Array.from(
    { length: Math.max(count, before.length) },
    (_, i) => (before[before.length === 1 ? 0 : i] as number) * beta + (sums[i % count] as number) * alpha,
  );
  if (!values.every((b) => Math.abs(b) <= format.max))
    return `its folded bias would exceed the range of ${dataTypeName(weight.dataType)}`;
  return floatTensor(weight.dataType, values, before.length > count && old ? old.dims : [count]);
}

/** No place of the output sees padding. */
function isUnpadded(conv: Node, weight: Tensor): boolean {
  const autoPad = conv.string('auto_pad', 'NOTSET');
  if (autoPad === 'NOTSET') return (conv.ints('pads') ?? []).every((pad) => pad === 0);
  return autoPad === 'VALID' || weight.dims.slice(2).every((size) => size === 1);
}

/** What a Conv gives for an input that has the value `shift[c]` all over channel `c`. */
function convolutionSums(conv: Node, weight: Tensor, shift: Float64Array): Float64Array | undefined {
  const [outputs, perGroup] = weight.dims as [number, number];
  const inner = elementCount(weight.dims.slice(2));
  const group = conv.int('group', 1);
  if (group < 1 || outputs % group !== 0) return undefined;
  const sums = new Float64Array(outputs);
  let at = 0;
  for (const values of floatChunks(weight)) {
    for (let i = 0; i < values.length; i++, at++) {
      const row = Math.floor(at / inner);
      const output = Math.floor(row / perGroup);
      const channel = groupOf(output, outputs, group) * perGroup + (row % perGroup);
      sums[output] = (sums[output] as number) + (values[i] as number) * (shift[channel] as number);
    }
  }
  return sums;
}

/** shift · B of a Gemm. */
function columnSums(gemm: Node, weight: Tensor, shift: Float64Array): Float64Array {
  const turned = gemm.int('transB', 0) !== 0;
  const [rows, columns] = weight.dims as [number, number];
  const sums = new Float64Array(turned ? rows : columns);
  let at = 0;
  for (const values of floatChunks(weight)) {
    for (let i = 0; i < values.length; i++, at++) {
      const row = Math.floor(at / columns);
      const output = turned ? row : at % columns;
      const channel = turned ? at % columns : row;
      sums[output] = (sums[output] as number) + (values[i] as number) * (shift[channel] as number);
    }
  }
  return sums;
}
