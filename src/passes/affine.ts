/** Nodes that multiply and add constants, as one factor and one shift a channel. */
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { type FloatFormat, float64Values } from '../tensor/float-values.js';
import type { Tensor } from '../tensor/tensor.js';
import { hasReference } from './engine/operands.js';

/** x · factor + shift, with one element a channel. */
export interface Affine {
  readonly factor: Float64Array;
  readonly shift: Float64Array;
}

/** Which axis of a value has the channels. */
export interface ChannelAxis {
  readonly channels: number;
  /** Counted from the end: 1 is the last axis. */
  readonly fromEnd: number;
  /** Rank of the value; undefined where it is not known. */
  readonly rank: number | undefined;
}

/** An elementwise node with a constant operand, or Neg. */
export interface ConstantOperation {
  readonly node: Node;
  /** The operand that is not constant. */
  readonly input: Value;
  readonly slot: number;
  /** The constant operand; undefined for Neg. */
  readonly constant: Tensor | undefined;
}

/** Mul, Div, Add or Sub with one constant operand, or Neg; undefined for any other node, and for constant / x. */
export function constantOperation(node: Node): ConstantOperation | undefined {
  const [a, b] = node.inputs;
  if (!a || !node.outputs[0]) return undefined;
  if (node.is('Neg')) return { node, input: a, slot: 0, constant: undefined };
  if (!b || !(node.is('Mul') || node.is('Div') || node.is('Add') || node.is('Sub'))) return undefined;
  const right = constantTensor(b);
  if (right) return constantTensor(a) ? undefined : { node, input: a, slot: 0, constant: right };
  const left = node.is('Div') ? undefined : constantTensor(a);
  return left && { node, input: b, slot: 1, constant: left };
}

/**
 * What the node does to each channel of its input. Undefined when its constant varies along other axes, may widen the
 * result, is no float tensor, or holds what is not finite.
 */
export function channelAffine({ node, slot, constant }: ConstantOperation, axis: ChannelAxis): Affine | undefined {
  const all = (value: number) => new Float64Array(axis.channels).fill(value);
  if (!constant) return { factor: all(-1), shift: all(0) };
  const values = channelValues(constant, axis);
  if (!values?.every(Number.isFinite)) return undefined;
  if (node.is('Mul')) return { factor: values, shift: all(0) };
  if (node.is('Add')) return { factor: all(1), shift: values };
  if (node.is('Sub'))
    return slot === 0 ? { factor: all(1), shift: values.map((v) => -v) } : { factor: all(-1), shift: values };
  return values.includes(0) ? undefined : { factor: values.map((v) => 1 / v), shift: all(0) };
}

/** One value a channel; undefined when the constant varies along other axes, may widen the other operand, or is no float tensor. */
function channelValues(tensor: Tensor, { channels, fromEnd, rank }: ChannelAxis): Float64Array | undefined {
  if (tensor.rank > (rank ?? 1)) return undefined;
  const at = tensor.rank - fromEnd;
  const fits = tensor.dims.every((dim, axis) => dim === 1 || (axis === at && dim === channels));
  const values = fits ? float64Values(tensor) : undefined;
  return values?.length === 1 ? new Float64Array(channels).fill(values[0] as number) : values;
}

/**
 * What a BatchNormalization in inference mode does to each channel (axis 1), or why that is not known.
 * @param opset version of ai.onnx where the node stands
 */
export function normalizationAffine(node: Node, opset: number): Affine | { readonly reason: string } {
  if (hasReference(node)) return { reason: 'its attributes depend on the caller' };
  if (node.int('training_mode', 0) !== 0 || (opset < 7 && node.int('is_test', 0) === 0))
    return { reason: 'it runs in training mode' };
  // Before opset 14 it was the number of outputs that said so.
  const more = node.outputs.slice(1).filter((output) => output !== undefined);
  if (opset < 14 && opset >= 7 && more.length > 0) return { reason: 'it runs in training mode' };
  if (node.int('spatial', 1) === 0) return { reason: 'it normalizes each position separately (spatial = 0)' };
  if (more.some((output) => output.uses.size > 0 || output.isGraphOutput))
    return { reason: 'its running statistics are used' };
  const parameters: Float64Array[] = [];
  for (const slot of [1, 2, 3, 4]) {
    const tensor = constantTensor(node.input(slot));
    if (!tensor) return { reason: 'its parameters are not constant' };
    const values = float64Values(tensor);
    if (!values) return { reason: 'its parameters are not float tensors' };
    parameters.push(values);
  }
  const [scale, shift, mean, variance] = parameters as [Float64Array, Float64Array, Float64Array, Float64Array];
  if (new Set(parameters.map((values) => values.length)).size !== 1)
    return { reason: 'its parameters differ in length' };
  const epsilon = node.float('epsilon', Math.fround(1e-5));
  const factor = scale.map((s, c) => s / Math.sqrt((variance[c] as number) + epsilon));
  if (!factor.every(Number.isFinite)) return { reason: 'a variance is negative or not finite' };
  const shifts = factor.map((f, c) => (shift[c] as number) - (mean[c] as number) * f);
  if (!shifts.every(Number.isFinite)) return { reason: 'its parameters are not finite' };
  return { factor, shift: shifts };
}

/** Absolute error, in the units of the input, that a shift may cost where the sum it belongs to is taken apart. */
const SHIFT_ERROR = 2 ** -15;

/** True when adding the shift elsewhere cannot show: x + shift may be near zero, and x · f + shift · f then has the rounding of each. */
export function isSmallShift(shift: Iterable<number>, { unitRoundoff }: FloatFormat): boolean {
  for (const s of shift) if (Math.abs(s) * unitRoundoff > SHIFT_ERROR) return false;
  return true;
}

/** True when every channel gets the same. */
export function isUniform({ factor, shift }: Affine): boolean {
  return factor.every((f) => f === factor[0]) && shift.every((s) => s === shift[0]);
}
