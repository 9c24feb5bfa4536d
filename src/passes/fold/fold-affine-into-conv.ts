import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { allGraphs, constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { dropIfUnused } from '../constants.js';
import { absorbConsumer, onlyConsumer } from '../nodes.js';
import { definePass } from '../pass.js';
import { type Affine, foldAffine, foldableChannels } from './affine.js';

/**
 * Conv(x, W, b) · f + s = Conv(x, W·f, b·f + s) for constants f, s with one value, or one a channel; Mul, Div, Add and Sub after Conv
 * or ConvTranspose. Paddle exports biases and folded normalizations this way.
 *
 * Fires when weights and constant are FLOAT and nothing else reads the value in between. Everything else is left alone
 * without a word: most Add and Mul nodes are not meant. Numerics: folded in float64, rounded once to float32.
 */
export const foldAffineIntoConv = definePass<object>({
  name: 'fold-affine-into-conv',
  summary: 'Folds a constant Mul, Div, Add or Sub into the Conv or ConvTranspose before it.',
  group: 'fold',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  run(model) {
    let changed = 0;
    for (const graph of allGraphs(model)) for (const node of graph.nodes) if (fold(node)) changed++;
    return { changed };
  },
});

function fold(node: Node): boolean {
  if (!(node.is('Mul') || node.is('Div') || node.is('Add') || node.is('Sub'))) return false;
  const slot = isConvolution(node.input(0)) ? 0 : isConvolution(node.input(1)) ? 1 : undefined;
  if (slot === undefined || (slot === 1 && (node.is('Div') || node.is('Sub')))) return false;
  const value = node.input(slot) as Value;
  const producer = value.producer as Node;
  const constant = node.input(1 - slot);
  const tensor = constantTensor(constant);
  const weight = constantTensor(producer.input(1));
  if (!constant || !tensor || !weight || onlyConsumer(value) !== node || producer.graph !== node.graph) return false;
  const target = foldableChannels(producer);
  if ('reason' in target) return false;
  const values = channelValues(tensor, target.channels, weight.rank);
  const affine = values && toAffine(node, values);
  if (!affine) return false;
  foldAffine(producer, affine);
  absorbConsumer(producer, node);
  dropIfUnused(constant);
  return true;
}

function isConvolution(value: Value | undefined): boolean {
  return value?.producer?.is('Conv') === true || value?.producer?.is('ConvTranspose') === true;
}

/** One value a channel of an [N, C, …] tensor of `rank`, or undefined when the constant varies along other axes or widens the result. */
function channelValues(tensor: Tensor, channels: number, rank: number): Float64Array | undefined {
  if (tensor.dataType !== DataType.FLOAT || tensor.rank > rank) return undefined;
  const values = tensor.float32Array();
  if (values.length === 1) return new Float64Array(channels).fill(values[0] as number);
  const channelAxis = tensor.rank - (rank - 1);
  const fits = values.length === channels && channelAxis >= 0 && tensor.dims[channelAxis] === channels;
  return fits ? Float64Array.from(values) : undefined;
}

function toAffine(node: Node, values: Float64Array): Affine | undefined {
  const ones = () => new Float64Array(values.length).fill(1);
  const zeros = () => new Float64Array(values.length);
  if (!values.every(Number.isFinite)) return undefined;
  switch (node.opType) {
    case 'Mul':
      return { factor: values, shift: zeros() };
    case 'Div':
      return values.includes(0) ? undefined : { factor: values.map((v) => 1 / v), shift: zeros() };
    case 'Add':
      return { factor: ones(), shift: values };
    default:
      return { factor: ones(), shift: values.map((v) => -v) };
  }
}
