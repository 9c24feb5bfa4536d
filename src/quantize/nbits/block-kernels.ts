/** The SIMD loops of blocks.wat, and the layout of their scratch memory. Without SIMD, plain loops give the same bits. */
import { BLOCKS_BASE64 } from '../../tensor/blocks.generated.js';
import { instantiate } from '../../tensor/web-assembly.js';

/** How codes are rounded: the places of `NearestRounding` in round-to-nearest.ts. */
export const ROUNDINGS = { operator: 0, pairs: 1, tables: 2 } as const;

/** Blocks of groups of four outputs that are quantized together. Places, strides and steps are bytes of `memory`. */
export interface BlockRun {
  /** [count][4] floats a group, `stride` from input to input. */
  readonly source: number;
  readonly stride: number;
  readonly count: number;
  readonly groups: number;
  /** From group to group. */
  readonly sourceStep: number;
  readonly bits: number;
  readonly symmetric: boolean;
  /** One of `ROUNDINGS`. */
  readonly rounding: number;
  /** One float a block; zero points are at `zeros`, one byte each, by a quarter of its lanes and steps. */
  readonly scales: number;
  readonly scaleLane: number;
  readonly scaleStep: number;
  readonly zeros: number;
  /** Codes, in whole words of 4 bytes: `lane` from output to output, `targetStep` from group to group. */
  readonly target: number;
  readonly lane: number;
  readonly targetStep: number;
}

/** Loops over vectors of four outputs; places are byte offsets into `memory`. */
export interface BlockKernels {
  readonly memory: ArrayBuffer;
  /** Four rows of floats, `stride` bytes apart, to [count][4]. `count` is a multiple of 4. */
  interleave(source: number, stride: number, target: number, count: number): void;
  /** Scales, zero points and codes of blocks. */
  quantize(run: BlockRun): void;
}

/** Weights that fit into the scratch memory. */
export const SLAB_WEIGHTS = 4 * 2 ** 20;
/** Inputs of four outputs that become vectors together. */
export const LANE_INPUTS = 2048;
/** Of a memory: loads and stores of groups of four may pass the end of what is there. */
const SLACK = 4096;

/** Places in the scratch memory, in bytes. */
export const SCRATCH = layout({
  /** Weights as they stand. */
  source: 4 * SLAB_WEIGHTS,
  /** Weights in vectors of four outputs. */
  lanes: 16 * LANE_INPUTS,
  codes: SLAB_WEIGHTS,
  /** Of blocks of 16 and more. */
  scales: SLAB_WEIGHTS / 4,
  zeros: SLAB_WEIGHTS / 16,
});

function layout<T extends Record<string, number>>(sizes: T): { readonly [name in keyof T]: number } & { end: number } {
  let end = 0;
  const places: Record<string, number> = {};
  for (const [name, size] of Object.entries(sizes)) {
    places[name] = end;
    end += size + SLACK;
  }
  return { ...(places as { [name in keyof T]: number }), end };
}

/** The one state of this module: compiled code and scratch memory, made at the first use. No result depends on it. */
let made: BlockKernels | undefined;

/** The kernels. */
export function blockKernels(): BlockKernels {
  made ??= simdBlockKernels() ?? plainBlockKernels();
  return made;
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  interleave(source: number, stride: number, target: number, count: number): void;
  quantize(...places: number[]): void;
}

/** The kernels in WebAssembly; undefined where it or its SIMD is missing. */
export function simdBlockKernels(): BlockKernels | undefined {
  const wasm = instantiate(BLOCKS_BASE64) as Exports | undefined;
  if (!wasm) return undefined;
  const { interleave, quantize } = wasm;
  return {
    memory: wasm.memory.buffer,
    interleave,
    quantize(run) {
      quantize(
        run.source,
        run.stride,
        run.count,
        run.groups,
        run.sourceStep,
        run.bits,
        run.symmetric ? 1 : 0,
        run.rounding,
        run.scales,
        run.scaleLane,
        run.scaleStep,
        run.zeros,
        run.target,
        run.lane,
        run.targetStep,
      );
    },
  };
}

