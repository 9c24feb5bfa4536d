/**
 * Round-to-nearest in blocks, bit for bit as ONNX Runtime's quantizers: those in C++ of MatMul weights, for its own operator (`operator`: a
 * product with the reciprocal of the scale, plus the zero point, rounded half away from zero) and for DequantizeLinear (`pairs`: rounded
 * before the zero point is added), and that in NumPy of tables (`tables`: a quotient, halves to even).
 * A slab of the weights at a time goes through SIMD (blocks.wat), four outputs to a vector.
 */
import {
  type BlockKernels,
  type BlockRun,
  blockKernels,
  LANE_INPUTS,
  ROUNDINGS,
  SCRATCH,
  SLAB_WEIGHTS,
} from './block-kernels.js';
import {
  blobBytes,
  blocksOf,
  type MatrixSource,
  type NBitsFormat,
  type PackedMatrix,
  readElements,
} from './nbits-format.js';

/** Which of ONNX Runtime's quantizers is followed. */
export type NearestRounding = keyof typeof ROUNDINGS;

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

/** Outputs from `output` on and blocks from `block` on, of which results are in the scratch memory. */
interface Tile {
  readonly output: number;
  readonly outputs: number;
  readonly block: number;
  readonly blocks: number;
}

class Rounder {
  readonly #source: MatrixSource;
  readonly #format: NBitsFormat;
  readonly #rounding: number;
  readonly #kernels: BlockKernels;
  readonly #blocks: number;
  readonly #blob: number;
  readonly #codes: Uint8Array;
  readonly #scales: Float32Array;
  readonly #zeroPoints: Uint8Array;

  constructor(source: MatrixSource, format: NBitsFormat, rounding: NearestRounding, kernels: BlockKernels) {
    this.#source = source;
    this.#format = format;
    this.#rounding = ROUNDINGS[rounding];
    this.#kernels = kernels;
    this.#blocks = blocksOf(source.inputs, format);
    this.#blob = blobBytes(format);
    const { outputs } = source;
    this.#codes = new Uint8Array(outputs * this.#blocks * this.#blob);
    this.#scales = new Float32Array(outputs * this.#blocks);
    this.#zeroPoints = new Uint8Array(format.symmetric ? 0 : outputs * this.#blocks);
  }

