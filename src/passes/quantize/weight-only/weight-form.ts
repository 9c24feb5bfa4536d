/** Quantized weights as the tensors that nodes read. */
import {
  blobBytes,
  blocksOf,
  type MatrixSource,
  type NBitsFormat,
  type PackedMatrix,
  packRows,
} from '../../../quantize/nbits/nbits-format.js';
import { pairForm } from '../../../quantize/nbits/pair-form.js';
import { type NearestRounding, roundToNearest } from '../../../quantize/nbits/round-to-nearest.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import { float32ToFloat16 } from '../../../tensor/float16.js';
import { bytesOf, Tensor } from '../../../tensor/tensor.js';
import type { WeightUnit } from './weight-plan.js';
import type { WeightForm } from './weight-tensors.js';

/** Why a weight stays in FP32 whatever the method. */
export const NOT_FINITE = 'its weight has NaN or infinite values';

/** Rounds the matrices of a unit to nearest. @returns why not, where one is not finite */
export function nearestMatrices(unit: WeightUnit): PackedMatrix[] | string {
  const made: PackedMatrix[] = [];
  for (const source of unit.sources) {
    const packed = nearestMatrix(unit, source);
    if (!packed) return NOT_FINITE;
    made.push(packed);
  }
  return made;
}

/** Rounds a matrix as those of a unit. @returns undefined where it is not finite */
export function nearestMatrix(
  { format, layout }: Pick<WeightUnit, 'format' | 'layout'>,
  source: MatrixSource,
): PackedMatrix | undefined {
  return roundToNearest(source, format, roundingOf(layout, format));
}

function roundingOf(layout: WeightUnit['layout'], { bits }: NBitsFormat): NearestRounding {
  if (layout === 'pairs' || layout === 'pairs-table') return 'pairs';
  return layout === 'table' && bits === 4 ? 'tables' : 'operator';
}

/** The tensors of quantized matrices. */
export function weightForm(
  { format, layout, batch, dataType }: WeightUnit,
  matrices: readonly PackedMatrix[],
): WeightForm {
  const [first] = matrices as [PackedMatrix];
  if (layout === 'operator' || layout === 'tied') return operatorForm(first, format, dataType);
  // GatherBlockQuantized takes 8 bits as UINT8 alone.
  if (layout === 'table' && format.bits === 8) return tableForm(first, format, dataType);
  const { codes, scales, zeroPoints } = pairForm(matrices, batch, layout !== 'pairs');
  return { codes, scales: asType(scales, dataType), zeroPoints };
}

function operatorForm(packed: PackedMatrix, format: NBitsFormat, dataType: DataTypeCode): WeightForm {
  const { outputs, inputs, codes, scales, zeroPoints } = packed;
  const blocks = blocksOf(inputs, format);
  const zeros = zeroPoints && packRows(zeroPoints, outputs, format.bits);
  return {
    codes: Tensor.of(DataType.UINT8, [outputs, blocks, blobBytes(format)], codes),
    scales: asType(Tensor.float32(scales, [outputs, blocks]), dataType),
    zeroPoints: zeros && Tensor.of(DataType.UINT8, [outputs, zeros.length / outputs], zeros),
  };
}

function tableForm(packed: PackedMatrix, format: NBitsFormat, dataType: DataTypeCode): WeightForm {
  const { outputs, inputs, codes } = packed;
  const made = operatorForm(packed, format, dataType);
  const rowBytes = codes.length / outputs;
  const rows = new Uint8Array(outputs * inputs);
  for (let n = 0; n < outputs; n++) rows.set(codes.subarray(n * rowBytes, n * rowBytes + inputs), n * inputs);
  return { ...made, codes: Tensor.of(DataType.UINT8, [outputs, inputs], rows) };
}

function asType(scales: Tensor, dataType: DataTypeCode): Tensor {
  if (dataType === DataType.FLOAT) return scales;
  const stored = new Uint16Array(scales.size);
  float32ToFloat16(scales.float32Array(), stored, { keepNonZero: true, clamp: true });
  return Tensor.of(dataType, scales.dims, bytesOf(stored));
}
