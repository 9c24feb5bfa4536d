/** The 16-bit float types that a model can be converted to, and what each of them cannot hold. */
import { BFLOAT16_MAX, bfloat16Bytes, fromBfloat16, toBfloat16 } from '../../../tensor/bfloat16.js';
import type { ConversionOptions } from '../../../tensor/conversion.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import { FLOAT16_MAX, FLOAT16_SMALLEST, float16Bytes, fromFloat16, toFloat16 } from '../../../tensor/float16.js';
import type { TensorBytes } from '../../../tensor/tensor.js';

export interface NarrowFloat {
  readonly dataType: DataTypeCode;
  /** As the schemas of operators call it. */
  readonly name: 'float16' | 'bfloat16';
  readonly max: number;
  /** The smallest number above zero. */
  readonly smallest: number;
  /** Whole numbers up to here are exact. */
  readonly wholeNumbers: number;
  /** The exponent is shorter than that of FLOAT, so that values may leave the range. */
  readonly isShortRanged: boolean;
  /** A FLOAT tensor's bytes in this type, converted while they are read. */
  readonly bytes: (source: TensorBytes, options: ConversionOptions) => TensorBytes;
  /** A number as this type holds it. */
  readonly round: (value: number) => number;
}

export const FLOAT16: NarrowFloat = {
  dataType: DataType.FLOAT16,
  name: 'float16',
  max: FLOAT16_MAX,
  smallest: FLOAT16_SMALLEST,
  wholeNumbers: 2048,
  isShortRanged: true,
  bytes: float16Bytes,
  round: (value) => fromFloat16(toFloat16(value)),
};

export const BFLOAT16: NarrowFloat = {
  dataType: DataType.BFLOAT16,
  name: 'bfloat16',
  max: BFLOAT16_MAX,
  smallest: 2 ** -133,
  wholeNumbers: 256,
  isShortRanged: false,
  bytes: bfloat16Bytes,
  round: (value) => fromBfloat16(toBfloat16(value)),
};
