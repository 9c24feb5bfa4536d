/** y · factor + shift per channel, folded into the weights of the node that computes y. Math in float64, stored as float32. */
import { attribute, floatAttribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import { constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
import { bytesOf, Tensor, type TensorBytes, typedView } from '../../tensor/tensor.js';
import { replaceConstantInput } from '../constants.js';

/** One element a channel. */
export interface Affine {
  readonly factor: Float64Array;
  readonly shift: Float64Array;
}

/** How the weight of a node maps to output channels: element `i` belongs to entry `floor(i / inner) % length` of `channels`. */
interface WeightMap {
  readonly weight: Tensor;
  /** Output channel of each entry; undefined for the identity. */
  readonly channels: Int32Array | undefined;
  readonly count: number;
  readonly inner: number;
}

/** Number of output channels that `node` computes from constant FLOAT weights, or why it cannot be folded into. */
export function foldableChannels(node: Node): { readonly channels: number } | { readonly reason: string } {
  const map = weightMap(node);
  if ('reason' in map) return map;
  const bias = biasValues(node, map.count);
  return 'reason' in bias ? bias : { channels: map.count };
}

/** Folds into Conv, ConvTranspose or Gemm. `foldableChannels` must have agreed. */
export function foldAffine(node: Node, affine: Affine): void {
  const map = weightMap(node);
  const bias = 'reason' in map ? map : biasValues(node, map.count);
  if ('reason' in map || 'reason' in bias) return;
  if (affine.factor.some((factor) => factor !== 1)) {
    const factors = map.channels ? Float64Array.from(map.channels, (c) => affine.factor[c] as number) : affine.factor;
    const scaled = Tensor.of(DataType.FLOAT, map.weight.dims, scaledBytes(map.weight, factors, map.inner));
    replaceConstantInput(node, 1, scaled);
  }
  const values = bias.values.map((b, c) => b * (affine.factor[c] as number) + (affine.shift[c] as number));
  if (!node.input(2) && values.every((value) => value === 0)) return;
  replaceConstantInput(node, 2, Tensor.float32(Float32Array.from(values)));
  if (node.is('Gemm') && node.float('beta', 1) !== 1) node.setAttribute(floatAttribute('beta', 1));
  if (node.is('Gemm') && node.graph.model.opset() < 7) node.setAttribute(attribute('broadcast', 1));
}

/** A FLOAT weight with each run of `inner` elements times its factor, computed when read. */
export function scaledBytes(source: Tensor, factors: Float64Array, inner: number): TensorBytes {
  const scale = (bytes: Uint8Array, at: number): Uint8Array => {
    const values = typedView(Float32Array, bytes);
    const result = new Float32Array(values.length);
    for (let i = 0; i < values.length; ) {
      const factor = factors[Math.floor((at + i) / inner) % factors.length] as number;
      const end = Math.min(values.length, i + inner - ((at + i) % inner));
      for (; i < end; i++) result[i] = (values[i] as number) * factor;
    }
    return bytesOf(result);
  };
  return {
    byteLength: source.byteLength,
    read: () => scale(source.bytes(), 0),
    *chunks() {
      let at = 0;
      for (const chunk of source.data.chunks()) {
        yield scale(chunk, at);
        at += chunk.byteLength / 4;
      }
    },
  };
}

function weightMap(node: Node): WeightMap | { readonly reason: string } {
  const weight = constantTensor(node.input(1));
  if (!weight) return { reason: 'its weight is not constant' };
  if (weight.dataType !== DataType.FLOAT) return { reason: 'its weight is not FLOAT' };
  if (node.is('Conv') && weight.rank >= 3) {
    return { weight, channels: undefined, count: weight.dims[0] as number, inner: productFrom(weight.dims, 1) };
  }
  if (node.is('ConvTranspose') && weight.rank >= 3) return transposedMap(weight, node.int('group', 1));
  if ((node.is('Gemm') || node.is('MatMul')) && weight.rank === 2) {
    const rows = node.is('Gemm') && node.int('transB', 0) !== 0;
    const count = weight.dims[rows ? 0 : 1] as number;
    return { weight, channels: undefined, count, inner: rows ? (weight.dims[1] as number) : 1 };
  }
  return { reason: `${node.opType} with a weight of rank ${weight.rank} has no output channels to fold into` };
}

/** ConvTranspose weights are [inputs, outputs / group, …kernel]: the group of an input decides which outputs it feeds. */
function transposedMap(weight: Tensor, group: number): WeightMap | { readonly reason: string } {
  const inputs = weight.dims[0] as number;
  const perGroup = weight.dims[1] as number;
  if (group < 1 || inputs % group !== 0)
    return { reason: `group ${group} does not divide its ${inputs} input channels` };
  const channels = new Int32Array(inputs * perGroup);
  for (let i = 0; i < channels.length; i++) {
    const inputGroup = Math.floor(Math.floor(i / perGroup) / (inputs / group));
    channels[i] = inputGroup * perGroup + (i % perGroup);
  }
  return { weight, channels, count: perGroup * group, inner: productFrom(weight.dims, 2) };
}

function biasValues(node: Node, channels: number): { readonly values: Float64Array } | { readonly reason: string } {
  const input = node.is('MatMul') ? undefined : node.input(2);
  if (!input) return { values: new Float64Array(channels) };
  const bias = constantTensor(input);
  if (!bias) return { reason: 'its bias is not constant' };
  if (bias.dataType !== DataType.FLOAT) return { reason: 'its bias is not FLOAT' };
  const beta = node.is('Gemm') ? node.float('beta', 1) : 1;
  const values = bias.float32Array();
  if (values.length === 1) return { values: new Float64Array(channels).fill((values[0] as number) * beta) };
  if (values.length !== channels || bias.dims[bias.rank - 1] !== channels) {
    return { reason: 'its bias is not one value a channel' };
  }
  return { values: Float64Array.from(values, (value) => value * beta) };
}

function productFrom(dims: readonly number[], from: number): number {
  return dims.slice(from).reduce((product, dim) => product * dim, 1);
}
