import { bug } from '../../errors.js';
import type { Node } from '../../ir/node.js';
import { constantTensor } from '../../ir/walk.js';
import { DataType, dataTypeName } from '../../tensor/dtype.js';
import { float64Values, floatTensor } from '../../tensor/float-values.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Where the bias of a layer is: an input of its own, the constant of the Add behind it, or nowhere. */
export interface LayerBias {
  readonly node: Node;
  readonly slot: number;
  /** Absent where it is to be added. */
  readonly tensor?: Tensor;
  /** The layer's own output has it in it; that of a MatMul before its Add does not. */
  readonly inside: boolean;
}

/** A layer whose weights can be fitted anew: y = Wᵀx + b, group by group. */
export interface RepairLayer {
  readonly node: Node;
  readonly kind: 'convolution' | 'transposed' | 'matrix';
  readonly data: number;
  readonly weight: number;
  readonly tensor: Tensor;
  readonly groups: number;
  /** Inputs of one group: channels times positions of the window. */
  readonly inputs: number;
  /** Outputs of one group. */
  readonly outputs: number;
  readonly bias: LayerBias | undefined;
}

/** The layer that a node is, or why its weights are not fitted; undefined for a node without weights. */
export function repairLayer(node: Node): RepairLayer | string | undefined {
  if (node.is('Conv')) return convolution(node);
  if (node.is('ConvTranspose')) return transposedConvolution(node);
  if (node.is('Gemm') || node.is('MatMul')) return matrix(node);
  // Gates are not linear, and what they give comes back as input a step later.
  if (node.is('LSTM') || node.is('GRU') || node.is('RNN'))
    return `the weights of ${node.opType} act through its gates and states, so that no least-squares problem gives them`;
  return undefined;
}

function convolution(node: Node): RepairLayer | string {
  const tensor = floatWeight(node, 1);
  if (typeof tensor === 'string') return tensor;
  const pad = node.string('auto_pad', 'NOTSET');
  if (pad !== 'NOTSET' && pad !== 'VALID') return `its padding is ${pad}`;
  const bias = convolutionBias(node);
  if (typeof bias === 'string') return bias;
  const groups = node.int('group', 1);
  const [all = 0, channels = 0, ...kernel] = tensor.dims;
  const inputs = channels * windowSize(kernel);
  return { node, kind: 'convolution', data: 0, weight: 1, tensor, groups, inputs, outputs: all / groups, bias };
}

/** A convolution of the input with zeros between its elements, by the weight turned around. */
function transposedConvolution(node: Node): RepairLayer | string {
  const tensor = floatWeight(node, 1);
  if (typeof tensor === 'string') return tensor;
  const pad = node.string('auto_pad', 'NOTSET');
  if (pad !== 'NOTSET' && pad !== 'VALID') return `its padding is ${pad}`;
  if (node.ints('output_shape')) return 'its padding follows from output_shape';
  const bias = convolutionBias(node);
  if (typeof bias === 'string') return bias;
  const groups = node.int('group', 1);
  const [all = 0, outputs = 0, ...kernel] = tensor.dims;
  const inputs = (all / groups) * windowSize(kernel);
  return { node, kind: 'transposed', data: 0, weight: 1, tensor, groups, inputs, outputs, bias };
}

function windowSize(kernel: readonly number[]): number {
  return kernel.reduce((product, size) => product * size, 1);
}

function convolutionBias(node: Node): LayerBias | string {
  const tensor = constantTensor(node.input(2));
  if (node.input(2) && !tensor) return 'its bias is computed';
  return { node, slot: 2, inside: true, ...(tensor ? { tensor } : {}) };
}

function matrix(node: Node): RepairLayer | string | undefined {
  // Products of two activations, as attention has them, are no layers.
  const { producer } = node.input(1) ?? {};
  if (!constantTensor(producer?.is('Transpose') ? producer.input(0) : node.input(1))) return undefined;
  const tensor = floatWeight(node, 1);
  if (typeof tensor === 'string') return tensor;
  if (tensor.rank !== 2) return `its weight has rank ${tensor.rank}`;
  const isGemm = node.is('Gemm');
  if (isGemm && (node.int('transA', 0) === 1 || node.float('alpha', 1) !== 1 || node.float('beta', 1) !== 1))
    return 'it transposes or scales its operands';
  const [rows = 0, columns = 0] = tensor.dims;
  const turned = isGemm && node.int('transB', 0) === 1;
  const outputs = turned ? rows : columns;
  const bias = isGemm ? gemmBias(node, outputs) : addedBias(node, outputs, tensor);
  if (typeof bias === 'string') return bias;
  return {
    node,
    kind: 'matrix',
    data: 0,
    weight: 1,
    tensor,
    groups: 1,
    inputs: turned ? columns : rows,
    outputs,
    bias,
  };
}

