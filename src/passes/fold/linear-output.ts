/** Conv, ConvTranspose, Gemm and MatMul as nodes whose weights and bias can take a factor and a shift per output channel. */
import { attribute, floatAttribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { dataTypeName } from '../../tensor/dtype.js';
import { float64Values, floatFormat, floatTensor } from '../../tensor/float-values.js';
import { runMagnitudes, type Scaling, scaledTensor } from '../../tensor/scaled-tensor.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { type Affine, type ChannelAxis, isUniform } from '../affine.js';
import { addConstant, dropIfUnused, replaceConstantInput } from '../constants.js';
import { hasReference } from '../engine/operands.js';
import type { Rewrite, RewriteContext } from '../engine/rewrite.js';
import { absorbConsumer, onlyConsumer, takeOver } from '../nodes.js';
import { rankOf, shapeOf } from '../types.js';

/** Bytes that a copy of a shared weight may take without being asked for. */
const FREE_COPY_BYTES = 16 * 1024;

/** A value that is linear in constants. */
export interface LinearOutput {
  /** Conv, ConvTranspose, Gemm or MatMul. */
  readonly node: Node;
  /** The Add that gives a MatMul its constant bias, and the slot of that bias. */
  readonly add: { readonly node: Node; readonly slot: number } | undefined;
  readonly axis: ChannelAxis;
}

/** How messages speak of a node. */
export const labelOf = (node: Node): string => `${node.opType} "${nodeLabel(node)}"`;

/** The linear node that computes `value`; a reason where it is one of unusual form, undefined where another node computes it. */
export function linearOutput(value: Value): LinearOutput | string | undefined {
  const node = value.producer;
  if (!node) return undefined;
  if (node.is('Add')) return biasedMatMul(node);
  if (!(node.is('Conv') || node.is('ConvTranspose') || node.is('Gemm') || node.is('MatMul'))) return undefined;
  if (hasReference(node)) return `${labelOf(node)}: its attributes depend on the caller`;
  const shape = shapeOf(node.input(1));
  if (!shape) return `${labelOf(node)}: the rank of its weight is unknown`;
  const convolution = node.is('Conv') || node.is('ConvTranspose');
  const rank = shape.length;
  if (convolution ? rank < 3 : node.is('Gemm') ? rank !== 2 : rank < 2)
    return `${labelOf(node)} with a weight of rank ${rank} has no output channels to fold into`;
  const channels = outputChannels(node, shape);
  if (typeof channels !== 'number' || channels < 1)
    return `${labelOf(node)}: the number of its output channels is unknown`;
  const known = convolution ? rank : node.is('Gemm') ? 2 : (rankOf(value) ?? matMulRank(node));
  return { node, add: undefined, axis: { channels, fromEnd: convolution ? rank - 1 : 1, rank: known } };
}

function outputChannels(node: Node, shape: readonly unknown[]): unknown {
  if (node.is('Conv')) return shape[0];
  if (node.is('ConvTranspose')) return typeof shape[1] === 'number' ? shape[1] * node.int('group', 1) : undefined;
  return node.is('Gemm') && node.int('transB', 0) !== 0 ? shape[0] : shape.at(-1);
}

function matMulRank(node: Node): number | undefined {
  const ranks = [rankOf(node.input(0)), rankOf(node.input(1))];
  const [a, b] = ranks;
  return a !== undefined && b !== undefined && a > 1 && b > 1 ? Math.max(a, b) : undefined;
}

function biasedMatMul(add: Node): LinearOutput | string | undefined {
  const slot = add.inputs.findIndex((input) => constantTensor(input) !== undefined);
  const product = slot < 0 ? undefined : add.input(1 - slot);
  if (!product?.producer?.is('MatMul')) return undefined;
  const output = linearOutput(product);
  if (output === undefined || typeof output === 'string') return output;
  if (onlyConsumer(product) !== add) return `"${product.name}" is also used elsewhere`;
  return { ...output, add: { node: add, slot }, axis: { ...output.axis, rank: rankOf(add.outputs[0]) } };
}

/** A constant that a fold puts in the place of another. */
interface NewConstant {
  readonly node: Node;
  readonly slot: number;
  readonly tensor: Tensor;
}

/**
 * The rewrite that lets `output` take over what `last` does to it, and `last` go; or why that cannot be. `last` is the only reader.
 * A MatMul without bias cannot take a shift: with `addBias` an Add does that in the place of `last`, else undefined comes back.
 */
export function foldInto(
  output: LinearOutput,
  last: Node,
  affine: Affine,
  context: RewriteContext,
  addBias = false,
): Rewrite | string | undefined {
  const { node, add } = output;
  const shifts = affine.shift.some((s) => s !== 0);
  const alone = node.is('MatMul') && !add;
  if (alone && shifts && !addBias) return undefined;
  const weight = scaledWeight(node, affine.factor, context);
  if (typeof weight === 'string') return `${labelOf(node)}: ${weight}`;
  const biased = add ?? { node, slot: 2 };
  const bias = alone ? undefined : foldedBias(output, affine);
  if (typeof bias === 'string') return `${labelOf(biased.node)}: ${bias}`;
  const news: NewConstant[] = [];
  if (weight) news.push({ node, slot: 1, tensor: weight });
  if (bias) news.push({ ...biased, tensor: bias });
  return {
    nodes: add ? [last, node, add.node] : [last, node],
    apply() {
      for (const { node: of, slot, tensor } of news) replaceConstantInput(of, slot, tensor);
      if (bias && node.is('Gemm')) normalizeBias(node, context);
      if (alone && shifts) return addShift(node, last, affine.shift);
      const others = last.inputs.filter((input) => input?.producer !== biased.node);
      absorbConsumer(biased.node, last);
      for (const input of new Set(others)) if (input) dropIfUnused(input);
      return biased.node;
    },
  };
}

function normalizeBias(gemm: Node, context: RewriteContext): void {
  if (gemm.float('beta', 1) !== 1) gemm.setAttribute(floatAttribute('beta', 1));
  if (context.opset(gemm) < 7) gemm.setAttribute(attribute('broadcast', 1));
}

function addShift(matMul: Node, last: Node, shift: Float64Array): Node {
  const product = matMul.output();
  const dataType = constantTensor(matMul.input(1))?.dataType ?? 0;
  const constant = addConstant(last.graph, `${last.output().name}_bias`, floatTensor(dataType, shift), last);
  return takeOver(last, { opType: 'Add', inputs: [product, constant] });
}

/** The weight with its factors, undefined where they are all 1, or why it cannot have them. */
function scaledWeight(node: Node, factor: Float64Array, context: RewriteContext): Tensor | string | undefined {
  if (factor.every((f) => f === 1)) return undefined;
  const value = node.input(1);
  const weight = constantTensor(value);
  if (!value || !weight) return 'its weight is not constant';
  if (!floatFormat(weight.dataType)) return 'its weight is not a float tensor';
  const scaling = outputScaling(node, weight, factor);
  if (typeof scaling === 'string') return scaling;
  return scaledConstant(value, weight, scaling, context);
}

/** A constant with its factors, or why they cannot be given to it: out of range, or in need of a copy that is too large. */
export function scaledConstant(
  value: Value,
  tensor: Tensor,
  scaling: Scaling,
  context: RewriteContext,
): Tensor | string {
  const stays = value.uses.size > 1 || value.isGraphOutput || value.pinned;
  if (stays && tensor.byteLength > FREE_COPY_BYTES && !context.mayGrow(tensor.byteLength))
    return `"${value.name}" is also used elsewhere, and a copy of it would make the model larger`;
  return whyOutOfRange(tensor, scaling) ?? scaledTensor(tensor, scaling);
}

function whyOutOfRange(tensor: Tensor, { factors, inner }: Scaling): string | undefined {
  const format = floatFormat(tensor.dataType);
  if (!format) return 'its weight is not a float tensor';
  for (const [run, magnitude] of runMagnitudes(tensor, factors.length, inner).entries()) {
    const factor = factors[run] as number;
    const scaled = magnitude * Math.abs(factor);
    if (Number.isNaN(magnitude)) return 'its weight has NaN or infinite values';
    const vanishes = factor !== 0 && magnitude >= format.smallestNormal && scaled < format.smallestNormal;
    if (scaled > format.max || vanishes)
      return `its scaled weight would exceed the range of ${dataTypeName(tensor.dataType)}`;
  }
  return undefined;
}

/** Where the factor of each output channel goes in a weight. */
function outputScaling(node: Node, weight: Tensor, factor: Float64Array): Scaling | string {
  if (factor.every((f) => f === factor[0])) return { factors: factor.slice(0, 1), inner: Math.max(1, weight.size) };
  if (node.is('Conv')) return { factors: factor, inner: elementCount(weight.dims.slice(1)) };
  if (!node.is('ConvTranspose')) {
    const rows = node.is('Gemm') && node.int('transB', 0) !== 0;
    return { factors: factor, inner: rows ? (weight.dims[1] as number) : 1 };
  }
  // [inputs, outputs / group, …kernel]: the group of an input decides which outputs it feeds.
  const group = node.int('group', 1);
  const [inputs, perGroup] = weight.dims as [number, number];
  if (group < 1 || inputs % group !== 0) return `group ${group} does not divide its ${inputs} input channels`;
  const factors = Float64Array.from({ length: inputs * perGroup }, (_, i) => {
    const inputGroup = Math.floor(Math.floor(i / perGroup) / (inputs / group));
    return factor[inputGroup * perGroup + (i % perGroup)] as number;
  });
  return { factors, inner: elementCount(weight.dims.slice(2)) };
}

/** bias · factor + shift, undefined where there is nothing to write, or why the bias cannot have them. */
function foldedBias({ node, add, axis: { channels } }: LinearOutput, affine: Affine): Tensor | string | undefined {
  const scales = affine.factor.some((f) => f !== 1);
  if (!scales && affine.shift.every((s) => s === 0)) return undefined;
  const value = add ? add.node.input(add.slot) : node.input(2);
  const tensor = constantTensor(value);
  if (value && !tensor) return 'its bias is not constant';
  if (!tensor && affine.shift.every((s) => s === 0)) return undefined;
  const dataType = tensor?.dataType ?? shapeDataType(node);
  const format = dataType === undefined ? undefined : floatFormat(dataType);
  if (dataType === undefined || !format) return 'its bias is not a float tensor';
  const beta = node.is('Gemm') ? node.float('beta', 1) : 1;
  const spread = spreadBias(tensor, channels, affine);
  if (!spread) return 'its bias is not one value per channel';
  const folded = spread.values.map((b, i) => {
    const channel = i % channels;
    return b * beta * (affine.factor[channel] as number) + (affine.shift[channel] as number);
  });
  if (!folded.every((b) => Math.abs(b) <= format.max))
    return `its folded bias would exceed the range of ${dataTypeName(dataType)}`;
  return floatTensor(dataType, folded, spread.dims);
}

function shapeDataType(node: Node): number | undefined {
  const weight = constantTensor(node.input(1));
  if (weight) return weight.dataType;
  const type = node.outputs[0]?.type ?? node.input(1)?.type;
  return type?.kind === 'tensor' ? type.dataType : undefined;
}

/** The bias as rows of one value a channel, zeros where there is none. */
function spreadBias(
  tensor: Tensor | undefined,
  channels: number,
  affine: Affine,
): { readonly values: Float64Array; readonly dims: readonly number[] } | undefined {
  if (!tensor) return { values: new Float64Array(channels), dims: [channels] };
  const values = float64Values(tensor);
  if (!values) return undefined;
  if (isUniform(affine) || tensor.dims.at(-1) === channels) return { values, dims: tensor.dims };
  if (values.length !== 1) return undefined;
  return { values: new Float64Array(channels).fill(values[0] as number), dims: [channels] };
}
