/**
 * Floating-point types of 8 and 4 bits (ONNX "Float stored in 8 bits" and "4 bit"; OCP Microscaling Formats 1.0): sign, exponent,
 * mantissa. FLOAT8E8M0 is a power of two without sign or mantissa.
 */
import { bug } from '../errors.js';
import { DataType, type DataTypeCode, dataTypeName } from './dtype.js';

interface SmallFloat {
  readonly mantissaBits: number;
  readonly bias: number;
  /** The sign bit. */
  readonly sign: number;
  /** Code of the largest finite magnitude. */
  readonly largest: number;
  /** Undefined where the type has none. */
  readonly infinity: number | undefined;
  readonly nan: number | undefined;
  /** `-0` is a code of its own. */
  readonly hasNegativeZero: boolean;
}

const FORMATS: ReadonlyMap<DataTypeCode, SmallFloat> = new Map([
  [DataType.FLOAT8E4M3FN, format(3, 7, 0x80, 0x7e, undefined, 0x7f, true)],
  [DataType.FLOAT8E4M3FNUZ, format(3, 8, 0x80, 0x7f, undefined, 0x80, false)],
  [DataType.FLOAT8E5M2, format(2, 15, 0x80, 0x7b, 0x7c, 0x7f, true)],
  [DataType.FLOAT8E5M2FNUZ, format(2, 16, 0x80, 0x7f, undefined, 0x80, false)],
  [DataType.FLOAT4E2M1, format(1, 1, 0x08, 0x07, undefined, undefined, true)],
]);

function format(
  mantissaBits: number,
  bias: number,
  sign: number,
  largest: number,
  infinity: number | undefined,
  nan: number | undefined,
  hasNegativeZero: boolean,
): SmallFloat {
  return { mantissaBits, bias, sign, largest, infinity, nan, hasNegativeZero };
}

/** The number each code of a small floating-point type stands for; undefined for other types. */
export function smallFloatValues(dataType: DataTypeCode): Float64Array | undefined {
  if (dataType === DataType.FLOAT8E8M0)
    return Float64Array.from({ length: 256 }, (_, code) => (code === 255 ? Number.NaN : 2 ** (code - 127)));
  const type = FORMATS.get(dataType);
  return type && Float64Array.from({ length: type.sign * 2 }, (_, code) => numberOf(type, code));
}

function numberOf(type: SmallFloat, code: number): number {
  if (code === type.nan) return Number.NaN;
  const magnitude = code & (type.sign - 1);
  const isNegative = code >= type.sign;
  const exponent = magnitude >> type.mantissaBits;
  const mantissa = magnitude & ((1 << type.mantissaBits) - 1);
  const unit = 2 ** (Math.max(exponent, 1) - type.bias - type.mantissaBits);
  const hidden = exponent > 0 ? 1 << type.mantissaBits : 0;
  const size =
    magnitude > type.largest ? (magnitude === type.infinity ? Infinity : Number.NaN) : (hidden + mantissa) * unit;
  return isNegative ? -size : size;
}

/**
 * Writes the codes of float32 numbers, rounded half to even. Finite values and infinities beyond the largest one become it
 * (`saturate`), or an infinity, or NaN; a NaN becomes 0 where the type has none. @throws a bug error for other types.
 */
export function encodeSmallFloats(
  dataType: DataTypeCode,
  source: Float32Array,
  target: Uint8Array,
  saturate: boolean,
): void {
  const type = FORMATS.get(dataType);
  if (!type) throw bug(`expected a small float type, got ${dataTypeName(dataType)}`);
  const bits = new Int32Array(source.buffer, source.byteOffset, source.length);
  const least = 1 - type.bias;
  const scales = Float64Array.from({ length: 256 }, (_, e) => 2 ** (type.mantissaBits - Math.max(e - 127, least)));
  for (let i = 0; i < source.length; i++) {
    const value = source[i] as number;
    const biased = ((bits[i] as number) >>> 23) & 0xff;
    const exponent = Math.max(biased - 127, least);
    const scaled = Math.abs(value) * (scales[biased] as number);
    const floor = Math.floor(scaled);
    const rest = scaled - floor;
    const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
    // Codes of one sign are in the order of their values, so that a carry runs into the exponent by itself.
    const code = ((exponent - least) << type.mantissaBits) + floor + (isUp ? 1 : 0);
    const sign = (bits[i] as number) < 0 ? type.sign : 0;
    if (code > 0 && code <= type.largest) target[i] = sign | code;
    else if (code === 0) target[i] = type.hasNegativeZero ? sign : 0;
    else target[i] = beyond(type, value, sign, saturate);
  }
}

const FINE_BITS = 20;
const HALF_LESS_ONE = (1 << (FINE_BITS - 1)) - 1;
/** 2^-6, the smallest normal FLOAT8E4M3FN; below, codes are multiples of 2^-9. */
const E4M3_NORMAL_BITS = 0x3c800000;
const E4M3_EXPONENT_OFFSET = (127 - 7) << 3;
const ROUNDER = 12582912;

/**
 * The same for FLOAT8E4M3FN with `saturate`, several times as fast: float32 bits are rounded half to even as an integer, whose carry runs
 * into the exponent. @param source finite numbers
 */
export function encodeFloat8E4M3(source: Float32Array, target: Uint8Array): void {
  const bits = new Int32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < source.length; i++) {
    const u = bits[i] as number;
    const magnitude = u & 0x7fffffff;
    let code: number;
    if (magnitude >= E4M3_NORMAL_BITS) {
      code = ((magnitude + HALF_LESS_ONE + ((magnitude >> FINE_BITS) & 1)) >> FINE_BITS) - E4M3_EXPONENT_OFFSET;
      if (code > 0x7e) code = 0x7e;
    } else code = Math.fround(Math.abs(source[i] as number) * 512 + ROUNDER) - ROUNDER;
    target[i] = ((u >>> 24) & 0x80) | code;
  }
}

function beyond(type: SmallFloat, value: number, sign: number, saturate: boolean): number {
  const { nan = 0 } = type;
  if (Number.isNaN(value)) return nan;
  if (saturate) return sign | type.largest;
  if (type.infinity !== undefined) return sign | type.infinity;
  return nan === type.sign ? nan : sign | nan;
}

function exponentOf(size: number): number {
  const bits = new Int32Array(Float64Array.of(size).buffer);
  return (((bits[1] as number) >>> 20) & 0x7ff) - 1023;
}

export type RoundMode = 'up' | 'down' | 'nearest';

/**
 * The FLOAT8E8M0 code of a float32 number that is not negative: what lies between two powers of two is rounded away from
 * zero, towards it, or to the nearest. Undefined for what ONNX leaves open: negative numbers and infinities.
 */
export function exponentCode(value: number, roundMode: RoundMode, saturate: boolean): number | undefined {
  if (Number.isNaN(value)) return 255;
  if (value < 0 || Object.is(value, -0) || value === Infinity) return undefined;
  const least = 2 ** -127;
  if (value < least) return saturate ? 0 : 255;
  const exponent = exponentOf(value);
  const floor = 2 ** exponent;
  const isUp = roundMode === 'up' ? value > floor : roundMode === 'nearest' ? value >= floor * 1.5 : false;
  const code = exponent + 127 + (isUp ? 1 : 0);
  return code > 254 ? (saturate ? 254 : 255) : code;
}
