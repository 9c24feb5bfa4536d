import type { Node } from '../../ir/node.js';
import { constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
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
  readonly kind: 'convolution' | 'matrix';
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
  if (node.is('Gemm') || node.is('MatMul')) return matrix(node);
  if (node.is('ConvTranspose') || node.is('LSTM') || node.is('GRU')) return `${node.opType} is not fitted anew`;
  return undefined;
}

function convolution(node: Node): RepairLayer | string {
  const tensor = floatWeight(node, 1);
  if (typeof tensor === 'string') return tensor;
  const pad = node.string('auto_pad', 'NOTSET');
  if (pad !== 'NOTSET' && pad !== 'VALID') return `its padding is ${pad}`;
  const groups = node.int('group', 1);
  const [all = 0, channels = 0, ...kernel] = tensor.dims;
  const bias = constantTensor(node.input(2));
  if (node.input(2) && !bias) return 'its bias is computed';
  return {
    node,
    kind: 'convolution',
    data: 0,
    weight: 1,
    tensor,
    groups,
    inputs: channels * kernel.reduce((product, size) => product * size, 1),
    outputs: all / groups,
    bias: { node, slot: 2, inside: true, ...(bias ? { tensor: bias } : {}) },
  };
}

function matrix(node: Node): RepairLayer | string | undefined {
  if (!constantTensor(node.input(1)) && !node.input(1)?.producer?.is('Transpose')) return undefined;
  const tensor = floatWeight(node, 1);
  if (typeof tensor === 'string') return tensor;
  if (tensor.rank !== 2) return `its weight has rank ${tensor.rank}`;
  const isGemm = node.is('Gemm');
  if (isGemm && (node.int('transA', 0) === 1 || node.float('alpha', 1) !== 1 || node.float('beta', 1) !== 1))
    return 'it transposes or scales its operands';
  const [rows = 0, columns = 0] = tensor.dims;
  const turned = isGemm && node.int('transB', 0) === 1;
  const outputs = turned ? rows : columns;
  const bias = isGemm ? gemmBias(node, outputs) : addedBias(node, outputs);
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
function addedBias(node: Node, outputs: number): LayerBias | undefined {
  const product = node.output();
  if (product.uses.size !== 1 || product.isGraphOutput) return undefined;
  const [use] = product.uses;
  if (!use?.node.is('Add')) return undefined;
  const slot = 1 - use.slot;
  const tensor = constantTensor(use.node.input(slot));
  const last = tensor?.dims.at(-1);
  if (!tensor || tensor.dataType !== DataType.FLOAT || tensor.size !== outputs || last !== outputs) return undefined;
  return { node: use.node, slot, tensor, inside: false };
}

function floatWeight(node: Node, slot: number): Tensor | string {
  const tensor = constantTensor(node.input(slot));
  if (!tensor) return 'its weight is not a constant';
  return tensor.dataType === DataType.FLOAT ? tensor : 'its weight is not FLOAT';
}

/** Weights as K × O of each group, in the order in which inputs are laid out: position of the window by position, channels within. */
export function weightsOf(layer: RepairLayer): Float64Array[] {
  const { tensor, groups, inputs, outputs, kind, node } = layer;
  const values = tensor.float32Array();
  const place = placeOf(layer);
  const turned = kind === 'matrix' && !(node.is('Gemm') && node.int('transB', 0) === 1);
  return Array.from({ length: groups }, (_, group) => {
    const weights = new Float64Array(inputs * outputs);
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < outputs; o++)
        weights[i * outputs + o] = values[turned ? i * outputs + o : place(group, i, o)] as number;
    return weights;
  });
}

/** The weights of groups as the elements of the layer's weight. */
export function elementsOf(layer: RepairLayer, groups: readonly Float64Array[]): Float32Array {
  const { tensor, inputs, outputs, kind, node } = layer;
  const values = new Float32Array(tensor.size);
  const place = placeOf(layer);
  const turned = kind === 'matrix' && !(node.is('Gemm') && node.int('transB', 0) === 1);
  for (const [group, weights] of groups.entries())
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < outputs; o++)
        values[turned ? i * outputs + o : place(group, i, o)] = weights[i * outputs + o] as number;
  return values;
}

/** Where the weight [outputs, channels, …window] has input i of output o. */
function placeOf({ tensor, inputs, outputs, kind }: RepairLayer): (group: number, i: number, o: number) => number {
  if (kind === 'matrix') return (_group, i, o) => o * inputs + i;
  const channels = tensor.dims[1] as number;
  const window = inputs / channels;
  return (group, i, o) => ((group * outputs + o) * channels + (i % channels)) * window + Math.floor(i / channels);
}
