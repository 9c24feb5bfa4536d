/**
 * The SIMD loops of kernels.wat. JavaScript has no vector instructions, and one element at a time the conversion of
 * a model takes longer than reading and writing it. Data goes through a scratch memory in blocks that stay in the
 * first-level cache, so the copies in and out cost little; results are the same bit for bit as those of the plain
 * loops, which remain for short arrays, for unusual values, and for machines without SIMD.
 */
import { KERNELS_BASE64 } from './kernels.generated.js';
import { instantiate } from './web-assembly.js';

/** How many elements the source and the target of a kernel hold. */
export const BLOCK_ELEMENTS = 4096;
/** How many channels the kernels hold scales or maxima for. */
export const MAXIMUM_CHANNELS = 65536;
/** Arrays shorter than this are not worth the way. */
export const WORTHWHILE_ELEMENTS = 1024;

/**
 * Kernels over the scratch memory, which all callers share: fill the views, call, copy the result out, with nothing
 * else in between. `at` and `channel` are indices into the views, counts are at least 1 and stay within them.
 */
export interface SimdKernels {
  /** The source block. */
  readonly floats: Float32Array;
  /** The same bytes as bits. */
  readonly bits: Int32Array;
  /** The target block of `float16`. */
  readonly halves: Uint16Array;
  /** The target block of `quantizeRun` and `quantizeRow`. */
  readonly integers: Int8Array;
  /** One scale a channel. */
  readonly scales: Float32Array;
  /** One largest magnitude a channel, in place of the scales. */
  readonly maxima: Int32Array;
  /**
   * Converts the first `count` (a multiple of 8) elements to FLOAT16, half to even. False when one of them is NaN,
   * infinite, or overflows or underflows to zero: the halves are then meaningless.
   */
  float16(count: number): boolean;
  /** Bits of the largest magnitude; infinities and NaN are above every finite value. */
  maximumOfRun(at: number, count: number): number;
  /** Raises `maxima[channel + i]` to the bits of the magnitude of `floats[at + i]`. */
  maximaOfRow(at: number, count: number, channel: number): void;
  /** `integers[at + i]` = `floats[at + i]` / scale, half to even. Call with rising `at`: a run may write past its end. */
  quantizeRun(at: number, count: number, scale: number): void;
  /** The same with `scales[channel + i]`. */
  quantizeRow(at: number, count: number, channel: number): void;
}

/** Bytes between the regions, as kernels read and write in whole vectors. */
const SLACK = 64;
const TARGET = BLOCK_ELEMENTS * 4 + SLACK;
const CHANNELS = TARGET + BLOCK_ELEMENTS * 2 + SLACK;

/** What kernels.wat exports; places are byte offsets. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  float16(source: number, target: number, count: number): number;
  maximumOfRun(source: number, count: number): number;
  maximaOfRow(source: number, maxima: number, count: number): void;
  quantizeRun(source: number, target: number, count: number, scale: number): void;
  quantizeRow(source: number, target: number, count: number, scales: number): void;
}

/**
 * The one state of this module: the kernels, made at the first use; null where the machine has no SIMD. It is a cache of
 * compiled code and scratch memory, and no result depends on it.
 */
let made: SimdKernels | null | undefined;

/** The kernels, or undefined where WebAssembly or its SIMD is missing. */
export function simdKernels(): SimdKernels | undefined {
  if (made === undefined) made = makeKernels();
  return made ?? undefined;
}

function makeKernels(): SimdKernels | null {
  const wasm = instantiate(KERNELS_BASE64) as Exports | undefined;
  if (!wasm) return null;
  const { buffer } = wasm.memory;
  return {
    floats: new Float32Array(buffer, 0, BLOCK_ELEMENTS),
    bits: new Int32Array(buffer, 0, BLOCK_ELEMENTS),
    halves: new Uint16Array(buffer, TARGET, BLOCK_ELEMENTS),
    integers: new Int8Array(buffer, TARGET, BLOCK_ELEMENTS),
    scales: new Float32Array(buffer, CHANNELS, MAXIMUM_CHANNELS),
    maxima: new Int32Array(buffer, CHANNELS, MAXIMUM_CHANNELS),
    float16: (count) => wasm.float16(0, TARGET, count) === 0,
    maximumOfRun: (at, count) => wasm.maximumOfRun(at * 4, count),
    maximaOfRow: (at, count, channel) => wasm.maximaOfRow(at * 4, CHANNELS + channel * 4, count),
    quantizeRun: (at, count, scale) => wasm.quantizeRun(at * 4, TARGET + at, count, scale),
    quantizeRow: (at, count, channel) => wasm.quantizeRow(at * 4, TARGET + at, count, CHANNELS + channel * 4),
  };
}
