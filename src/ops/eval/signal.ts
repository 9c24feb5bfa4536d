/** Tables of signal processing: windows and filter banks. */
import { DataType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Kernel, type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { laneKind, numbersOf, numberTensor } from './lane.js';

/** Σ factors[k] · cos(2πk n / N) for n < size, where N is the size (periodic) or one less. */
function window(factors: readonly number[]): Kernel {
  return (context) => {
    const size = context.integer(0);
    const type = floatType(context);
    const period = context.int('periodic') === 0 ? size - 1 : size;
    if (size === 1 && period === 0) refuse('a symmetric window of one element is not specified');
    context.allow(type, [size]);
    const values = Float64Array.from({ length: size }, (_, n) =>
      factors.reduce((sum, factor, k) => sum + factor * Math.cos((2 * Math.PI * k * n) / period), 0),
    );
    return numberTensor(type, [size], values);
  };
}

function floatType(context: KernelContext): number {
  const type = context.int('output_datatype') ?? DataType.FLOAT;
  if (type !== DataType.FLOAT && type !== DataType.DOUBLE && type !== DataType.FLOAT16)
    refuse('only floating-point windows are supported');
  return type;
}

/** Triangles of height 1 on the mel scale; the bins are rounded down, as the specification's example does. */
function melWeightMatrix(context: KernelContext): Tensor {
  const [bins, dftLength, sampleRate] = [0, 1, 2].map((slot) => context.integer(slot)) as [number, number, number];
  const [low, high] = [3, 4].map((slot) => mel(edge(context, slot))) as [number, number];
  const type = floatType(context);
  const rows = Math.floor(dftLength / 2) + 1;
  if (bins < 0 || dftLength < 0 || sampleRate <= 0) refuse('a size is negative');
  context.allow(type, [rows, bins]);
  const step = (high - low) / (bins + 2);
  const centers = Array.from({ length: bins + 2 }, (_, at) => {
    const hertz = 700 * (10 ** ((at * step + low) / 2595) - 1);
    return Math.floor(((dftLength + 1) * hertz) / sampleRate);
  });
  const values = new Float64Array(rows * bins);
  for (let bin = 0; bin < bins; bin++) {
    const [from, peak, to] = centers.slice(bin, bin + 3) as [number, number, number];
    if (from < 0 || to > rows) refuse('a triangle exceeds the spectrum');
    if (from === peak) values[peak * bins + bin] = 1;
    else for (let row = from; row <= peak; row++) values[row * bins + bin] = (row - from) / (peak - from);
    if (to > peak) for (let row = peak; row < to; row++) values[row * bins + bin] = (to - row) / (to - peak);
  }
  return numberTensor(type, [rows, bins], values);
}

function edge(context: KernelContext, slot: number): number {
  const tensor = context.input(slot);
  if (tensor.size !== 1 || laneKind(tensor.dataType) !== 'number') refuse(`input ${slot} must have one element`);
  return numbersOf(tensor)[0] as number;
}

function mel(hertz: number): number {
  return 2595 * Math.log10(1 + hertz / 700);
}

export const signalKernels: KernelTable = [
  ['HannWindow', window([0.5, -0.5])],
  ['HammingWindow', window([25 / 46, -21 / 46])],
  ['BlackmanWindow', window([0.42, -0.5, 0.08])],
  ['MelWeightMatrix', melWeightMatrix],
];
