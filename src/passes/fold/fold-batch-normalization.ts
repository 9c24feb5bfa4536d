import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import type { Value } from '../../ir/value.js';
import { allGraphs, constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant, dropIfUnused, replaceConstantInput } from '../constants.js';
import { absorbConsumer, onlyConsumer } from '../nodes.js';
import { definePass } from '../pass.js';
import { type Affine, foldAffine, foldableChannels } from './affine.js';

/**
 * BN(Conv(x, W, b)) = Conv(x, W·f, (b − mean)·f + shift), f = scale / √(variance + epsilon); the same for ConvTranspose, Gemm,
 * MatMul and MatMul + Add.
 *
 * Fires when the normalization runs in inference mode, its four parameters and the weights are constant FLOAT, and
 * nothing else reads the value in between. Refuses otherwise, and where MatMul gives a rank that is not known to be 2.
 * Numerics: folded in float64, rounded once to float32. Reference: Jacob et al. 2018 (arXiv 1712.05877), section 3.2.
 */
export const foldBatchNormalization = definePass<object>({
  name: 'fold-batch-normalization',
  summary: 'Folds BatchNormalization into the Conv, ConvTranspose, Gemm or MatMul before it.',
  group: 'fold',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  run(model) {
    let changed = 0;
    const refusals: Refusal[] = [];
    for (const node of normalizations(model)) {
      const reason = fold(node);
      if (reason === undefined) changed++;
      else refusals.push({ pass: 'fold-batch-normalization', node: nodeLabel(node), opType: node.opType, reason });
    }
    return { changed, refusals };
  },
});

function* normalizations(model: Model): Generator<Node> {
  for (const graph of allGraphs(model)) for (const node of graph.nodes) if (node.is('BatchNormalization')) yield node;
}

/** Undefined when folded, else the reason why not. */
function fold(node: Node): string | undefined {
  const input = node.input(0);
  const producer = input?.producer;
  if (!input || !producer || producer.graph !== node.graph) return 'no node of the same graph computes its input';
  const affine = normalizationAffine(node);
  if ('reason' in affine) return affine.reason;
  if (onlyConsumer(input) !== node) return `"${input.name}" is also used elsewhere`;
  const constants = node.inputs.slice(1);
  if (producer.is('Conv') || producer.is('ConvTranspose') || producer.is('Gemm')) {
    const target = foldableChannels(producer);
    if ('reason' in target) return `${label(producer)}: ${target.reason}`;
    if (target.channels !== affine.factor.length) return `${label(producer)}: the number of channels differs`;
    foldAffine(producer, affine);
    absorbConsumer(producer, node);
  } else {
    const reason = foldIntoMatMul(node, producer, affine);
    if (reason !== undefined) return reason;
  }
  for (const value of new Set(constants)) if (value) dropIfUnused(value);
  return undefined;
}

const label = (node: Node): string => `${node.opType} "${nodeLabel(node)}"`;

function normalizationAffine(node: Node): Affine | { readonly reason: string } {
  const opset = node.graph.model.opset();
  if (node.int('training_mode', 0) !== 0) return { reason: 'it runs in training mode' };
  if (opset < 7 && node.int('is_test', 0) === 0) return { reason: 'it runs in training mode' };
  if (node.int('spatial', 1) === 0) return { reason: 'it normalizes each place on its own (spatial = 0)' };
  if (node.outputs.slice(1).some((output) => output && (output.uses.size > 0 || output.isGraphOutput))) {
    return { reason: 'its running statistics are used' };
  }
  const tensors = [1, 2, 3, 4].map((slot) => constantTensor(node.input(slot)));
  const parameters: Float32Array[] = [];
  for (const tensor of tensors) {
    if (!tensor) return { reason: 'its parameters are not constant' };
    if (tensor.dataType !== DataType.FLOAT) return { reason: 'its parameters are not FLOAT' };
    parameters.push(tensor.float32Array());
  }
  const [scale, shift, mean, variance] = parameters as [Float32Array, Float32Array, Float32Array, Float32Array];
  if (new Set(parameters.map((values) => values.length)).size !== 1)
    return { reason: 'its parameters differ in length' };
  const epsilon = node.float('epsilon', Math.fround(1e-5));
  const factor = Float64Array.from(scale, (s, c) => s / Math.sqrt((variance[c] as number) + epsilon));
  if (!factor.every(Number.isFinite)) return { reason: 'a variance is negative or not finite' };
  return { factor, shift: factor.map((f, c) => (shift[c] as number) - (mean[c] as number) * f) };
}

/** MatMul → BN and MatMul → Add → BN, for matrices: there the channel axis 1 is the columns of the weight. */
function foldIntoMatMul(node: Node, producer: Node, affine: Affine): string | undefined {
  const add = producer.is('Add') ? producer : undefined;
  const product = add ? add.inputs.find((value) => value?.producer?.is('MatMul')) : producer.output();
  const matMul = product?.producer;
  if (!product || !matMul?.is('MatMul')) return `${label(producer)} has no weights to fold into`;
  if (add && onlyConsumer(product) !== add) return `"${product.name}" is also used elsewhere`;
  if (rank(matMul.input(0)) !== 2 && rank(product) !== 2)
    return `${label(matMul)}: its output is not known to be a matrix`;
  const target = foldableChannels(matMul);
  if ('reason' in target) return `${label(matMul)}: ${target.reason}`;
  if (target.channels !== affine.factor.length) return `${label(matMul)}: the number of channels differs`;
  const bias = add ? addedBias(add, product, target.channels) : new Float64Array(target.channels);
  if (!bias) return `${label(producer)} does not add one constant a channel`;
  const shift = Float32Array.from(bias, (b, c) => b * (affine.factor[c] as number) + (affine.shift[c] as number));
  foldAffine(matMul, { factor: affine.factor, shift: new Float64Array(target.channels) });
  if (add) {
    replaceConstantInput(add, add.input(0) === product ? 1 : 0, Tensor.float32(shift));
    absorbConsumer(add, node);
  } else {
    const constant = addConstant(node.graph, `${node.output().name}_bias`, Tensor.float32(shift), node);
    const output = node.output();
    const inserted = node.graph.addNode(
      { opType: 'Add', name: node.name, inputs: [product, constant], outputs: [] },
      node,
    );
    node.setOutput(0, undefined);
    inserted.addOutput(output);
    node.graph.remove(node);
  }
  return undefined;
}

function addedBias(add: Node, product: Value, channels: number): Float64Array | undefined {
  const tensor = constantTensor(add.inputs.find((value) => value !== product));
  if (tensor?.dataType !== DataType.FLOAT || tensor.rank > 2) return undefined;
  const values = tensor.float32Array();
  if (values.length === 1) return new Float64Array(channels).fill(values[0] as number);
  const fits = values.length === channels && tensor.dims[tensor.rank - 1] === channels;
  return fits ? Float64Array.from(values) : undefined;
}

function rank(value: Value | undefined): number | undefined {
  const type = value?.type;
  return type?.kind === 'tensor' ? type.shape?.length : undefined;
}
