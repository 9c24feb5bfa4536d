/**
 * Scale and zero-point arithmetic, in the conventions of ONNX Runtime's quantizer (`quant_utils.compute_scale_zp`), so
 * that equal ranges give equal bits: float32 subtraction, float64 division, float32 storage, halves rounded to even.
 */
import { DataType, type DataTypeCode } from '../tensor/dtype.js';

/** Integer types of 8-bit quantization: `u8` is UINT8, `s8` is INT8. */
export type QuantizedType = 'u8' | 's8';

/** The ONNX data type of a quantized type. */
export function quantizedDataType(type: QuantizedType): DataTypeCode {
  return type === 'u8' ? DataType.UINT8 : DataType.INT8;
}

export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** All values the type can hold: quantized data is clipped to these, whatever range the scale was made for. */
export function typeRange(type: QuantizedType): IntegerRange {
  return type === 'u8' ? { min: 0, max: 255 } : { min: -128, max: 127 };
}

export interface SchemeOptions {
  readonly type: QuantizedType;
  /** Range centred on zero. */
  readonly symmetric: boolean;
  /** One bit less (7-bit), so that u8×s8 products cannot saturate in int16 on CPUs without VNNI. Wins over `symmetric`. */
  readonly reduceRange?: boolean | undefined;
}

/** The integers a scale is computed for: reduced, symmetric or full. */
export function schemeRange(options: SchemeOptions): IntegerRange {
  if (options.reduceRange) return options.type === 'u8' ? { min: 0, max: 127 } : { min: -64, max: 64 };
  if (options.symmetric && options.type === 's8') return { min: -127, max: 127 };
  return typeRange(options.type);
}

/** real = (quantized − zeroPoint) · scale. `scale` is a float32 value. */
export interface QuantizationParameters {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Smallest normal float32: a scale below it becomes 1 with zero point 0. */
export const SMALLEST_NORMAL = 1.1754943508222875e-38;

/** Rounds half to even, as NumPy and ONNX do. Exact for every finite double. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Scale and zero point for real values in [min, max] (float32 values). The range is widened to hold zero, and made
 * symmetric when asked.
 */
export function quantizationParameters(min: number, max: number, options: SchemeOptions): QuantizationParameters {
  const { min: qmin, max: qmax } = schemeRange(options);
  let low = Math.min(Math.fround(min), 0);
  let high = Math.max(Math.fround(max), 0);
  if (options.symmetric) {
    high = Math.max(-low, high);
    low = -high;
  }
  const scale = Math.fround(high - low) / (qmax - qmin);
  if (scale < SMALLEST_NORMAL) return { scale: 1, zeroPoint: 0 };
  const zeroPoint = options.symmetric ? roundHalfEven((qmin + qmax) / 2) : roundHalfEven(qmin - low / scale);
  return { scale: Math.fround(scale), zeroPoint };
}

/** The integer of one real value: round(x / scale) + zeroPoint, clipped to the type. Division in float32. */
export function quantizeValue(value: number, parameters: QuantizationParameters, type: QuantizedType): number {
  const { min, max } = typeRange(type);
  const quantized = roundHalfEven(Math.fround(value / parameters.scale)) + parameters.zeroPoint;
  return Math.min(Math.max(quantized, min), max);
}
