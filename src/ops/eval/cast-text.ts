/** Numbers as text and back, as far as the specification of Cast settles it. */
import { DataType, type DataTypeCode, dataTypeName, integerRange, isFloat, isInteger } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { refuse } from './kernel-context.js';
import { bigintsOf, laneKind, numbersOf, numberTensor } from './lane.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Integers in decimal. Floats only where every way of writing them gives the same. */
export function formatNumbers(source: Tensor): Tensor {
  const texts = numberTexts(source);
  return Tensor.strings(source.dims, () => texts.map((text) => encoder.encode(text)));
}

function numberTexts(source: Tensor): string[] {
  if (source.dataType !== DataType.BOOL && isInteger(source.dataType))
    return Array.from(bigintsOf(source), (value: bigint) => value.toString());
  if (isFloat(source.dataType)) return Array.from(numbersOf(source), (value) => floatText(value, source.dataType));
  return refuse(`${dataTypeName(source.dataType)} as text is not specified`);
}

/** ONNX Runtime writes 8 digits, ONNX's own evaluator the fewest that tell the number apart from its neighbours. */
function floatText(value: number, dataType: DataTypeCode): string {
  const restore = dataType === DataType.DOUBLE ? Number : (text: string) => Math.fround(Number(text));
  let digits = 1;
  while (digits < 17 && restore(value.toPrecision(digits)) !== value) digits++;
  const text = String(Number(value.toPrecision(digits)));
  const isShared = Number(value.toPrecision(8)) === Number(text) && /^-?\d+\.\d+$/.test(text);
  return isShared ? text : refuse(`${value} as text is not specified`);
}

const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Integers from integer literals, floats from decimal ones and the names of the infinities and NaN. */
export function parseNumbers(source: Tensor, to: DataTypeCode): Tensor {
  const texts = source.stringElements().map((bytes) => decoder.decode(bytes));
  if (isFloat(to))
    return numberTensor(
      to,
      source.dims,
      Float64Array.from(texts, (text) => parseFloatText(text, to)),
    );
  const range = to === DataType.BOOL ? undefined : integerRange(to);
  if (!range) return refuse(`casting text to ${dataTypeName(to)} is not supported`);
  const values = texts.map((text) =>
    INTEGER.test(text) ? BigInt(text.replace('+', '')) : refuse(`"${text}" is not an integer`),
  );
  for (const value of values) if (value < range.min || value > range.max) refuse(`${value} is out of range`);
  if (laneKind(to) === 'number') return numberTensor(to, source.dims, Float64Array.from(values, Number));
  const lane = to === DataType.UINT64 ? BigUint64Array.from(values) : BigInt64Array.from(values);
  return Tensor.of(to, source.dims, new Uint8Array(lane.buffer));
}

const NAMED: ReadonlyMap<string, number> = new Map([
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['nan', Number.NaN],
]);

function parseFloatText(text: string, to: DataTypeCode): number {
  const named = NAMED.get(text.toLowerCase());
  if (named !== undefined) return named;
  if (!DECIMAL.test(text)) refuse(`"${text}" is not a number`);
  const value = Number(text);
  // Just between two float32 numbers, as far as a float64 can tell: the text decides, not its float64.
  const low = new Uint32Array(Float64Array.of(value).buffer)[0] as number;
  if (to !== DataType.DOUBLE && (low & 0x1fffffff) === 0x10000000) refuse(`"${text}" is halfway between two numbers`);
  return value;
}