function gemmBias(node: Node, outputs: number): LayerBias | string {
  const value = node.input(2);
  if (!value) return { node, slot: 2, inside: true };
  const tensor = constantTensor(value);
  if (!tensor || tensor.size !== outputs) return 'its bias is not one constant for each output';
  return { node, slot: 2, tensor, inside: true };
}

/** The vector that the only reader of a product adds to it. */
function addedBias(node: Node, outputs: number, { dataType }: Tensor): LayerBias | undefined {
  const product = node.output();
  if (product.uses.size !== 1 || product.isGraphOutput) return undefined;
  const [use] = product.uses;
  if (!use?.node.is('Add')) return undefined;
  const slot = 1 - use.slot;
  const tensor = constantTensor(use.node.input(slot));
  const last = tensor?.dims.at(-1);
  if (!tensor || tensor.dataType !== dataType || tensor.size !== outputs || last !== outputs) return undefined;
  return { node: use.node, slot, tensor, inside: false };
}

/** Types of weights that are fitted; sums are taken in FLOAT, and weights are rounded once. */
const FITTED_TYPES: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16]);

function floatWeight(node: Node, slot: number): Tensor | string {
  const tensor = constantTensor(node.input(slot));
  if (!tensor) return 'its weight is not a constant';
  return FITTED_TYPES.has(tensor.dataType) ? tensor : `its weight is ${dataTypeName(tensor.dataType)}`;
}

/** Weights as K × O of each group, in the order in which inputs are laid out: position of the window by position, channels within. */
export function weightsOf(layer: RepairLayer): Float64Array[] {
  const { tensor, groups, inputs, outputs } = layer;
  const values = floatValues(tensor);
  const place = placeOf(layer);
  return Array.from({ length: groups }, (_, group) => {
    const weights = new Float64Array(inputs * outputs);
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < outputs; o++) weights[i * outputs + o] = values[place(group, i, o)] as number;
    return weights;
  });
}

/** The weights of groups as a tensor like the layer's weight. */
export function weightTensor(layer: RepairLayer, groups: readonly Float64Array[]): Tensor {
  const { tensor, inputs, outputs } = layer;
  const values = new Float64Array(tensor.size);
  const place = placeOf(layer);
  for (const [group, weights] of groups.entries())
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < outputs; o++) values[place(group, i, o)] = weights[i * outputs + o] as number;
  return floatTensor(tensor.dataType, values, tensor.dims);
}

/** All elements of a weight or bias. */
export function floatValues(tensor: Tensor): Float64Array {
  const values = float64Values(tensor);
  if (!values) throw bug(`expected a float tensor, got ${dataTypeName(tensor.dataType)}`);
  return values;
}

/** Where the weight has input i of output o. */
function placeOf(layer: RepairLayer): (group: number, i: number, o: number) => number {
  const { node, kind, tensor, groups, inputs, outputs } = layer;
  if (kind === 'matrix') {
    const isTurned = node.is('Gemm') && node.int('transB', 0) === 1;
    return isTurned ? (_group, i, o) => o * inputs + i : (_group, i, o) => i * outputs + o;
  }
  if (kind === 'convolution') {
    const channels = tensor.dims[1] as number;
    const window = inputs / channels;
    return (group, i, o) => ((group * outputs + o) * channels + (i % channels)) * window + Math.floor(i / channels);
  }
  // [channels, outputs of a group, …window], the window from its end.
  const channels = (tensor.dims[0] as number) / groups;
  const window = inputs / channels;
  return (group, i, o) =>
    ((group * channels + (i % channels)) * outputs + o) * window + window - 1 - Math.floor(i / channels);
}
