import type { ChannelAxes } from '../../evaluate/channel-noise.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Dim, Shape } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { bigintsOf } from '../../ops/eval/lane.js';
import { ELEMENTWISE_BROADCAST, ELEMENTWISE_UNARY } from '../../ops/traits.js';

/** Operators whose channels are on the second axis, by the ONNX specification. */
const SECOND_AXIS: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvTranspose', 'ConvInteger', 'QLinearConv', 'FusedConv', 'DeformConv'],
  ...['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LRN'],
  ...['MaxPool', 'AveragePool', 'LpPool', 'GlobalMaxPool', 'GlobalAveragePool', 'GlobalLpPool'],
  ...['DepthToSpace', 'SpaceToDepth', 'MaxUnpool'],
]);
/** Operators that give one vector a position: its elements are on the last axis. */
const LAST_AXIS: ReadonlySet<string> = new Set([
  ...['MatMul', 'Gemm', 'MatMulInteger', 'QLinearMatMul', 'FusedMatMul', 'MatMulNBits'],
  ...['LSTM', 'GRU', 'RNN'],
  ...['LayerNormalization', 'RMSNormalization', 'SkipLayerNormalization', 'SimplifiedLayerNormalization'],
]);
/** Operators that leave every axis where it is, beside the elementwise ones. */
const SAME_AXES: ReadonlySet<string> = new Set([
  ...['QuantizeLinear', 'DequantizeLinear', 'Dropout', 'Softmax', 'LogSoftmax', 'Hardmax', 'LpNormalization'],
  ...['Concat', 'Split', 'Slice', 'Pad', 'Resize', 'Upsample'],
]);
const REDUCTIONS: ReadonlySet<string> = new Set([
  ...['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceProd'],
  ...['ReduceLogSumExp', 'ReduceLogSum', 'ReduceSumSquare'],
]);
/** How many nodes are followed for an output. */
const MOST_NODES = 64;

/** The axis of channels, from the end where negative; `none` where it went; undefined where the graph does not tell. */
type ChannelAxis = number | 'none' | undefined;

/**
 * On which axis the channels of each output are: as the nodes before it tell, from a convolution (the second) or a matrix product
 * (the last) on; else by its sizes: an open size is one of positions, and from four axes on the second is taken. An output of which neither
 * tells has no entry; one whose channels went, such as a map without that axis, has an empty one.
 */
export function channelAxes(model: Model): ChannelAxes {
  const axes = new Map<string, readonly number[]>();
  for (const output of model.graph.outputs) {
    const type = output.type;
    const shape = type?.kind === 'tensor' ? type.shape : undefined;
    if (shape && shape.length < 3) continue;
    const found = new Walk().axisOf(output) ?? bySizes(shape);
    if (found === 'none') axes.set(output.name, []);
    else if (found !== undefined) axes.set(output.name, [found]);
  }
  return axes;
}

function bySizes(shape: Shape): ChannelAxis {
  if (!shape) return undefined;
  const isFixed = (dim: Dim): boolean => typeof dim === 'number';
  const [second, last] = [isFixed(shape[1]), isFixed(shape.at(-1))];
  if (!second && last) return -1;
  return second && (!last || shape.length > 3) ? 1 : undefined;
}

class Walk {
  #nodes = 0;

  axisOf(value: Value | undefined): ChannelAxis {
    const node = value?.producer;
    if (!node || ++this.#nodes > MOST_NODES) return undefined;
    const { opType } = node;
    if (node.domain !== '' && node.domain !== 'com.microsoft') return undefined;
    if (SECOND_AXIS.has(opType)) return 1;
    if (LAST_AXIS.has(opType)) return -1;
    if (ELEMENTWISE_BROADCAST.has(opType) || opType === 'Concat') return this.#ofFirst(node.inputs);
    const axis = this.axisOf(node.input(0));
    if (ELEMENTWISE_UNARY.has(opType) || SAME_AXES.has(opType) || axis === 'none') return axis;
    if (axis === undefined) return undefined;
    if (opType === 'Transpose') return transposed(node, axis);
    if (opType === 'Squeeze') return dropped(axis, axesOf(node));
    if (opType === 'Unsqueeze') return inserted(axis, axesOf(node));
    if (opType === 'Reshape') return reshaped(node, axis);
    return REDUCTIONS.has(opType) ? reduced(node, axis) : undefined;
  }

  /** Of the first operand that is computed and of which it is known. */
  #ofFirst(inputs: readonly (Value | undefined)[]): ChannelAxis {
    for (const input of inputs) {
      const axis = this.axisOf(input);
      if (axis !== undefined) return axis;
    }
    return undefined;
  }
}

function axesOf(node: Node): readonly number[] | undefined {
  const tensor = constantTensor(node.input(1));
  return node.ints('axes') ?? (tensor && Array.from(bigintsOf(tensor), Number));
}

function transposed(node: Node, axis: number): ChannelAxis {
  const perm = node.ints('perm');
  if (!perm) return undefined;
  const at = perm.indexOf(axis < 0 ? axis + perm.length : axis);
  return at < 0 ? undefined : at;
}

/** Without a rank, axes from the start and from the end do not compare. */
function sameSide(axis: number, axes: readonly number[]): boolean {
  return axes.every((each) => each < 0 === axis < 0);
}

function dropped(axis: number, axes: readonly number[] | undefined): ChannelAxis {
  if (!axes || !sameSide(axis, axes)) return undefined;
  if (axes.includes(axis)) return 'none';
  return axis < 0 ? axis + axes.filter((each) => each > axis).length : axis - axes.filter((each) => each < axis).length;
}

function inserted(axis: number, axes: readonly number[] | undefined): ChannelAxis {
  if (!axes || !sameSide(axis, axes)) return undefined;
  const step = axis < 0 ? -1 : 1;
  let at = axis;
  // Axes are those of the result: the ones nearest to the side that is counted from come first.
  for (const each of [...axes].sort((a, b) => step * (a - b))) if (step * each <= step * at) at += step;
  return at;
}

function reduced(node: Node, axis: number): ChannelAxis {
  const axes = axesOf(node);
  if (node.int('keepdims', 1) === 1) return axis;
  return dropped(axis, axes);
}

/** Positions that become one axis, beside channels that stay: `[N, C, -1]` or `[N, -1, C]`. */
function reshaped(node: Node, axis: number): ChannelAxis {
  const tensor = constantTensor(node.input(1));
  const sizes = tensor && Array.from(bigintsOf(tensor), Number);
  if (sizes?.length !== 3) return undefined;
  if (axis === 1 && sizes[2] === -1) return 1;
  return axis === -1 && sizes[1] === -1 ? -1 : undefined;
}
