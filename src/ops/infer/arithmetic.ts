import type { Dim } from '../../ir/type.js';
import { DataType } from '../../tensor/dtype.js';
import { roundHalfEven } from '../../tensor/round-half-even.js';
import {
  addDims,
  atLeast,
  divideDimsExactly,
  floorDivideDim,
  isNonNegative,
  maxDims,
  minDims,
  multiplyDims,
  subtractDims,
} from '../dim.js';
import type { RuleContext } from './context.js';
import { broadcastElements, type Elements, isCarriedInteger, numericDims } from './elements.js';

type Binary = (a: Dim, b: Dim, integer: boolean) => Dim;

const isNumber = (value: Dim): value is number => typeof value === 'number';
const flag = (condition: boolean | undefined): Dim => (condition === undefined ? undefined : Number(condition));

/** Numbers by `compute`; symbols by `symbolic`. */
function binary(compute: (a: number, b: number, integer: boolean) => number, symbolic?: Binary): Binary {
  return (a, b, integer) => (isNumber(a) && isNumber(b) ? compute(a, b, integer) : symbolic?.(a, b, integer));
}

function divideSymbolic(a: Dim, b: Dim, integer: boolean): Dim {
  const exact = divideDimsExactly(a, b);
  if (exact !== undefined || !integer) return exact;
  // Integer division rounds toward zero: the floor only where nothing is negative.
  return isNumber(b) && b > 0 && isNonNegative(a) ? floorDivideDim(a, b) : undefined;
}

/** Whole powers of whole numbers; other powers are rounded in more than one way. */
function exactPower(a: Dim, b: Dim): Dim {
  if (!isNumber(a) || !isNumber(b) || !Number.isInteger(a) || !Number.isInteger(b) || b < 0) return undefined;
  return Number.isSafeInteger(a ** b) ? a ** b : undefined;
}

const BINARY: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ['Add', binary((a, b) => a + b, addDims)],
  ['Sub', binary((a, b) => a - b, subtractDims)],
  ['Mul', binary((a, b) => a * b, multiplyDims)],
  ['Div', binary((a, b, integer) => (integer ? Math.trunc(a / b) : a / b), divideSymbolic)],
  ['Mod', binary((a, b) => a - Math.floor(a / b) * b)],
  // Mod with `fmod`: the sign is that of the dividend.
  ['Remainder', binary((a, b) => a % b)],
  ['Pow', exactPower],
  ['Max', binary((a, b) => Math.max(a, b), maxDims)],
  ['Min', binary((a, b) => Math.min(a, b), minDims)],
  ['Sum', binary((a, b) => a + b, addDims)],
  ['Equal', (a, b) => flag(isNumber(a) && isNumber(b) ? a === b : provablyEqual(a, b))],
  ['Greater', (a, b) => flag(less(b, a))],
  ['Less', (a, b) => flag(less(a, b))],
  ['GreaterOrEqual', (a, b) => flag(negate(less(a, b)))],
  ['LessOrEqual', (a, b) => flag(negate(less(b, a)))],
  ['And', binary((a, b) => a && b)],
  ['Or', binary((a, b) => a || b)],
  ['Xor', binary((a, b) => Number(a !== b))],
]);

/** True or false only when it holds for all symbol values at or above 0. */
function provablyEqual(a: Dim, b: Dim): boolean | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a === b) return true;
  // A size is never negative: `seq == -1` is false.
  if (atLeast(a, addDims(b, 1)) || atLeast(b, addDims(a, 1))) return false;
  return undefined;
}

function less(a: Dim, b: Dim): boolean | undefined {
  if (isNumber(a) && isNumber(b)) return a < b;
  if (a === undefined || b === undefined) return undefined;
  if (atLeast(b, addDims(a, 1))) return true;
  return atLeast(a, b) ? false : undefined;
}

