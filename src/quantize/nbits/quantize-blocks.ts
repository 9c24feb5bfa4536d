/** Quantizes a matrix block by block with any method that looks at one block at a time. */
import {
  blobBytes,
  blocksOf,
  type MatrixSource,
  type NBitsFormat,
  type PackedMatrix,
  packBlock,
  sourceElements,
} from './nbits-format.js';

/** Scale and zero point of a block. */
export interface BlockGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * Quantizes the weights of one block: writes their codes, and gives the grid they are on.
 * @param firstInput index of the first of the block's inputs
 */
export type BlockQuantizer = (values: Float32Array, codes: Uint8Array, firstInput: number) => BlockGrid;

/** Most bytes of weights in memory at a time, but for blocks that take more. */
const SLAB_BYTES = 16 * 2 ** 20;
/** Outputs whose blocks are turned together. */
const TILE = 64;

/** Quantizes a matrix. @returns undefined where it holds NaN or an infinity */
export function quantizeBlocks(
  source: MatrixSource,
  format: NBitsFormat,
  quantizer: BlockQuantizer,
): PackedMatrix | undefined {
  const { outputs, inputs } = source;
  const { block, symmetric, bits } = format;
  const [blocks, blob] = [blocksOf(inputs, format), blobBytes(format)];
  const packed = new Uint8Array(outputs * blocks * blob);
  const scales = new Float32Array(outputs * blocks);
  const zeroPoints = symmetric ? undefined : new Uint8Array(outputs * blocks);
  const codes = new Uint8Array(block);
  let allFinite = true;
  eachBlock(source, block, (values, output, at) => {
    const { scale, zeroPoint } = quantizer(values, codes, at * block);
    const place = output * blocks + at;
    // 0 · x is NaN for what is not finite.
    let probe = scale * 0;
    for (let k = 0; k < values.length; k++) probe += (values[k] as number) * 0;
    allFinite &&= probe === 0;
    scales[place] = scale;
    if (zeroPoints) zeroPoints[place] = zeroPoint;
    packBlock(codes, values.length, bits, packed, place * blob);
  });
  return allFinite ? { format, outputs, inputs, codes: packed, scales, zeroPoints } : undefined;
}

/** Calls `see` with each block of each output. The values are valid until the next call. */
function eachBlock(
  source: MatrixSource,
  block: number,
  see: (values: Float32Array, output: number, at: number) => void,
): void {
  const { outputs, inputs, byOutput } = source;
  const blocks = Math.ceil(inputs / block);
  if (byOutput) {
    const rows = Math.max(1, Math.floor(SLAB_BYTES / (4 * inputs)));
    for (let first = 0; first < outputs; first += rows) {
      const last = Math.min(outputs, first + rows);
      const values = sourceElements(source, first * inputs, last * inputs);
      for (let n = first; n < last; n++)
        for (let b = 0; b < blocks; b++) {
          const at = (n - first) * inputs;
          see(values.subarray(at + b * block, at + Math.min(inputs, (b + 1) * block)), n, b);
        }
    }
    return;
  }
  const turned = new Float32Array(TILE * block);
  const slab = Math.max(1, Math.floor(SLAB_BYTES / (4 * outputs * block)));
  for (let first = 0; first < blocks; first += slab) {
    const from = first * block;
    const to = Math.min(inputs, (first + slab) * block);
    const values = sourceElements(source, from * outputs, to * outputs);
    for (let b = first; b < Math.min(blocks, first + slab); b++) {
      const count = Math.min(block, inputs - b * block);
      for (let n0 = 0; n0 < outputs; n0 += TILE) {
        const width = Math.min(TILE, outputs - n0);
        for (let k = 0; k < count; k++) {
          const at = (b * block - from + k) * outputs + n0;
          for (let n = 0; n < width; n++) turned[n * block + k] = values[at + n] as number;
        }
        for (let n = 0; n < width; n++) see(turned.subarray(n * block, n * block + count), n0 + n, b);
      }
    }
  }
}
