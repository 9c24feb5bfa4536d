/**
 * Weights of 2, 4 and 8 bits with one scale for each block of inputs, as ONNX Runtime's MatMulNBits stores them: for each output the
 * codes of its inputs in blocks, low bits first; a weight is (code − zero point) · scale. Without zero points the zero point is
 * 2^(bits − 1). (onnxruntime, docs/ContribOperators.md, com.microsoft.MatMulNBits)
 */
import { DataType } from '../../tensor/dtype.js';
import { float32Chunks } from '../../tensor/float-chunks.js';
import { Tensor, typedView } from '../../tensor/tensor.js';

/** Numbers of bits. */
export type NBits = 2 | 4 | 8;

/** How blocks are quantized. */
export interface NBitsFormat {
  readonly bits: NBits;
  /** Inputs that share a scale: a power of two from 16 to 256. */
  readonly block: number;
  /** Zero point in the middle of the codes. */
  readonly symmetric: boolean;
}

/** Sizes of blocks. ONNX Runtime 1.26 gave zeros for 512. */
export const NBITS_BLOCKS: readonly number[] = [16, 32, 64, 128, 256];

/** A matrix of weights within a tensor; its elements are read when they are needed. */
export interface MatrixSource {
  /** FLOAT or FLOAT16. */
  readonly tensor: Tensor;
  /** Index of the matrix's first element. */
  readonly first: number;
  readonly outputs: number;
  readonly inputs: number;
  /** The tensor has a row for each output, else one for each input. */
  readonly byOutput: boolean;
}

/** A quantized matrix. */
export interface PackedMatrix {
  readonly format: NBitsFormat;
  readonly outputs: number;
  readonly inputs: number;
  /** [outputs, blocks, block · bits / 8]; codes past the inputs are padding. */
  readonly codes: Uint8Array;
  /** [outputs, blocks] */
  readonly scales: Float32Array;
  /** One number a block, [outputs, blocks]; undefined where all are in the middle. */
  readonly zeroPoints: Uint8Array | undefined;
}

/** Blocks of an output. */
export function blocksOf(inputs: number, { block }: NBitsFormat): number {
  return Math.ceil(inputs / block);
}

/** Bytes of a block. */
export function blobBytes({ block, bits }: NBitsFormat): number {
  return (block * bits) / 8;
}

/** The zero point of symmetric formats. */
export function middleCode({ bits }: Pick<NBitsFormat, 'bits'>): number {
  return 2 ** (bits - 1);
}

/** Elements of a source from `start` up to `end`, counted from its first, as float32. Valid until the next call. */
export function sourceElements(source: MatrixSource, start: number, end: number): Float32Array {
  const { tensor } = source;
  if (tensor.dataType === DataType.FLOAT) return typedView(Float32Array, sourceBytes(source, start, end));
  const values = new Float32Array(end - start);
  readElements(source, start, values);
  return values;
}

/** Fills `target` with elements of a source from `start` on, counted from its first. */
export function readElements(source: MatrixSource, start: number, target: Float32Array): void {
  const { tensor, first } = source;
  const end = start + target.length;
  if (tensor.dataType !== DataType.FLOAT) {
    let at = 0;
    const bytes = sourceBytes(source, start, end);
    for (const chunk of float32Chunks(Tensor.of(tensor.dataType, [target.length], bytes))) {
      target.set(chunk, at);
      at += chunk.length;
    }
    return;
  }
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  if (tensor.data.readInto) tensor.data.readInto(bytes, (first + start) * 4);
  else bytes.set(sourceBytes(source, start, end));
}

function sourceBytes({ tensor, first }: MatrixSource, start: number, end: number): Uint8Array {
  const size = tensor.dataType === DataType.FLOAT ? 4 : 2;
  const [from, to] = [(first + start) * size, (first + end) * size];
  return tensor.data.range?.(from, to) ?? tensor.bytes().subarray(from, to);
}

/** The codes of an output, one a byte. */
export function unpackedRow({ codes, format, inputs }: PackedMatrix, output: number, target: Uint8Array): void {
  const { bits } = format;
  const rowBytes = blocksOf(inputs, format) * blobBytes(format);
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const from = output * rowBytes;
  for (let k = 0; k < inputs; k++)
    target[k] = ((codes[from + Math.floor(k / perByte)] as number) >> ((k % perByte) * bits)) & mask;
}

/** Packs the codes of one block, one a byte, low bits first. `target` is zero. The rest of the last byte repeats the byte before. */
export function packBlock(codes: Uint8Array, count: number, bits: NBits, target: Uint8Array, at: number): void {
  const perByte = 8 / bits;
  const padded = Math.ceil(count / perByte) * perByte;
  for (let k = 0; k < padded; k++) {
    const code = codes[k < count ? k : Math.max(0, k - perByte)] as number;
    const byte = at + Math.floor(k / perByte);
    target[byte] = (target[byte] as number) | (code << ((k % perByte) * bits));
  }
}

/** Numbers of `bits` bits packed row by row, low bits first; the rest of the last byte of a row is the middle code, as ONNX Runtime fills it. */
export function packRows(numbers: Uint8Array, rows: number, bits: NBits): Uint8Array {
  if (bits === 8) return numbers;
  const columns = numbers.length / rows;
  const perByte = 8 / bits;
  const rowBytes = Math.ceil(columns / perByte);
  const packed = new Uint8Array(rows * rowBytes);
  const fill = middleCode({ bits });
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < rowBytes * perByte; k++) {
      const code = k < columns ? (numbers[row * columns + k] as number) : fill;
      const at = row * rowBytes + Math.floor(k / perByte);
      packed[at] = (packed[at] as number) | (code << ((k % perByte) * bits));
    }
  return packed;
}

/** The weights that a packed matrix stands for, [outputs, inputs]. */
export function dequantizedMatrix(packed: PackedMatrix): Float32Array {
  const { outputs, inputs, format, scales, zeroPoints } = packed;
  const values = new Float32Array(outputs * inputs);
  const row = new Uint8Array(inputs);
  const blocks = blocksOf(inputs, format);
  const middle = middleCode(format);
  for (let n = 0; n < outputs; n++) {
    unpackedRow(packed, n, row);
    for (let k = 0; k < inputs; k++) {
      const at = n * blocks + Math.floor(k / format.block);
      values[n * inputs + k] = ((row[k] as number) - (zeroPoints?.[at] ?? middle)) * (scales[at] as number);
    }
  }
  return values;
}

/** All weights of a source, [outputs, inputs]. */
export function sourceMatrix(source: MatrixSource): Float32Array {
  const { outputs, inputs, byOutput } = source;
  const values = sourceElements(source, 0, outputs * inputs);
  if (byOutput) return Float32Array.from(values);
  const turned = new Float32Array(values.length);
  const tile = 32;
  for (let k0 = 0; k0 < inputs; k0 += tile)
    for (let n0 = 0; n0 < outputs; n0 += tile) {
      const [kEnd, nEnd] = [Math.min(inputs, k0 + tile), Math.min(outputs, n0 + tile)];
      for (let k = k0; k < kEnd; k++)
        for (let n = n0; n < nEnd; n++) turned[n * inputs + k] = values[k * outputs + n] as number;
    }
  return turned;
}
