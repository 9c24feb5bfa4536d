/** Weights that are stacks of matrices, [...batch, rows, columns]: each column of each matrix has a scale of its own. */

import { rawByteLength } from '../tensor/dtype.js';
import { float32Chunks } from '../tensor/float-chunks.js';
import { roundHalfEven } from '../tensor/round-half-even.js';
import { Tensor, type TensorBytes } from '../tensor/tensor.js';
import { type QuantizationScheme, typeRange } from './scheme.js';
import { storedNumbers } from './stored-numbers.js';
import { type WeightParameters, weightParameters } from './weights.js';

export interface QuantizedMatrices {
  /** Same shape as the source; its bytes are computed when they are read. */
  readonly quantized: Tensor;
  /** FLOAT, shape `[...batch, 1, columns]`. */
  readonly scale: Tensor;
  /** One for all, a scalar of the quantized type. */
  readonly zeroPoint: Tensor;
}

/**
 * Quantizes a float weight of rank 3 or more with symmetric ranges. One pass reads the ranges now.
 * @returns undefined when the weight holds NaN or an infinity
 */
export function quantizeMatrices(tensor: Tensor, weights: QuantizationScheme): QuantizedMatrices | undefined {
  // A scale for each column of each matrix, which no axis names.
  const scheme: QuantizationScheme = { ...weights, symmetric: true, granularity: { kind: 'tensor' } };
  const layout = new MatrixLayout(tensor.dims);
  const max = new Float32Array(layout.channels);
  let finite = true;
  visit(tensor, layout, (value, channel) => {
    const magnitude = Math.abs(value);
    finite &&= magnitude < Number.POSITIVE_INFINITY;
    if (magnitude > (max[channel] as number)) max[channel] = magnitude;
  });
  if (!finite) return undefined;
  const parameters = weightParameters({ min: max.map((value) => -value), max }, scheme);
  const [zeroPoint = 0] = parameters.zeroPoints.filter((each) => each !== 0);
  return {
    quantized: Tensor.of(scheme.storage, tensor.dims, quantizedBytes(tensor, layout, parameters, zeroPoint)),
    scale: Tensor.float32(parameters.scales, [...tensor.dims.slice(0, -2), 1, layout.columns]),
    zeroPoint: Tensor.of(scheme.storage, [], storedNumbers([zeroPoint], scheme)),
  };
}

class MatrixLayout {
  readonly columns: number;
  readonly channels: number;
  readonly #matrixSize: number;

  constructor(dims: readonly number[]) {
    this.columns = dims.at(-1) as number;
    this.#matrixSize = (dims.at(-2) as number) * this.columns;
    this.channels = dims.slice(0, -2).reduce((product, dim) => product * dim, 1) * this.columns;
  }

  channelOf(index: number): number {
    return Math.floor(index / this.#matrixSize) * this.columns + (index % this.columns);
  }
}

function visit(
  tensor: Tensor,
  layout: MatrixLayout,
  see: (value: number, channel: number, index: number) => void,
): void {
  let at = 0;
  for (const values of float32Chunks(tensor))
    for (let i = 0; i < values.length; i++, at++) see(values[i] as number, layout.channelOf(at), at);
}

function quantizedBytes(
  source: Tensor,
  layout: MatrixLayout,
  { scales, scheme }: WeightParameters,
  zeroPoint: number,
): TensorBytes {
  const { min, max } = typeRange(scheme);
  const read = (): Uint8Array => {
    const target = scheme.bits === 8 ? new Uint8Array(source.size) : new Int32Array(source.size);
    visit(source, layout, (value, channel, index) => {
      const rounded = roundHalfEven(Math.fround(value / (scales[channel] as number))) + zeroPoint;
      target[index] = Math.min(Math.max(rounded, min), max);
    });
    return target instanceof Uint8Array ? target : storedNumbers(target, scheme);
  };
  return {
    byteLength: rawByteLength(scheme.storage, source.size) as number,
    read,
    *chunks() {
      yield read();
    },
  };
}