/** The same in plain loops. */
export function plainBlockKernels(): BlockKernels {
  const memory = new ArrayBuffer(SCRATCH.end);
  const floats = new Float32Array(memory);
  const bytes = new Uint8Array(memory);
  return {
    memory,
    interleave(source, stride, target, count) {
      for (let lane = 0; lane < 4; lane++)
        for (let k = 0; k < count; k++)
          floats[target / 4 + k * 4 + lane] = floats[(source + lane * stride) / 4 + k] as number;
    },
    quantize(run) {
      const values = new Float32Array(run.count);
      for (let group = 0; group < run.groups; group++)
        for (let lane = 0; lane < 4; lane++) {
          const from = (run.source + group * run.sourceStep) / 4 + lane;
          for (let k = 0; k < run.count; k++) values[k] = floats[from + (k * run.stride) / 4] as number;
          const { scale, zero } = gridOf(values, run);
          const place = lane * run.scaleLane + group * run.scaleStep;
          floats[(run.scales + place) / 4] = scale;
          if (!run.symmetric) bytes[run.zeros + place / 4] = zero;
          putCodes(values, scale, zero, run, bytes, run.target + lane * run.lane + group * run.targetStep);
        }
    },
  };
}

type Rounded = Pick<BlockRun, 'bits' | 'symmetric' | 'rounding'>;

function gridOf(values: Float32Array, { bits, symmetric, rounding }: Rounded): { scale: number; zero: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const middle = 2 ** (bits - 1);
  // Of zeros of both signs, that of the first counts.
  const least = min === 0 && max === 0 ? (values[0] as number) : min;
  if (symmetric) return { scale: signedScale(least, max, middle), zero: middle };
  const scale = rangeScale(min, max, bits);
  const isHalfEven = rounding === ROUNDINGS.tables;
  // Of a block of zeros, whose scale is 0.
  if (scale === 0) return { scale, zero: isHalfEven ? middle : 0 };
  const exact = Math.fround(-Math.min(min, 0) / scale);
  const whole = Math.floor(exact);
  const rest = exact - whole;
  const up = rest > 0.5 || (rest === 0.5 && (!isHalfEven || whole % 2 !== 0));
  return { scale, zero: Math.min(2 ** bits - 1, Math.max(0, up ? whole + 1 : whole)) };
}

function putCodes(
  values: Float32Array,
  scale: number,
  zero: number,
  { bits, symmetric, rounding }: Rounded,
  bytes: Uint8Array,
  target: number,
): void {
  const isHalfEven = rounding === ROUNDINGS.tables;
  const zeroAfter = rounding === ROUNDINGS.pairs || (isHalfEven && symmetric);
  const [before, after] = zeroAfter ? [0, zero] : [zero, 0];
  const inverse = Math.fround(scale === 0 ? 0 : 1 / scale);
  const perByte = 8 / bits;
  const top = 2 ** bits - 1;
  const { length } = values;
  const padded = Math.ceil(length / perByte) * perByte;
  bytes.fill(0, target, target + Math.ceil((padded * bits) / 32) * 4);
  for (let k = 0; k < padded; k++) {
    const x = values[k < length ? k : Math.max(0, k - perByte)] as number;
    const rounded = isHalfEven ? halfEven(x, scale === 0 ? 1 : scale, before) : halfAway(x, inverse, before);
    const code = Math.min(top, Math.max(0, rounded + after));
    const at = target + Math.floor(k / perByte);
    bytes[at] = (bytes[at] as number) | (code << ((k % perByte) * bits));
  }
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

/** The extreme of larger magnitude, with its sign, becomes the smallest code. */
export function signedScale(min: number, max: number, middle: number): number {
  const extreme = Math.abs(max) > Math.abs(min) ? max : min;
  // NaN must stay: it tells of weights that are not finite.
  return Number.isNaN(min + max) ? Number.NaN : Math.fround(extreme / -middle);
}

/** From the least to the largest value, zero included. */
export function rangeScale(min: number, max: number, bits: number): number {
  return Math.fround(Math.fround(Math.max(max, 0) - Math.min(min, 0)) / (2 ** bits - 1));
}