function negate(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

const UNARY: ReadonlyMap<string, (a: Dim) => Dim> = new Map<string, (a: Dim) => Dim>([
  ['Neg', (a) => subtractDims(0, a)],
  ['Abs', (a) => (isNumber(a) ? Math.abs(a) : isNonNegative(a) ? a : undefined)],
  ['Floor', (a) => (isNumber(a) ? Math.floor(a) : a)],
  ['Ceil', (a) => (isNumber(a) ? Math.ceil(a) : a)],
  ['Round', (a) => (isNumber(a) ? roundHalfEven(a) : a)],
  ['Sqrt', (a) => (isNumber(a) ? Math.sqrt(a) : undefined)],
  ['Reciprocal', (a) => (isNumber(a) ? 1 / a : undefined)],
  ['Not', (a) => (isNumber(a) ? Number(!a) : undefined)],
  ['Sign', (a) => (isNumber(a) ? Math.sign(a) : undefined)],
  ['Relu', (a) => (isNumber(a) ? Math.max(a, 0) : isNonNegative(a) ? a : undefined)],
]);

/** What an element of a type may be: integers must be safe, FLOAT is rounded to single precision. */
function fitType(item: Dim, dataType: number): Dim {
  if (!isNumber(item)) return item;
  if (dataType === DataType.FLOAT) return Math.fround(item);
  if (dataType === DataType.DOUBLE) return item;
  return Number.isSafeInteger(item) && inRange(item, dataType) ? item : undefined;
}

const RANGES: ReadonlyMap<number, readonly [number, number]> = new Map([
  [DataType.INT32, [-(2 ** 31), 2 ** 31 - 1]],
  [DataType.INT16, [-(2 ** 15), 2 ** 15 - 1]],
  [DataType.INT8, [-128, 127]],
  [DataType.UINT64, [0, Number.MAX_SAFE_INTEGER]],
  [DataType.UINT32, [0, 2 ** 32 - 1]],
  [DataType.UINT16, [0, 65535]],
  [DataType.UINT8, [0, 255]],
  [DataType.BOOL, [0, 1]],
]);

function inRange(item: number, dataType: number): boolean {
  const range = RANGES.get(dataType);
  return !range || (item >= range[0] && item <= range[1]);
}

function isCarried(dataType: number | undefined): dataType is number {
  return (
    dataType !== undefined &&
    (isCarriedInteger(dataType) || dataType === DataType.FLOAT || dataType === DataType.DOUBLE)
  );
}

/** Elements of an elementwise operator's output 0, whose shape has been set; nothing when they cannot be known. */
export function propagateElementwise(context: RuleContext): void {
  const output = context.outputType(0);
  const dims = output?.kind === 'tensor' ? numericDims(output.shape) : undefined;
  const dataType = output?.kind === 'tensor' ? output.dataType : undefined;
  if (!dims || !isCarried(dataType)) return;
  const inputs: Elements[] = [];
  for (let slot = 0; slot < context.inputCount; slot++) {
    const elements = context.elements(slot);
    const wide = elements && broadcastElements(elements, dims);
    if (!wide || !isSafe(wide)) return;
    inputs.push(wide);
  }
  const [first, ...rest] = inputs;
  const integer = isCarriedInteger(context.dataType(0) ?? 0);
  if (!first) return;
  const unary = UNARY.get(context.node.opType);
  const { opType } = context.node;
  const operation = BINARY.get(opType === 'Mod' && context.int('fmod') === 1 ? 'Remainder' : opType);
  let items: readonly Dim[] = first.items;
  if (unary) items = items.map(unary);
  else if (operation)
    for (const other of rest) items = items.map((item, at) => operation(item, other.items[at], integer));
  else return;
  context.setElements(0, { dims, items: items.map((item) => fitType(item, dataType)) });
}

/** Integers beyond 2^53 have lost bits: nothing is computed with them. */
function isSafe(elements: Elements): boolean {
  return elements.items.every((item) => !isNumber(item) || !Number.isInteger(item) || Number.isSafeInteger(item));
}

/** Elements after a Cast to `to`. */
export function castElements(
  elements: Elements | undefined,
  from: number | undefined,
  to: number,
): Elements | undefined {
  if (!elements || !isCarried(from) || !isCarried(to)) return undefined;
  const cast = (item: Dim): Dim => {
    if (!isNumber(item)) return to === DataType.BOOL || RANGES.has(to) ? symbolicCast(item, to) : item;
    if (to === DataType.BOOL) return Number(item !== 0);
    return fitType(isCarriedInteger(to) ? Math.trunc(item) : item, to);
  };
  return { dims: elements.dims, items: elements.items.map(cast) };
}

/** A size fits INT32 in any model that runs; narrower types may wrap around. */
function symbolicCast(item: Dim, to: number): Dim {
  return to === DataType.INT32 || to === DataType.UINT64 ? item : undefined;
}
