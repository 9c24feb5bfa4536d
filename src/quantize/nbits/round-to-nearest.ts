/**
 * Round-to-nearest in blocks, bit for bit as ONNX Runtime's quantizers: those in C++ of MatMul weights, for its own operator (`operator`: a
 * product with the reciprocal of the scale, plus the zero point, rounded half away from zero) and for DequantizeLinear (`pairs`: rounded
 * before the zero point is added), and that in NumPy of tables (`tables`: a quotient, halves to even).
 * Four outputs at a time go through SIMD (blocks.wat); a slab of the weights is in memory.
 */
import { type BlockKernels, blockKernels, SCRATCH, SOURCE_BYTES, TARGET_BYTES } from './block-kernels.js';
import {
  blobBytes,
  blocksOf,
  type MatrixSource,
  middleCode,
  type NBitsFormat,
  type PackedMatrix,
  sourceElements,
} from './nbits-format.js';

/** Which of ONNX Runtime's quantizers is followed. */
export type NearestRounding = 'operator' | 'pairs' | 'tables';

/** Most bytes of weights in memory at a time, but for blocks that take more. */
const SLAB_BYTES = 16 * 2 ** 20;
/** Outputs that are copied into the scratch memory together. */
const TILE_OUTPUTS = 256;
/** Inputs of four outputs that are. */
const TILE_INPUTS = SOURCE_BYTES / 16;

/** Quantizes a matrix. @returns undefined where it holds NaN or an infinity */
export function roundToNearest(
  source: MatrixSource,
  format: NBitsFormat,
  rounding: NearestRounding = 'operator',
  kernels: BlockKernels = blockKernels(),
): PackedMatrix | undefined {
  const rounder = new Rounder(source, format, rounding, kernels);
  if (source.byOutput) rounder.rowsOfOutputs();
  else rounder.rowsOfInputs();
  return rounder.result();
}

class Rounder {
  readonly #source: MatrixSource;
  readonly #format: NBitsFormat;
  readonly #divide: boolean;
  /** Rounded before the zero point is added. */
  readonly #zeroAfter: boolean;
  readonly #kernels: BlockKernels;
  readonly #floats: Float32Array;
  readonly #target: Uint8Array;
  readonly #blocks: number;
  readonly #blob: number;
  readonly #codes: Uint8Array;
  readonly #scales: Float32Array;
  readonly #zeroPoints: Uint8Array;

  constructor(source: MatrixSource, format: NBitsFormat, rounding: NearestRounding, kernels: BlockKernels) {
    this.#source = source;
    this.#format = format;
    this.#divide = rounding === 'tables';
    this.#zeroAfter = rounding === 'pairs' || (rounding === 'tables' && format.symmetric);
    this.#kernels = kernels;
    this.#floats = new Float32Array(kernels.memory);
    this.#target = new Uint8Array(kernels.memory, SCRATCH.target);
    this.#blocks = blocksOf(source.inputs, format);
    this.#blob = blobBytes(format);
    const { outputs } = source;
    this.#codes = new Uint8Array(outputs * this.#blocks * this.#blob);
    this.#scales = new Float32Array(outputs * this.#blocks);
    this.#zeroPoints = new Uint8Array(format.symmetric ? 0 : outputs * this.#blocks);
  }