  result(): PackedMatrix | undefined {
    // 0 · x is NaN for what is not finite.
    let probe = 0;
    for (let at = 0; at < this.#scales.length; at++) probe += (this.#scales[at] as number) * 0;
    if (probe !== 0) return undefined;
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

  /** The tensor has a row for each input: four neighbours in it are a vector. */
  rowsOfInputs(): void {
    const { outputs, inputs } = this.#source;
    const { block } = this.#format;
    const width = Math.min(outputs, SLAB_WEIGHTS / block);
    const padded = (width + 3) & ~3;
    const slab = Math.max(1, Math.floor(SLAB_WEIGHTS / (block * padded)));
    for (let b = 0; b < this.#blocks; b += slab)
      for (let n = 0; n < outputs; n += width) {
        const tile = {
          output: n,
          outputs: Math.min(width, outputs - n),
          block: b,
          blocks: Math.min(slab, this.#blocks - b),
        };
        const [from, to] = [b * block, Math.min(inputs, (b + tile.blocks) * block)];
        if (tile.outputs === outputs) this.#read(from * outputs, (to - from) * outputs, SCRATCH.source);
        else
          for (let k = from; k < to; k++)
            this.#read(k * outputs + n, tile.outputs, SCRATCH.source + (k - from) * tile.outputs * 4);
        this.#clearPadding(tile);
        for (let at = 0; at < tile.blocks; at++)
          this.#kernels.quantize({
            ...this.#places(tile, 0, at),
            source: SCRATCH.source + at * block * tile.outputs * 4,
            stride: tile.outputs * 4,
            count: Math.min(block, inputs - (b + at) * block),
            groups: Math.ceil(tile.outputs / 4),
            sourceStep: 16,
            scaleStep: 4 * tile.blocks * 4,
            targetStep: 4 * tile.blocks * this.#blob,
          });
        this.#take(tile);
      }
  }

  /** The tensor has a row for each output: four rows become vectors first. */
  rowsOfOutputs(): void {
    const { outputs, inputs } = this.#source;
    const { block } = this.#format;
    const blocks = Math.min(this.#blocks, SLAB_WEIGHTS / block / 4);
    const rows = Math.max(4, Math.floor(SLAB_WEIGHTS / (blocks * block) / 4) * 4);
    for (let n = 0; n < outputs; n += rows)
      for (let b = 0; b < this.#blocks; b += blocks) {
        const tile = {
          output: n,
          outputs: Math.min(rows, outputs - n),
          block: b,
          blocks: Math.min(blocks, this.#blocks - b),
        };
        const from = b * block;
        const count = Math.min(inputs, from + tile.blocks * block) - from;
        if (count === inputs) this.#read(n * inputs, tile.outputs * inputs, SCRATCH.source);
        else
          for (let row = 0; row < tile.outputs; row++)
            this.#read((n + row) * inputs + from, count, SCRATCH.source + row * count * 4);
        this.#clearPadding(tile);
        for (let row = 0; row < tile.outputs; row += 4) this.#fourRows(tile, row, count);
        this.#take(tile);
      }
  }

  #fourRows(tile: Tile, row: number, count: number): void {
    const { block } = this.#format;
    for (let first = 0; first < count; first += LANE_INPUTS) {
      const part = Math.min(LANE_INPUTS, count - first);
      const start = SCRATCH.source + (row * count + first) * 4;
      this.#kernels.interleave(start, count * 4, SCRATCH.lanes, (part + 3) & ~3);
      const whole = Math.floor(part / block);
      const run = (at: number, groups: number, inputs: number): void => {
        this.#kernels.quantize({
          ...this.#places(tile, row, first / block + at),
          source: SCRATCH.lanes + at * block * 16,
          stride: 16,
          count: inputs,
          groups,
          sourceStep: block * 16,
          scaleStep: 4,
          targetStep: this.#blob,
        });
      };
      if (whole > 0) run(0, whole, block);
      if (part > whole * block) run(whole, 1, part - whole * block);
    }
  }

  /** Where the results of four outputs from `row` on go, from the tile's block `at` on. */
  #places({ blocks }: Tile, row: number, at: number) {
    const place = row * blocks + at;
    return {
      bits: this.#format.bits,
      symmetric: this.#format.symmetric,
      rounding: this.#rounding,
      scales: SCRATCH.scales + place * 4,
      scaleLane: blocks * 4,
      zeros: SCRATCH.zeros + place,
      target: SCRATCH.codes + place * this.#blob,
      lane: blocks * this.#blob,
    } satisfies Partial<BlockRun>;
  }

  #read(start: number, count: number, place: number): void {
    readElements(this.#source, start, new Float32Array(this.#kernels.memory, place, count));
  }

  /** A last block that is not full is written in part. */
  #clearPadding({ outputs, block, blocks }: Tile): void {
    if (this.#source.inputs >= (block + blocks) * this.#format.block) return;
    new Uint8Array(this.#kernels.memory, SCRATCH.codes, outputs * blocks * this.#blob).fill(0);
  }

  /** Copies a tile from the scratch memory. */
  #take({ output, outputs, block, blocks }: Tile): void {
    const { memory } = this.#kernels;
    const take = <T extends Uint8Array | Float32Array>(target: T, source: T, each: number): void => {
      const [row, all] = [blocks * each, this.#blocks * each];
      if (row === all) target.set(source.subarray(0, outputs * row), output * all);
      else
        for (let n = 0; n < outputs; n++)
          target.set(source.subarray(n * row, (n + 1) * row), (output + n) * all + block * each);
    };
    const count = outputs * blocks;
    take(this.#codes, new Uint8Array(memory, SCRATCH.codes, count * this.#blob), this.#blob);
    take(this.#scales, new Float32Array(memory, SCRATCH.scales, count), 1);
    if (!this.#format.symmetric) take(this.#zeroPoints, new Uint8Array(memory, SCRATCH.zeros, count), 1);
  }
}
