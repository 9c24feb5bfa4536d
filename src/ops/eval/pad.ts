/** Axes that become longer or shorter at their ends. */
import { DataType, rawByteLength } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { numberTensor } from './lane.js';
import { viewedTensor } from './moved-tensor.js';
import { type ViewAxis, wholeView } from './strided-view.js';

function pad(context: KernelContext): Tensor {
  const data = context.input(0);
  const given = context.ints('paddings') ?? context.attributeOrInput('pads', 1) ?? refuse('pads are missing');
  const axes = context.axes(context.integers(3) ?? data.dims.map((_, axis) => axis), data.rank);
  if (given.length !== axes.length * 2) refuse(`${given.length} pads do not fit ${axes.length} axes`);
  const before = data.dims.map(() => 0);
  const after = data.dims.map(() => 0);
  for (const [at, axis] of axes.entries()) {
    before[axis] = given[at] as number;
    after[axis] = given[at + axes.length] as number;
  }
  return padded(context, data, before, after, context.string('mode') ?? 'constant', fillValue(context, data));
}

/** One element of the data's type. */
function fillValue(context: KernelContext, data: Tensor): Tensor {
  const given = context.optional(2);
  if (given) return given.size === 1 ? given : refuse('the constant value must have one element');
  const value = context.float('value') ?? 0;
  if (value !== 0) return numberTensor(data.dataType, [1], Float64Array.of(value));
  return zeroOf(data);
}

function zeroOf(data: Tensor): Tensor {
  if (data.dataType === DataType.STRING) return Tensor.strings([1], () => [new Uint8Array(0)]);
  const byteLength = rawByteLength(data.dataType, 1) ?? refuse('a zero of this type is unknown');
  return Tensor.of(data.dataType, [1], new Uint8Array(byteLength));
}

/** A tensor with elements added (or, where negative, taken away) at both ends of each axis. */
export function padded(
  context: KernelContext,
  data: Tensor,
  before: readonly number[],
  after: readonly number[],
  mode: string,
  fill: Tensor,
): Tensor {
  const place = PLACES.get(mode) ?? refuse(`mode ${mode} is unknown`);
  const dims = data.dims.map((dim, axis) => dim + (before[axis] as number) + (after[axis] as number));
  context.allow(data.dataType, dims);
  let offset = 0;
  const axes = wholeView(data.dims).axes.map(({ size, stride }, axis): ViewAxis => {
    const first = before[axis] as number;
    const last = after[axis] as number;
    if (mode !== 'constant' && (first < 0 || last < 0)) refuse(`a negative pad in mode ${mode} is not specified`);
    if (first <= 0 && last <= 0) {
      offset -= first * stride;
      return { size: dims[axis] as number, stride };
    }
    const offsets = Float64Array.from({ length: dims[axis] as number }, (_, at) => place(at - first, size) * stride);
    return { size: offsets.length, stride: 0, offsets };
  });
  return viewedTensor(context, data, { axes, offset }, dims, fill);
}

/** The index that stands at a place before, in or after an axis; NaN for none. */
const PLACES: ReadonlyMap<string, (at: number, size: number) => number> = new Map([
  ['constant', (at, size) => (at < 0 || at >= size ? Number.NaN : at)],
  ['edge', (at, size) => Math.max(0, Math.min(atLeastOne(size) - 1, at))],
  ['reflect', reflected],
  ['wrap', wrapped],
]);

function atLeastOne(size: number): number {
  return size > 0 ? size : refuse('an empty axis has nothing to repeat');
}

/** Once around only: runtimes differ on more. */
function wrapped(at: number, size: number): number {
  const turned = at < 0 ? at + size : at >= size ? at - size : at;
  return turned >= 0 && turned < size ? turned : refuse('a pad is longer than what it repeats');
}

function reflected(at: number, size: number): number {
  const mirrored = at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
  return mirrored >= 0 && mirrored < size ? mirrored : refuse('a pad is longer than what it reflects');
}

function centerCropPad(context: KernelContext): Tensor {
  const data = context.input(0);
  const wanted = context.integers(1) ?? refuse('the shape is missing');
  const axes = context.axes(context.ints('axes') ?? data.dims.map((_, axis) => axis), data.rank);
  if (axes.length !== wanted.length) refuse(`${wanted.length} sizes do not fit ${axes.length} axes`);
  const before = data.dims.map(() => 0);
  const after = data.dims.map(() => 0);
  for (const [at, axis] of axes.entries()) {
    const more = (wanted[at] as number) - (data.dims[axis] as number);
    // An odd element is added behind, and taken away behind.
    before[axis] = Math.trunc(more / 2);
    after[axis] = more - (before[axis] as number);
  }
  return padded(context, data, before, after, 'constant', zeroOf(data));
}

export const padKernels: KernelTable = [
  ['Pad', pad],
  ['CenterCropPad', centerCropPad],
];