  result(): PackedMatrix | undefined {
    if (!this.#scales.every(Number.isFinite)) return undefined;
    const { outputs, inputs } = this.#source;
    return {
      format: this.#format,
      outputs,
      inputs,
      codes: this.#codes,
      scales: this.#scales,
      zeroPoints: this.#format.symmetric ? undefined : this.#zeroPoints,
    };
  }

  /** A slab of rows, each an input: [block][outputs] is vectors of outputs as it stands. */
  rowsOfInputs(): void {
    const { outputs, inputs } = this.#source;
    const { block } = this.#format;
    const slabBlocks = Math.max(
      1,
      Math.min(Math.floor(SLAB_BYTES / (4 * outputs * block)), Math.floor(TARGET_BYTES / TILE_OUTPUTS / this.#blob)),
    );
    const tileWidth = Math.min(TILE_OUTPUTS, SOURCE_BYTES / 4 / block);
    for (let first = 0; first < this.#blocks; first += slabBlocks) {
      const last = Math.min(this.#blocks, first + slabBlocks);
      const [from, to] = [first * block, Math.min(inputs, last * block)];
      const values = sourceElements(this.#source, from * outputs, to * outputs);
      const laneStride = (last - first) * this.#blob;
      for (let n = 0; n < outputs; n += tileWidth) {
        const width = Math.min(tileWidth, outputs - n);
        for (let b = first; b < last; b++) {
          const count = Math.min(block, inputs - b * block);
          for (let k = 0; k < count; k++) {
            const at = (b * block - from + k) * outputs + n;
            this.#floats.set(values.subarray(at, at + width), k * tileWidth);
          }
          for (let lane = 0; lane < width; lane += 4) {
            const target = lane * laneStride + (b - first) * this.#blob;
            this.#four(SCRATCH.source + lane * 4, tileWidth * 4, count, n + lane, width - lane, b, target, laneStride);
          }
        }
        this.#takeRows(n, width, first, laneStride);
      }
    }
  }

  /** Rows of outputs: four of them become vectors first. */
  rowsOfOutputs(): void {
    const { outputs, inputs } = this.#source;
    const { block } = this.#format;
    const rows = Math.max(4, Math.floor(SLAB_BYTES / (4 * inputs) / 4) * 4);
    const tileBlocks = Math.floor(TILE_INPUTS / block);
    for (let first = 0; first < outputs; first += rows) {
      const slab = Math.min(rows, outputs - first);
      const values = sourceElements(this.#source, first * inputs, (first + slab) * inputs);
      for (let row = 0; row < slab; row += 4) {
        const width = Math.min(4, slab - row);
        for (let b0 = 0; b0 < this.#blocks; b0 += tileBlocks) {
          const b1 = Math.min(this.#blocks, b0 + tileBlocks);
          const [from, to] = [b0 * block, Math.min(inputs, b1 * block)];
          for (let lane = 0; lane < width; lane++) {
            const at = (row + lane) * inputs;
            this.#floats.set(values.subarray(at + from, at + to), lane * TILE_INPUTS);
          }
          this.#kernels.interleave(SCRATCH.source, TILE_INPUTS * 4, SCRATCH.lanes, (to - from + 3) & ~3);
          const laneStride = (b1 - b0) * this.#blob;
          for (let b = b0; b < b1; b++) {
            const count = Math.min(block, inputs - b * block);
            const place = SCRATCH.lanes + (b - b0) * block * 16;
            this.#four(place, 16, count, first + row, width, b, (b - b0) * this.#blob, laneStride);
          }
          this.#takeRows(first + row, width, b0, laneStride);
        }
      }
    }
  }

  /** One block of four outputs; of the last ones, fewer count. */
  #four(
    source: number,
    stride: number,
    count: number,
    output: number,
    lanes: number,
    block: number,
    target: number,
    laneStride: number,
  ): void {
    const { bits, symmetric } = this.#format;
    const [floats, at] = [this.#floats, SCRATCH.parameters / 4];
    this.#kernels.extremes(source, stride, count, SCRATCH.extremes);
    const middle = middleCode(this.#format);
    for (let lane = 0; lane < 4; lane++) {
      const min = floats[SCRATCH.extremes / 4 + lane] as number;
      const max = floats[SCRATCH.extremes / 4 + 4 + lane] as number;
      // Of zeros of both signs, that of the first counts.
      const least = min === 0 && max === 0 ? (floats[source / 4 + lane] as number) : min;
      const scale = symmetric ? signedScale(least, max, middle) : rangeScale(min, max, bits);
      const zero = symmetric ? middle : this.#zeroPoint(min, scale);
      const isZero = scale === 0;
      floats[at + lane] = this.#divide ? (isZero ? 1 : scale) : isZero ? 0 : 1 / scale;
      floats[at + 4 + lane] = this.#zeroAfter ? 0 : zero;
      floats[at + 8 + lane] = this.#zeroAfter ? zero : 0;
      if (lane >= lanes) continue;
      const place = (output + lane) * this.#blocks + block;
      this.#scales[place] = scale;
      if (!symmetric) this.#zeroPoints[place] = zero;
    }
    this.#kernels.encode(
      source,
      stride,
      count,
      bits,
      SCRATCH.parameters,
      this.#divide ? 1 : 0,
      SCRATCH.target + target,
      laneStride,
    );
  }

  #zeroPoint(min: number, scale: number): number {
    const top = 2 ** this.#format.bits - 1;
    // Of a block of zeros, whose scale is 0.
    if (scale === 0) return this.#divide ? middleCode(this.#format) : 0;
    const exact = Math.fround(-Math.min(min, 0) / scale);
    const whole = Math.floor(exact);
    const rest = exact - whole;
    const up = rest > 0.5 || (rest === 0.5 && (!this.#divide || whole % 2 !== 0));
    return Math.min(top, Math.max(0, up ? whole + 1 : whole));
  }

  /** Copies rows of the target, each `laneStride` bytes, to the codes of outputs from block `first` on; the target is zero again. */
  #takeRows(output: number, rows: number, first: number, laneStride: number): void {
    for (let row = 0; row < rows; row++) {
      const at = ((output + row) * this.#blocks + first) * this.#blob;
      this.#codes.set(this.#target.subarray(row * laneStride, (row + 1) * laneStride), at);
    }
    this.#target.fill(0, 0, ((rows + 3) & ~3) * laneStride);
  }
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
