/** Normalizations of constants in inference mode: float64 inside, rounded once. */
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { broadcastDims } from './broadcast-dims.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { numbersOf, numberTensor } from './lane.js';
import { viewedTensor } from './moved-tensor.js';
import { broadcastView } from './strided-view.js';

/** Mean and 1 / √(variance + epsilon) of each run of `length` elements, which are replaced by their normalized values. */
function normalizeRuns(
  lane: Float64Array,
  length: number,
  epsilon: number,
  isCentered = true,
): { readonly means: Float64Array; readonly inverses: Float64Array } {
  const count = length === 0 ? 0 : lane.length / length;
  const means = new Float64Array(count);
  const inverses = new Float64Array(count);
  for (let run = 0; run < count; run++) {
    const values = lane.subarray(run * length, (run + 1) * length);
    const mean = isCentered ? values.reduce((sum, x) => sum + x, 0) / length : 0;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / length;
    const inverse = 1 / Math.sqrt(variance + epsilon);
    for (let i = 0; i < length; i++) values[i] = ((values[i] as number) - mean) * inverse;
    means[run] = mean;
    inverses[run] = inverse;
  }
  return { means, inverses };
}

/** Multiplies by `scale` and adds `bias`, each as many as `lane`. */
function scaleAndShift(lane: Float64Array, scale: Float64Array, bias: Float64Array | undefined): void {
  for (let i = 0; i < lane.length; i++)
    lane[i] = (lane[i] as number) * (scale[i] as number) + (bias ? (bias[i] as number) : 0);
}

/** The elements of a tensor broadcast to `dims` alone. */
function spread(context: KernelContext, tensor: Tensor, dims: readonly number[]): Float64Array {
  if (broadcastDims([dims, tensor.dims]).some((dim, axis) => dim !== dims[axis]) || tensor.rank > dims.length)
    refuse(`[${tensor.dims.join(',')}] does not fit [${dims.join(',')}]`);
  return numbersOf(viewedTensor(context, tensor, broadcastView(tensor.dims, dims), dims));
}

/** A parameter with one element a channel, spread over data whose channels are axis 1. */
function perChannel(context: KernelContext, slot: number, data: Tensor): Float64Array {
  const tensor = context.input(slot);
  if (tensor.rank !== 1 || data.rank < 2 || tensor.size !== data.dims[1])
    refuse(`input ${slot} must have one element for each channel`);
  return spread(context, tensor.reshaped([tensor.size, ...data.dims.slice(2).map(() => 1)]), data.dims);
}

function layerNormalization(context: KernelContext): Tensor[] {
  const { data, lane, statistics, axis } = overLastAxes(context, true);
  const bias = context.optional(2);
  scaleAndShift(lane, spread(context, context.input(1), data.dims), bias && spread(context, bias, data.dims));
  const dims = data.dims.map((dim, at) => (at < axis ? dim : 1));
  const result = numberTensor(data.dataType, data.dims, lane);
  if (context.outputCount === 1) return [result];
  const type = context.int('stash_type') ?? 1;
  return [result, numberTensor(type, dims, statistics.means), numberTensor(type, dims, statistics.inverses)];
}

function rmsNormalization(context: KernelContext): Tensor {
  const { data, lane } = overLastAxes(context, false);
  scaleAndShift(lane, spread(context, context.input(1), data.dims), undefined);
  return numberTensor(data.dataType, data.dims, lane);
}

function overLastAxes(context: KernelContext, isCentered: boolean) {
  const data = context.input(0);
  const axis = context.axis(context.int('axis') ?? -1, data.rank);
  const lane = numbersOf(data);
  const length = elementCount(data.dims.slice(axis));
  const statistics = normalizeRuns(lane, length, context.requiredFloat('epsilon'), isCentered);
  return { data, lane, statistics, axis };
}

function instanceNormalization(context: KernelContext): Tensor {
  const data = context.input(0);
  const lane = numbersOf(data);
  normalizeRuns(lane, elementCount(data.dims.slice(2)), context.requiredFloat('epsilon'));
  scaleAndShift(lane, perChannel(context, 1, data), perChannel(context, 2, data));
  return numberTensor(data.dataType, data.dims, lane);
}

function groupNormalization(context: KernelContext): Tensor {
  // Version 18 scaled groups, not channels, and was withdrawn.
  if (context.since < 21) refuse('this version scales groups');
  const data = context.input(0);
  const [, channels = 0] = data.dims;
  const groups = context.requiredInt('num_groups');
  if (groups < 1 || channels % groups !== 0) refuse(`${channels} channels do not divide into ${groups} groups`);
  const lane = numbersOf(data);
  normalizeRuns(lane, elementCount(data.dims.slice(1)) / groups, context.requiredFloat('epsilon'));
  scaleAndShift(lane, perChannel(context, 1, data), perChannel(context, 2, data));
  return numberTensor(data.dataType, data.dims, lane);
}

function batchNormalization(context: KernelContext): Tensor {
  const isTraining = context.since < 7 ? !context.flag('is_test') : context.flag('training_mode');
  if (isTraining || context.node.outputs.slice(1).some((value) => value)) refuse('it runs in training mode');
  if (context.int('spatial') === 0) refuse('it normalizes each position separately');
  const data = context.input(0);
  const lane = numbersOf(data);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((slot) => perChannel(context, slot, data));
  const epsilon = context.requiredFloat('epsilon');
  if (!scale || !mean || !variance) return refuse('a parameter is missing');
  for (let i = 0; i < lane.length; i++)
    lane[i] = ((lane[i] as number) - (mean[i] as number)) / Math.sqrt((variance[i] as number) + epsilon);
  scaleAndShift(lane, scale, bias);
  return numberTensor(data.dataType, data.dims, lane);
}

export const normalizeKernels: KernelTable = [
  ['LayerNormalization', layerNormalization],
  ['RMSNormalization', rmsNormalization],
  ['InstanceNormalization', instanceNormalization],
  ['GroupNormalization', groupNormalization],
  ['BatchNormalization', batchNormalization],
];
