/** Packed matrices as operands of DequantizeLinear in blocks (opset 21): codes in the layout that a node reads, and their scales. */
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { storedNumbers } from '../stored-numbers.js';
import { blobBytes, blocksOf, middleCode, type NBitsFormat, type PackedMatrix, unpackedRow } from './nbits-format.js';

/** What a DequantizeLinear reads. */
export interface PairForm {
  readonly codes: Tensor;
  /** FLOAT. */
  readonly scales: Tensor;
  readonly zeroPoints: Tensor | undefined;
  /** Of the blocks. */
  readonly axis: number;
}

/** Bytes of a row of codes that are turned together. */
const TILE = 64;

/** The type of codes: signed around zero where the format is symmetric. */
export function pairType({ bits, symmetric }: NBitsFormat): DataTypeCode {
  if (bits === 2) return symmetric ? DataType.INT2 : DataType.UINT2;
  if (bits === 4) return symmetric ? DataType.INT4 : DataType.UINT4;
  return symmetric ? DataType.INT8 : DataType.UINT8;
}

/**
 * Matrices of one format, stacked along `batch`.
 * @param byOutput [...batch, outputs, inputs], else [...batch, inputs, outputs]
 */
export function pairForm(matrices: readonly PackedMatrix[], batch: readonly number[], byOutput: boolean): PairForm {
  const [{ format, outputs, inputs }] = matrices as [PackedMatrix];
  const blocks = blocksOf(inputs, format);
  const storage = pairType(format);
  const scales = new Float32Array(matrices.length * outputs * blocks);
  const zeros = format.symmetric ? undefined : new Int16Array(scales.length);
  for (const [at, matrix] of matrices.entries())
    for (let n = 0; n < outputs; n++)
      for (let b = 0; b < blocks; b++) {
        const place = at * outputs * blocks + (byOutput ? n * blocks + b : b * outputs + n);
        scales[place] = matrix.scales[n * blocks + b] as number;
        if (zeros) zeros[place] = matrix.zeroPoints?.[n * blocks + b] ?? middleCode(format);
      }
  const dims = (length: number): number[] => [...batch, ...(byOutput ? [outputs, length] : [length, outputs])];
  return {
    codes: Tensor.of(storage, dims(inputs), codesOf(matrices, byOutput)),
    scales: Tensor.float32(scales, dims(blocks)),
    zeroPoints: zeros && Tensor.of(storage, dims(blocks), storedNumbers(zeros, { storage })),
    axis: batch.length + (byOutput ? 1 : 0),
  };
}

/** All codes in order, packed: low bits first. */
function codesOf(matrices: readonly PackedMatrix[], byOutput: boolean): Uint8Array {
  const [{ format, outputs, inputs }] = matrices as [PackedMatrix];
  const { bits, symmetric } = format;
  const perByte = 8 / bits;
  const size = outputs * inputs;
  const packed = new Uint8Array(Math.ceil((matrices.length * size) / perByte));
  // Less the middle code: its bit is the highest, and changes.
  const flip = symmetric ? middleCode(format) * (255 / (2 ** bits - 1)) : 0;
  const isWhole = (byOutput ? inputs : outputs) % perByte === 0;
  for (const [at, matrix] of matrices.entries())
    if (!isWhole) putOneByOne(matrix, byOutput, packed, at * size);
    else if (byOutput) putRows(matrix, packed, (at * size) / perByte);
    else putColumns(matrix, packed, (at * size) / perByte);
  if (flip !== 0) flipAll(packed, flip);
  // Beyond the last code there is nothing to change.
  const over = (matrices.length * size) % perByte;
  if (over > 0) packed[packed.length - 1] = (packed.at(-1) as number) & (2 ** (over * bits) - 1);
  return packed;
}

/** Changes the same bits of each byte. `bytes` is a whole buffer. */
function flipAll(bytes: Uint8Array, bits: number): void {
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  const four = bits * 0x01010101;
  for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) ^ four;
  for (let at = words.byteLength; at < bytes.length; at++) bytes[at] = (bytes[at] as number) ^ bits;
}

/** [outputs, inputs], rows of whole bytes. */
function putRows({ codes, format, outputs, inputs }: PackedMatrix, target: Uint8Array, start: number): void {
  const [from, to] = [blocksOf(inputs, format) * blobBytes(format), (inputs * format.bits) / 8];
  for (let n = 0; n < outputs; n++) target.set(codes.subarray(n * from, n * from + to), start + n * to);
}

/** [inputs, outputs], rows of whole bytes: some outputs at a time, so that what is written stays in the cache. */
function putColumns({ codes, format, outputs, inputs }: PackedMatrix, target: Uint8Array, start: number): void {
  const { bits } = format;
  const perByte = 8 / bits;
  const rowBytes = blocksOf(inputs, format) * blobBytes(format);
  const columnBytes = outputs / perByte;
  const used = Math.ceil(inputs / perByte);
  const mask = 2 ** bits - 1;
  for (let first = 0; first < columnBytes; first += TILE)
    for (let byte = 0; byte < used; byte++) {
      const last = Math.min(columnBytes, first + TILE);
      const codesHere = Math.min(perByte, inputs - byte * perByte);
      for (let part = 0; part < codesHere; part++) {
        const shift = part * bits;
        const row = start + (byte * perByte + part) * columnBytes;
        for (let column = first, from = first * perByte * rowBytes + byte; column < last; column++) {
          let word = 0;
          for (let place = 0; place < 8; place += bits, from += rowBytes)
            word |= (((codes[from] as number) >> shift) & mask) << place;
          target[row + column] = word;
        }
      }
    }
}

/** Rows that share bytes. */
function putOneByOne(matrix: PackedMatrix, byOutput: boolean, target: Uint8Array, start: number): void {
  const { format, outputs, inputs } = matrix;
  const { bits } = format;
  const perByte = 8 / bits;
  const row = new Uint8Array(inputs);
  for (let n = 0; n < outputs; n++) {
    unpackedRow(matrix, n, row);
    for (let k = 0; k < inputs; k++) {
      const index = start + (byOutput ? n * inputs + k : k * outputs + n);
      const at = Math.floor(index / perByte);
      target[at] = (target[at] as number) | ((row[k] as number) << ((index % perByte) * bits));
    }
  }
}
