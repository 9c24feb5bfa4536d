/** Packed matrices as operands of DequantizeLinear in blocks (opset 21): codes in the layout that a node reads, and their scales. */
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { storedNumbers } from '../stored-numbers.js';
import { blocksOf, middleCode, type NBitsFormat, type PackedMatrix, unpackedRow } from './nbits-format.js';

/** What a DequantizeLinear reads. */
export interface PairForm {
  readonly codes: Tensor;
  /** FLOAT. */
  readonly scales: Tensor;
  readonly zeroPoints: Tensor | undefined;
  /** Of the blocks. */
  readonly axis: number;
}

/** Outputs whose codes are turned together. */
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
  const [size, perByte, mask] = [outputs * inputs, 8 / bits, 2 ** bits - 1];
  const shift = symmetric ? middleCode(format) : 0;
  const packed = new Uint8Array(Math.ceil((matrices.length * size) / perByte));
  const put = (index: number, code: number): void => {
    const at = Math.floor(index / perByte);
    packed[at] = (packed[at] as number) | (((code - shift) & mask) << ((index % perByte) * bits));
  };
  const rows = Array.from({ length: Math.min(TILE, outputs) }, () => new Uint8Array(inputs));
  for (const [at, matrix] of matrices.entries())
    for (let n0 = 0; n0 < outputs; n0 += TILE) {
      const count = Math.min(TILE, outputs - n0);
      for (let n = 0; n < count; n++) unpackedRow(matrix, n0 + n, rows[n] as Uint8Array);
      const first = at * size + (byOutput ? n0 * inputs : n0);
      if (byOutput)
        for (let n = 0; n < count; n++)
          for (let k = 0; k < inputs; k++) put(first + n * inputs + k, (rows[n] as Uint8Array)[k] as number);
      else
        for (let k = 0; k < inputs; k++)
          for (let n = 0; n < count; n++) put(first + k * outputs + n, (rows[n] as Uint8Array)[k] as number);
    }
  return packed;
}
