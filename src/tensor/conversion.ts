import { CHUNK_BYTES, type TensorBytes, typedView } from './tensor.js';

/** What a conversion to a narrower float type did to the values that do not fit it. */
export interface ConversionStatistics {
  /** Elements converted. */
  elements: number;
  /** Finite values beyond the largest finite value of the target: made that value (`clamp`) or an infinity. */
  overflowed: number;
  /** Nonzero values too small for the target: made zero, or its smallest subnormal (`keepNonZero`). */
  underflowed: number;
}

export interface ConversionOptions {
  /** Finite values out of range become the largest finite value instead of an infinity. Infinities and NaN stay what they are. */
  readonly clamp?: boolean;
  /** Nonzero values that would round to zero become the smallest subnormal of their sign: an epsilon must not turn into 0. */
  readonly keepNonZero?: boolean;
  /** Counted into, while converting. */
  readonly statistics?: ConversionStatistics;
}

export function newConversionStatistics(): ConversionStatistics {
  return { elements: 0, overflowed: 0, underflowed: 0 };
}

/** Converts 32-bit floats (as bits) to 16-bit ones; `target` is as long as `source`. */
export type HalfKernel = (source: Int32Array, target: Uint16Array, options: ConversionOptions) => void;

/**
 * FLOAT bytes as 16-bit floats, converted piece by piece while they are read: one piece of the source and one of the
 * result are in memory at a time. `options.statistics` starts from zero at each reading, so it tells about the tensor
 * as it was last written, and is complete only when that reading has ended.
 */
export function narrowedBytes(source: TensorBytes, kernel: HalfKernel, options: ConversionOptions): TensorBytes {
  const restart = (): void => {
    if (options.statistics) Object.assign(options.statistics, newConversionStatistics());
  };
  const convert = (bytes: Uint8Array, target: Uint16Array): Uint8Array => {
    const bits = typedView(Int32Array, bytes);
    kernel(bits, target, options);
    return new Uint8Array(target.buffer, target.byteOffset, bits.length * 2);
  };
  return {
    byteLength: source.byteLength / 2,
    read() {
      restart();
      const bytes = source.read();
      return convert(bytes, new Uint16Array(bytes.byteLength / 4));
    },
    *chunks() {
      restart();
      let target = new Uint16Array(Math.min(CHUNK_BYTES, source.byteLength) / 4);
      for (const chunk of source.chunks()) {
        if (chunk.byteLength / 4 > target.length) target = new Uint16Array(chunk.byteLength / 4);
        yield convert(chunk, target);
      }
    },
  };
}
