/** The SIMD loops of blocks.wat, and the layout of their scratch memory. Without SIMD, plain loops give the same bits. */
import { BLOCKS_BASE64 } from '../../tensor/blocks.generated.js';
import { instantiate } from '../../tensor/web-assembly.js';

/** Loops over vectors of four outputs; places are byte offsets into `memory`. */
export interface BlockKernels {
  readonly memory: ArrayBuffer;
  /** Four rows of floats, `stride` bytes apart, to [count][4]. `count` is a multiple of 4. */
  interleave(source: number, stride: number, target: number, count: number): void;
  /** Minima and maxima of `count` vectors, to 8 floats. */
  extremes(source: number, stride: number, count: number, extremes: number): void;
  /** Codes of `count` vectors, see blocks.wat; writes whole words of 4 bytes. */
  encode(
    source: number,
    stride: number,
    count: number,
    bits: number,
    parameters: number,
    divide: number,
    target: number,
    laneStride: number,
  ): void;
}

/** Places in the scratch memory, in bytes. */
export const SCRATCH = {
  /** Weights as they stand: 256 KiB. */
  source: 0,
  /** Weights in vectors of four outputs: 256 KiB. */
  lanes: 262_144 + 1024,
  /** 8 floats. */
  extremes: 2 * (262_144 + 1024),
  /** 12 floats. */
  parameters: 2 * (262_144 + 1024) + 64,
  /** Codes: 4 MiB and slack. */
  target: 2 * (262_144 + 1024) + 1024,
} as const;

/** Bytes of `source` and `lanes`. */
export const SOURCE_BYTES = 262_144;
/** Bytes of `target`. */
export const TARGET_BYTES = 4 * 2 ** 20;

/** The one state of this module: compiled code and scratch memory, made at the first use. No result depends on it. */
let made: BlockKernels | undefined;

/** The kernels. */
export function blockKernels(): BlockKernels {
  made ??= simdBlockKernels() ?? plainBlockKernels();
  return made;
}

/** The kernels in WebAssembly; undefined where it or its SIMD is missing. */
export function simdBlockKernels(): BlockKernels | undefined {
  const wasm = instantiate(BLOCKS_BASE64) as
    | (Omit<BlockKernels, 'memory'> & { readonly memory: { readonly buffer: ArrayBuffer } })
    | undefined;
  if (!wasm) return undefined;
  const { interleave, extremes, encode } = wasm;
  return { memory: wasm.memory.buffer, interleave, extremes, encode };
}

/** The same in plain loops. */
export function plainBlockKernels(): BlockKernels {
  const memory = new ArrayBuffer(96 * 65_536);
  const floats = new Float32Array(memory);
  const bytes = new Uint8Array(memory);
  return {
    memory,
    interleave(source, stride, target, count) {
      for (let lane = 0; lane < 4; lane++)
        for (let k = 0; k < count; k++)
          floats[target / 4 + k * 4 + lane] = floats[(source + lane * stride) / 4 + k] as number;
    },
    extremes(source, stride, count, extremes) {
      for (let lane = 0; lane < 4; lane++) {
        let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
        for (let k = 0; k < count; k++) {
          const value = floats[(source + k * stride) / 4 + lane] as number;
          min = Math.min(min, value);
          max = Math.max(max, value);
        }
        floats[extremes / 4 + lane] = min;
        floats[extremes / 4 + 4 + lane] = max;
      }
    },
    encode(source, stride, count, bits, parameters, divide, target, laneStride) {
      const perByte = 8 / bits;
      const top = 2 ** bits - 1;
      const padded = Math.ceil(count / perByte) * perByte;
      for (let lane = 0; lane < 4; lane++) {
        const [factor, before, after] = [0, 4, 8].map((at) => floats[parameters / 4 + at + lane]) as [
          number,
          number,
          number,
        ];
        bytes.fill(0, target + lane * laneStride, target + lane * laneStride + Math.ceil((padded * bits) / 32) * 4);
        for (let k = 0; k < padded; k++) {
          const x = floats[(source + (k < count ? k : Math.max(0, k - perByte)) * stride) / 4 + lane] as number;
          const rounded = divide === 0 ? halfAway(x, factor, before) : halfEven(x, factor, before);
          const code = Math.min(top, Math.max(0, rounded + after));
          const at = target + lane * laneStride + Math.floor(k / perByte);
          bytes[at] = (bytes[at] as number) | (code << ((k % perByte) * bits));
        }
      }
    },
  };
}

function halfAway(x: number, factor: number, before: number): number {
  const value = Math.fround(Math.fround(x * factor) + before);
  const whole = Math.trunc(value);
  const rest = value - whole;
  return whole + (rest >= 0.5 ? 1 : rest <= -0.5 ? -1 : 0);
}

function halfEven(x: number, factor: number, before: number): number {
  const value = Math.fround(Math.fround(x / factor) + before);
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}
