/** Operators that hand factors of channels on: f(s·x) = s·f(x) for every s > 0, channel by channel. */
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { bigintsOf } from '../../ops/eval/lane.js';
import { clampBounds } from '../operator-classes.js';
import { alongChannels, rankOf, type ScaledConstant } from './channel-axis.js';

type Joined = [Value, number][];
type AddConstant = (constant: ScaledConstant) => void;

/** Operators on each element, or on the window of each channel, that keep shapes of channels as they are. */
const SAME_AXIS: ReadonlySet<string> = new Set([
  'Relu',
  'LeakyRelu',
  'Identity',
  'Dropout',
  'MaxPool',
  'AveragePool',
  'LpPool',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'Resize',
  'Upsample',
  'Neg',
  'Abs',
]);

/** Operators of several operands of one scale: all of them are scaled. */
const TOGETHER: ReadonlySet<string> = new Set(['Add', 'Sub', 'Sum', 'Mean', 'Max', 'Min']);

/** Reductions that keep the scale. */
const REDUCTIONS: ReadonlySet<string> = new Set([
  'ReduceMean',
  'ReduceSum',
  'ReduceMax',
  'ReduceMin',
  'ReduceL1',
  'ReduceL2',
]);

/**
 * What follows where `node` reads scaled channels at `slot`: its outputs, and other operands that have to be scaled with it.
 * Undefined where it does not hand the factors on.
 */
export function channelsThrough(
  node: Node,
  slot: number,
  axis: number,
  channels: number,
  addConstant: AddConstant,
): Joined | undefined {
  if (node.domain !== '' || node.outputs.length === 0) return undefined;
  const output = node.outputs[0];
  if (!output || node.outputs.slice(1).some((each) => each && each.uses.size > 0)) return undefined;
  if (TOGETHER.has(node.opType)) {
    const joined = joinedBackward(node, axis, channels, addConstant);
    return joined && [...joined, [output, axis]];
  }
  const isProduct = node.is('Mul') || (node.is('Div') && slot === 0);
  if (isProduct) {
    const other = 1 - slot;
    const constant = constantTensor(node.input(other));
    // A vector of a factor a channel takes up the scale, and ends the group.
    const at = constant ? alongChannels(node, other, axis, channels) : undefined;
    if (at !== undefined && node.is('Mul')) {
      addConstant({ node, slot: other, axis: at, divides: false });
      return [];
    }
    return (rankOf(output) ?? -1) === rankOf(node.input(slot) as Value) ? [[output, axis]] : undefined;
  }
  if (slot !== 0) return undefined;
  const after = axisAfter(node, axis, channels);
  return after === undefined ? undefined : [[output, after]];
}

/** What `node` computes scaled channels from: its operands, where it hands factors on; undefined where it does not. */
export function joinedBackward(
  node: Node,
  axis: number,
  channels: number,
  addConstant: AddConstant,
): Joined | undefined {
  if (node.domain !== '') return undefined;
  if (TOGETHER.has(node.opType)) return operands(node, axis, channels, addConstant);
  if (node.is('Mul') || node.is('Div')) {
    const slot = constantTensor(node.input(1)) ? 0 : node.is('Mul') && constantTensor(node.input(0)) ? 1 : undefined;
    const value = slot === undefined ? undefined : node.input(slot);
    return value && rankOf(value) === rankOf(node.output()) ? [[value, axis]] : undefined;
  }
  const value = node.input(0);
  if (!value) return undefined;
  const rank = rankOf(value);
  if (rank === undefined) return undefined;
  for (let before = 0; before < rank; before++)
    if (axisAfter(node, before, channels) === axis) return [[value, before]];
  return undefined;
}

function operands(node: Node, axis: number, channels: number, addConstant: AddConstant): Joined | undefined {
  const rank = rankOf(node.output());
  if (rank === undefined) return undefined;
  const joined: Joined = [];
  for (const slot of node.inputs.keys()) {
    const value = node.input(slot);
    const tensor = constantTensor(value);
    if (!value) return undefined;
    if (tensor) {
      if (tensor.size === 1 && tensor.float32Array()[0] === 0) continue;
      const at = alongChannels(node, slot, axis, channels);
      if (at === undefined) return undefined;
      addConstant({ node, slot, axis: at, divides: true });
      continue;
    }
    if (rankOf(value) !== rank) return undefined;
    joined.push([value, axis]);
  }
  return joined;
}

/** The axis of the output on which the channels of `axis` of input 0 lie; undefined where the factors are not handed on. */
function axisAfter(node: Node, axis: number, channels: number): number | undefined {
  const input = node.input(0);
  const rank = input && rankOf(input);
  if (!input || rank === undefined || node.domain !== '') return undefined;
  const { opType } = node;
  if (opType === 'Clip') {
    const bounds = clampBounds(node);
    return bounds && bounds.min === 0 && bounds.max === Number.POSITIVE_INFINITY ? axis : undefined;
  }
  if (opType === 'PRelu') return constantTensor(node.input(1)) ? axis : undefined;
  if (opType === 'Neg' || opType === 'Abs') return axis;
  if (opType === 'Resize' || opType === 'Upsample') return axis === 1 && rank > 2 ? axis : undefined;
  if (SAME_AXIS.has(opType)) return rank < 3 && opType.endsWith('Pool') ? undefined : axis;
  if (opType === 'Pad') return padsZeros(node) ? axis : undefined;
  if (opType === 'Transpose') {
    const perm = node.ints('perm') ?? Array.from({ length: rank }, (_, at) => rank - 1 - at);
    const at = perm.indexOf(axis);
    return at < 0 ? undefined : at;
  }
  if (REDUCTIONS.has(opType)) return afterReduction(node, axis, rank);
  if (opType === 'Flatten' || opType === 'Reshape' || opType === 'Squeeze' || opType === 'Unsqueeze')
    return afterReshape(input, node.output(), axis, channels);
  return undefined;
}

function padsZeros(node: Node): boolean {
  if (node.string('mode', 'constant') !== 'constant' || node.float('value', 0) !== 0) return false;
  const value = node.input(2);
  if (!value) return true;
  const tensor = constantTensor(value);
  return tensor?.float32Array()[0] === 0;
}

function afterReduction(node: Node, axis: number, rank: number): number | undefined {
  const given = node.ints('axes') ?? axesInput(node);
  if (!given) return undefined;
  const axes = given.map((each) => (each < 0 ? each + rank : each));
  if (axes.includes(axis)) return undefined;
  return node.int('keepdims', 1) === 1 ? axis : axis - axes.filter((each) => each < axis).length;
}

function axesInput(node: Node): number[] | undefined {
  const tensor = constantTensor(node.input(1));
  return tensor && Array.from(bigintsOf(tensor), Number);
}

/** Where a reshape keeps what lies before the channels, and the channels themselves. */
function afterReshape(input: Value, output: Value, axis: number, channels: number): number | undefined {
  const [from, to] = [shapeOf(input), shapeOf(output)];
  if (!from || !to || from[axis] !== channels) return undefined;
  const outer = (dims: readonly unknown[]): string => dims.filter((dim) => dim !== 1).join('×');
  const before = outer(from.slice(0, axis));
  for (const [at, dim] of to.entries()) {
    if (dim !== channels || outer(to.slice(0, at)) !== before) continue;
    // The same names of open sizes before and behind: nothing is merged with the channels.
    return to.slice(0, at).some((each) => typeof each !== 'number' && typeof each !== 'string') ? undefined : at;
  }
  return undefined;
}

function shapeOf({ type }: Value): readonly unknown[] | undefined {
  return type?.kind === 'tensor' ? type.shape : undefined;
}
