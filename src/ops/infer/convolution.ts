import type { Dim, Shape } from '../../ir/type.js';
import { addDims, ceilDivideDim, floorDivideDim, multiplyDims, subtractDims } from '../dim.js';
import type { RuleContext, RuleTable } from './context.js';

/** Attributes that convolutions and poolings share, one entry a spatial axis. */
export interface WindowAttributes {
  readonly kernel: readonly Dim[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins of all axes, then ends. */
  readonly pads: readonly number[];
  readonly autoPad: string;
}

export function windowAttributes(context: RuleContext, kernel: readonly Dim[]): WindowAttributes | undefined {
  const rank = kernel.length;
  const strides = context.ints('strides') ?? new Array<number>(rank).fill(1);
  const dilations = context.ints('dilations') ?? new Array<number>(rank).fill(1);
  const pads = context.ints('pads') ?? new Array<number>(2 * rank).fill(0);
  if (strides.length !== rank || dilations.length !== rank || pads.length !== 2 * rank) {
    context.problem(`strides, dilations or pads do not fit ${rank} spatial axes`);
    return undefined;
  }
  if (strides.some((s) => s <= 0) || dilations.some((d) => d <= 0)) {
    context.problem('strides and dilations must be positive');
    return undefined;
  }
  if (kernel.some((size) => typeof size === 'number' && size <= 0)) {
    context.problem('every side of the kernel must be positive');
    return undefined;
  }
  return { kernel, strides, dilations, pads, autoPad: context.string('auto_pad') ?? 'NOTSET' };
}

/** Extent of a dilated kernel. */
function extent(kernel: Dim, dilation: number): Dim {
  return addDims(multiplyDims(subtractDims(kernel, 1), dilation), 1);
}

/** Output size of a sliding window along one axis (ONNX Conv, MaxPool). */
export function windowOutput(size: Dim, window: WindowAttributes, axis: number, ceil = false): Dim {
  const stride = window.strides[axis] ?? 1;
  const reach = extent(window.kernel[axis], window.dilations[axis] ?? 1);
  if (window.autoPad === 'SAME_UPPER' || window.autoPad === 'SAME_LOWER') return ceilDivideDim(size, stride);
  const valid = window.autoPad === 'VALID';
  const begin = valid ? 0 : (window.pads[axis] ?? 0);
  const end = valid ? 0 : (window.pads[axis + window.kernel.length] ?? 0);
  const room = subtractDims(addDims(size, begin + end), reach);
  if (!ceil) return addDims(floorDivideDim(room, stride), 1);
  const count = addDims(ceilDivideDim(room, stride), 1);
  // The last window must start inside the input or its left padding, or it is left out.
  if (typeof count === 'number' && typeof size === 'number')
    return (count - 1) * stride >= size + begin ? count - 1 : count;
  return typeof reach === 'number' && end + stride <= reach ? count : undefined;
}

function kernelOf(context: RuleContext, weight: Shape, rank: number | undefined): readonly Dim[] | undefined {
  const stated = context.ints('kernel_shape');
  if (weight && weight.length < 3) {
    context.problem(`a weight of rank ${weight.length} has no kernel`);
    return undefined;
  }
  const sides = weight?.slice(2);
  if (stated && sides && (stated.length !== sides.length || stated.some((size, axis) => isOther(size, sides[axis])))) {
    context.problem(
      `kernel_shape is [${stated.join(',')}], but the weight has [${sides.map((d) => d ?? '?').join(',')}]`,
    );
    return undefined;
  }
  return stated ?? sides ?? (rank === undefined || rank < 3 ? undefined : new Array<Dim>(rank - 2).fill(undefined));
}

function isOther(size: number, dim: Dim): boolean {
  return typeof dim === 'number' && dim !== size;
}

/** Conv and its integer kin: `x` and `w` are input positions. */
export function convolution(x: number, w: number): (context: RuleContext) => void {
  return (context) => {
    const input = context.shape(x);
    const weight = context.shape(w);
    const kernel = kernelOf(context, weight, input?.length);
    if (!kernel) return;
    if (input && input.length !== kernel.length + 2) {
      context.problem(`input of rank ${input.length} does not fit a kernel of ${kernel.length} axes`);
      return;
    }
    const window = windowAttributes(context, kernel);
    if (!window) return;
    const group = context.int('group') ?? 1;
    if (group < 1) {
      context.problem(`group must be positive, but is ${group}`);
      return;
    }
    const channels = input?.[1];
    const perGroup = weight?.[1];
    if (typeof channels === 'number' && typeof perGroup === 'number' && channels !== perGroup * group)
      context.problem(`input has ${channels} channels, the weight expects ${perGroup * group}`);
    context.setShape(0, [
      input?.[0],
      weight?.[0],
      ...kernel.map((_, axis) => windowOutput(input?.[axis + 2], window, axis)),
    ]);
  };
}

function convTranspose(context: RuleContext): void {
  const input = context.shape(0);
  const weight = context.shape(1);
  const kernel = kernelOf(context, weight, input?.length);
  if (kernel && input && input.length !== kernel.length + 2) {
    context.problem(`input of rank ${input.length} does not fit a kernel of ${kernel.length} axes`);
    return;
  }
  const window = kernel && windowAttributes(context, kernel);
  if (!kernel || !window) return;
  const fixed = context.ints('output_shape');
  const extra = context.ints('output_padding');
  const rank = kernel.length;
  const spatial = kernel.map((size, axis): Dim => {
    const fixedSize = fixed?.[fixed.length - rank + axis];
    if (fixedSize !== undefined) return fixedSize;
    const stride = window.strides[axis] ?? 1;
    const inputSize = input?.[axis + 2];
    if (window.autoPad.startsWith('SAME')) return multiplyDims(inputSize, stride);
    const pads = window.autoPad === 'VALID' ? 0 : (window.pads[axis] ?? 0) + (window.pads[axis + rank] ?? 0);
    const grown = multiplyDims(subtractDims(inputSize, 1), stride);
    return addDims(addDims(grown, extent(size, window.dilations[axis] ?? 1)), (extra?.[axis] ?? 0) - pads);
  });
  context.setShape(0, [input?.[0], multiplyDims(weight?.[1], context.int('group') ?? 1), ...spatial]);
}

/** AveragePool, MaxPool, LpPool: every output has the pooled shape. */
export function pool(context: RuleContext): void {
  const input = context.shape(0);
  const kernel = context.ints('kernel_shape');
  const window = kernel && windowAttributes(context, kernel);
  if (!input || !window || !kernel) return;
  if (input.length !== kernel.length + 2) {
    context.problem(`input of rank ${input.length} does not fit a kernel of ${kernel.length} axes`);
    return;
  }
  const ceil = context.int('ceil_mode') === 1;
  const shape = [input[0], input[1], ...kernel.map((_, axis) => windowOutput(input[axis + 2], window, axis, ceil))];
  context.setShape(0, shape);
  context.setShape(1, shape);
}

/** Global poolings leave 1 of every spatial axis. */
export function globalPool(context: RuleContext): void {
  context.setShape(
    0,
    context.shape(0)?.map((dim, axis) => (axis < 2 ? dim : 1)),
  );
}

function maxUnpool(context: RuleContext): void {
  const input = context.shape(0);
  if (!input) return;
  const wanted = context.has(2) ? context.elements(2)?.items : undefined;
  const kernel = context.ints('kernel_shape');
  const window = kernel && windowAttributes(context, kernel);
  if (!window || !kernel) return;
  if (context.has(2)) {
    context.setShape(0, wanted ?? input.map(() => undefined));
    return;
  }
  const rank = kernel.length;
  const spatial = kernel.map((size, axis) => {
    const grown = multiplyDims(subtractDims(input[axis + 2], 1), window.strides[axis] ?? 1);
    return subtractDims(addDims(grown, size), (window.pads[axis] ?? 0) + (window.pads[axis + rank] ?? 0));
  });
  context.setShape(0, [input[0], input[1], ...spatial]);
}

export const convolutionRules: RuleTable = [
  ['Conv', convolution(0, 1)],
  ['DeformConv', convolution(0, 1)],
  ['ConvInteger', convolution(0, 1)],
  ['QLinearConv', convolution(0, 3)],
  ['ConvTranspose', convTranspose],
  ['AveragePool MaxPool LpPool', pool],
  ['GlobalAveragePool GlobalMaxPool GlobalLpPool', globalPool],
  ['MaxUnpool', maxUnpool],
];
