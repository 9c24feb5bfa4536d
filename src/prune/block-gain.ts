import type { Node } from '../ir/node.js';
import { constantTensor } from '../ir/walk.js';
import { floatChunks } from '../tensor/float-values.js';
import type { Tensor } from '../tensor/tensor.js';
import type { LayerWeight } from './layer-weights.js';
import type { ResidualBlock } from './residual-blocks.js';

/**
 * How large the result of a block is beside the input of its last layer, by weights alone: the root of the mean over outputs of
 * the squared norm of the weights that make each. Behind a BatchNormalization that is the size of its scales. A guess, for want
 * of samples.
 * @param weights of the model
 */
export function blockGain({ nodes, layers }: ResidualBlock, weights: readonly LayerWeight[]): number {
  const last = layers.at(-1);
  const norm = nodes.findLast((node) => node.is('BatchNormalization'));
  const scale = constantTensor(norm?.input(1));
  if (scale && last && norm && nodes.indexOf(norm) > nodes.indexOf(last))
    return Math.sqrt(sumOfSquares(scale) / scale.size);
  const weight = weights.findLast(({ node }) => node === last);
  if (!weight) return Number.POSITIVE_INFINITY;
  const outputs = weight.tensor.size / fanIn(weight, weight.node);
  return Math.sqrt(sumOfSquares(weight.tensor) / outputs);
}

function fanIn({ tensor, inputAxis }: LayerWeight, node: Node): number {
  const isWindowed = node.is('Conv') || node.is('ConvTranspose') || node.opType === 'FusedConv';
  const window = isWindowed ? tensor.dims.slice(2).reduce((product, size) => product * size, 1) : 1;
  return (tensor.dims[inputAxis] as number) * window;
}

function sumOfSquares(tensor: Tensor): number {
  let sum = 0;
  for (const values of floatChunks(tensor)) for (const value of values) sum += value * value;
  return sum;
}
