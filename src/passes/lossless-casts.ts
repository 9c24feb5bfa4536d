import { DataType, type DataTypeCode } from '../tensor/dtype.js';

/** What a type can hold: significant bits without the sign, and the least and greatest exponent of its lowest and highest bit. */
interface Precision {
  readonly bits: number;
  readonly lowest: number;
  readonly highest: number;
  readonly signed: boolean;
  readonly float: boolean;
}

const integer = (bits: number, signed: boolean): Precision => ({
  bits,
  lowest: 0,
  highest: bits - 1,
  signed,
  float: false,
});
const float = (bits: number, lowest: number, highest: number): Precision => ({
  bits,
  lowest,
  highest,
  signed: true,
  float: true,
});

const PRECISION: ReadonlyMap<DataTypeCode, Precision> = new Map([
  [DataType.BOOL, integer(1, false)],
  [DataType.UINT8, integer(8, false)],
  [DataType.UINT16, integer(16, false)],
  [DataType.UINT32, integer(32, false)],
  [DataType.UINT64, integer(64, false)],
  [DataType.INT8, integer(7, true)],
  [DataType.INT16, integer(15, true)],
  [DataType.INT32, integer(31, true)],
  [DataType.INT64, integer(63, true)],
  [DataType.FLOAT16, float(11, -24, 15)],
  [DataType.BFLOAT16, float(8, -133, 127)],
  [DataType.FLOAT, float(24, -149, 127)],
  [DataType.DOUBLE, float(53, -1074, 1023)],
]);

/** True when type `to` holds every value of type `from`, NaN and infinities included. */
export function holdsAll(from: DataTypeCode, to: DataTypeCode): boolean {
  const a = PRECISION.get(from);
  const b = PRECISION.get(to);
  if (!a || !b || (a.float && !b.float) || (a.signed && !b.signed)) return false;
  return a.bits <= b.bits && a.lowest >= b.lowest && a.highest <= b.highest;
}

function isInteger(type: DataTypeCode): boolean {
  return PRECISION.get(type)?.float === false && type !== DataType.BOOL;
}

/** Bits that an integer type stores. */
function storedBits(type: DataTypeCode): number {
  const precision = PRECISION.get(type);
  return precision ? precision.bits + Number(precision.signed) : 0;
}

/**
 * True when a Cast from `from` to `over` to `to` gives bit for bit what one from `from` to `to` gives: nothing is lost on
 * the way, or integers lose high bits that the last one drops anyway. What is out of range of an integer is not settled
 * for floats (ONNX Cast), so a detour that changes which float is converted is not skipped.
 */
export function skipsExactly(from: DataTypeCode, over: DataTypeCode, to: DataTypeCode): boolean {
  if (!PRECISION.has(from) || !PRECISION.has(over) || !PRECISION.has(to)) return false;
  if (from === to) return holdsAll(from, over);
  if (isInteger(from) && isInteger(over) && isInteger(to))
    return storedBits(to) <= storedBits(over) || holdsAll(from, over);
  if (!holdsAll(from, over)) return false;
  if (to === DataType.BOOL || from === DataType.BOOL || holdsAll(from, to)) return true;
  const fromFloat = PRECISION.get(from)?.float === true;
  if (isInteger(to)) return fromFloat && (from === DataType.FLOAT16 || from === DataType.BFLOAT16);
  // Runtimes go to the 16-bit types by way of float, which rounds larger integers a first time.
  if (to === DataType.FLOAT16 || to === DataType.BFLOAT16) return fromFloat || holdsAll(from, DataType.FLOAT);
  return true;
}
