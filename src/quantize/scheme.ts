/**
 * How numbers become small ones, as data, and the arithmetic of scales and zero points: in the conventions of ONNX Runtime's quantizer
 * (`quant_utils.compute_scale_zp`), so that equal ranges give equal bits: float32 subtraction, float64 division, float32 storage, halves
 * rounded to even.
 */

import { bug } from '../errors.js';
import { DataType, type DataTypeCode } from '../tensor/dtype.js';
import { roundHalfEven } from '../tensor/round-half-even.js';
import { encodeSmallFloats, smallFloatValues } from '../tensor/small-float.js';

/** How many elements share a scale: all, those with one index of an axis, or `size` in a row along an axis. */
export type Granularity =
  | { readonly kind: 'tensor' }
  /** Without `axis` that of the operator's output channels. */
  | { readonly kind: 'channel'; readonly axis?: number }
  /** Without `axis` the one that the operator sums over. */
  | { readonly kind: 'block'; readonly axis?: number; readonly size: number };

/** How a tensor is quantized. */
export interface QuantizationScheme {
  readonly bits: number;
  readonly signed: boolean;
  /** Range centred on zero. */
  readonly symmetric: boolean;
  readonly granularity: Granularity;
  /** One bit less, so that products of u8 and s8 cannot saturate in int16 on CPUs without VNNI. Wins over `symmetric`. */
  readonly reduceRange: boolean;
  /** The ONNX type that holds it. */
  readonly storage: DataTypeCode;
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

/** The types that quantized numbers are stored in. `symmetric` and `reduced` are the numbers a scale is computed for. */
export interface QuantizedTypeRow {
  readonly bits: number;
  readonly signed: boolean;
  readonly storage: DataTypeCode;
  readonly full: NumberRange;
  readonly symmetric: NumberRange;
  /** With one bit less; absent where that means nothing. */
  readonly reduced?: NumberRange;
}

const row = (
  bits: number,
  storage: DataTypeCode,
  full: readonly [number, number],
  symmetric: readonly [number, number] = full,
  reduced?: readonly [number, number],
): QuantizedTypeRow => ({
  bits,
  signed: full[0] < 0,
  storage,
  full: { min: full[0], max: full[1] },
  symmetric: { min: symmetric[0], max: symmetric[1] },
  ...(reduced ? { reduced: { min: reduced[0], max: reduced[1] } } : {}),
});

/** Names of the types as users write them: unsigned, signed, and floats of 8 bits by their exponent and mantissa. */
export type QuantizedTypeName = 'u8' | 's8' | 'u16' | 's16' | 'u4' | 's4' | 'u2' | 's2' | 's32' | 'f8e4m3' | 'f8e5m2';

/** The types. Ranges as in ONNX Runtime's `quant_utils`. */
export const QUANTIZED_TYPES: Readonly<Record<QuantizedTypeName, QuantizedTypeRow>> = {
  u8: row(8, DataType.UINT8, [0, 255], [0, 255], [0, 127]),
  s8: row(8, DataType.INT8, [-128, 127], [-127, 127], [-64, 64]),
  u16: row(16, DataType.UINT16, [0, 65535], [0, 65535], [0, 32767]),
  s16: row(16, DataType.INT16, [-32768, 32767], [-32767, 32767], [-16384, 16384]),
  u4: row(4, DataType.UINT4, [0, 15], [0, 15], [0, 7]),
  s4: row(4, DataType.INT4, [-8, 7], [-8, 7], [-4, 3]),
  u2: row(2, DataType.UINT2, [0, 3]),
  s2: row(2, DataType.INT2, [-2, 1]),
  s32: row(32, DataType.INT32, [-2147483648, 2147483647], [-2147483647, 2147483647]),
  f8e4m3: row(8, DataType.FLOAT8E4M3FN, [-448, 448]),
  f8e5m2: row(8, DataType.FLOAT8E5M2, [-57344, 57344]),
};

const ROWS: ReadonlyMap<DataTypeCode, { readonly name: QuantizedTypeName; readonly row: QuantizedTypeRow }> = new Map(
  Object.entries(QUANTIZED_TYPES).map(([name, each]) => [each.storage, { name: name as QuantizedTypeName, row: each }]),
);

/** What of a scheme does not follow from its type. */
export type SchemeChoices = Partial<Pick<QuantizationScheme, 'symmetric' | 'granularity' | 'reduceRange'>>;

/** A scheme of a type; asymmetric, with one scale for the whole tensor and all bits, where nothing else is said. Small floats are symmetric. */
export function schemeOf(type: QuantizedTypeName, choices: SchemeChoices = {}): QuantizationScheme {
  const { bits, signed, storage } = QUANTIZED_TYPES[type];
  return {
    bits,
    signed,
    symmetric: choices.symmetric ?? isSmallFloat(storage),
    granularity: choices.granularity ?? { kind: 'tensor' },
    reduceRange: choices.reduceRange ?? false,
    storage,
  };
}

/** The name of the type that a scheme stores. @throws a bug error for a storage without a row */
export function quantizedTypeName({ storage }: Pick<QuantizationScheme, 'storage'>): QuantizedTypeName {
  return known(storage).name;
}

/** A scheme in words: `s8, symmetric, per channel`. */
export function schemeText(scheme: QuantizationScheme): string {
  const { granularity, symmetric, reduceRange } = scheme;
  const unit = granularity.kind === 'block' ? `blocks of ${granularity.size}` : `per ${granularity.kind}`;
  const words = [quantizedTypeName(scheme), symmetric ? 'symmetric' : 'asymmetric', unit];
  return [...words, ...(reduceRange ? [`${scheme.bits - 1} bits`] : [])].join(', ');
}

/** Whether two schemes with one scale make the same integers of the same range. */
export function sameScheme(a: QuantizationScheme, b: QuantizationScheme): boolean {
  return a.storage === b.storage && a.symmetric === b.symmetric && a.reduceRange === b.reduceRange;
}

function known(storage: DataTypeCode): { readonly name: QuantizedTypeName; readonly row: QuantizedTypeRow } {
  const found = ROWS.get(storage);
  if (!found) throw bug(`type ${storage} holds no quantized numbers`);
  return found;
}

function isSmallFloat(storage: DataTypeCode): boolean {
  return storage === DataType.FLOAT8E4M3FN || storage === DataType.FLOAT8E5M2;
}

/** Default of activations: UINT8, asymmetric, one scale. */
export const U8_ACTIVATIONS: QuantizationScheme = schemeOf('u8');
/** Activations where zero points have to be 0: INT8, symmetric, one scale. */
export const S8_ACTIVATIONS: QuantizationScheme = schemeOf('s8', { symmetric: true });
/** Default of weights: INT8, symmetric, one scale for each output channel. */
export const S8_WEIGHTS: QuantizationScheme = schemeOf('s8', { symmetric: true, granularity: { kind: 'channel' } });
/** Biases of integer kernels. */
export const S32_BIASES: QuantizationScheme = schemeOf('s32', { symmetric: true, granularity: { kind: 'channel' } });

/** All values the type can hold: quantized data is clipped to these, whatever range the scale was made for. */
export function typeRange({ storage }: Pick<QuantizationScheme, 'storage'>): NumberRange {
  return known(storage).row.full;
}

/** The numbers a scale is computed for: reduced, symmetric or full. */
export function schemeRange(scheme: QuantizationScheme): NumberRange {
  const types = known(scheme.storage).row;
  if (scheme.reduceRange && types.reduced) return types.reduced;
  return scheme.symmetric ? types.symmetric : types.full;
}

/** real = (quantized − zeroPoint) · scale. `scale` is a float32 value. */
export interface QuantizationParameters {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Smallest normal float32: a scale below it becomes 1 with zero point 0. */
export const SMALLEST_NORMAL = 1.1754943508222875e-38;

/**
 * Scale and zero point for real values in [min, max] (float32 values). The range is widened to hold zero, and made
 * symmetric when asked.
 */
export function quantizationParameters(min: number, max: number, scheme: QuantizationScheme): QuantizationParameters {
  const { min: qmin, max: qmax } = schemeRange(scheme);
  let low = Math.min(Math.fround(min), 0);
  let high = Math.max(Math.fround(max), 0);
  if (scheme.symmetric) {
    high = Math.max(-low, high);
    low = -high;
  }
  const scale = Math.fround(high - low) / (qmax - qmin);
  if (scale < SMALLEST_NORMAL) return { scale: 1, zeroPoint: 0 };
  const zeroPoint = scheme.symmetric ? roundHalfEven((qmin + qmax) / 2) : roundHalfEven(qmin - low / scale);
  return { scale: Math.fround(scale), zeroPoint };
}

/** The number stored for one real value: round(x / scale) + zeroPoint, clipped to the type. Division in float32. */
export function quantizeValue(
  value: number,
  parameters: QuantizationParameters,
  scheme: Pick<QuantizationScheme, 'storage'>,
): number {
  const quotient = Math.fround(value / parameters.scale);
  if (isSmallFloat(scheme.storage)) return roundedSmallFloat(quotient, scheme.storage);
  const { min, max } = typeRange(scheme);
  return Math.min(Math.max(roundHalfEven(quotient) + parameters.zeroPoint, min), max);
}

function roundedSmallFloat(value: number, storage: DataTypeCode): number {
  const code = new Uint8Array(1);
  encodeSmallFloats(storage, Float32Array.of(value), code, true);
  return smallFloatValues(storage)?.[code[0] as number] as number;
}
