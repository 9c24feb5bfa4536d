/** Chains of elementwise nodes with constants, as numbers. */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import type { DataTypeCode } from '../../../tensor/dtype.js';
import { type FloatFormat, floatFormat } from '../../../tensor/float-values.js';
import { constantOperation, isSmallShift } from '../../affine.js';
import { combine, type Numbers, numbersOf } from '../../constant-arithmetic.js';

/** x · factor, or sign · x + shift. */
export type Step =
  | { readonly kind: 'times'; readonly factor: Numbers }
  | { readonly kind: 'plus'; readonly sign: number; readonly shift: Numbers };

/** A node that is one step, and what it is applied to. */
export interface Link {
  readonly node: Node;
  readonly input: Value;
  readonly step: Step;
  readonly dataType: DataTypeCode | undefined;
}

/** The step that a node takes; undefined for others, and for integer division. */
export function linkOf(node: Node | undefined): Link | undefined {
  const operation = node && constantOperation(node);
  if (!node || !operation) return undefined;
  const { input, slot, constant } = operation;
  if (!constant) return { node, input, step: { kind: 'times', factor: single(-1) }, dataType: undefined };
  const numbers = numbersOf(constant);
  if (!numbers) return undefined;
  const { dataType } = constant;
  const link = (step: Step): Link => ({ node, input, step, dataType });
  if (node.is('Mul')) return link({ kind: 'times', factor: numbers });
  if (node.is('Add')) return link({ kind: 'plus', sign: 1, shift: numbers });
  if (node.is('Sub'))
    return link({ kind: 'plus', sign: slot === 0 ? 1 : -1, shift: slot === 0 ? negated(numbers) : numbers });
  if (!floatFormat(dataType) || numbers.values.includes(0)) return undefined;
  return link({ kind: 'times', factor: { ...numbers, values: numbers.values.map((v) => 1 / v) } });
}

const single = (value: number): Numbers => ({ dims: [], values: Float64Array.of(value) });

function negated(numbers: Numbers): Numbers {
  // Not -v: that would make -0 of 0, which x + 0 is not.
  return { ...numbers, values: numbers.values.map((v) => 0 - v) };
}

/** The product of two factors in a row; undefined where it would differ by more than rounding. */
export function product(a: Numbers, b: Numbers, dataType: DataTypeCode): Numbers | undefined {
  const format = floatFormat(dataType);
  return checked(a, b, (x, y) => (format && !multipliesWell(x, y, format) ? Number.NaN : x * y));
}

/** The sum of two shifts in a row; undefined where one cancels the other, such as with a number added to round and taken off again. */
export function sum(a: Numbers, b: Numbers, dataType: DataTypeCode): Numbers | undefined {
  const format = floatFormat(dataType);
  return checked(a, b, (x, y) => (format && !addsWell(x, y, format) ? Number.NaN : x + y));
}

/** A shift times a factor; undefined where it is so large that the multiplied-out form would round visibly. */
export function scaledShift(shift: Numbers, factor: Numbers, dataType: DataTypeCode): Numbers | undefined {
  const format = floatFormat(dataType);
  const numbers = product(shift, factor, dataType);
  return !format || !numbers || isSmallShift(numbers.values, format) ? numbers : undefined;
}

function checked(a: Numbers, b: Numbers, operation: (x: number, y: number) => number): Numbers | undefined {
  const result = combine(a, b, operation);
  return result?.values.every(Number.isFinite) ? result : undefined;
}

function multipliesWell(x: number, y: number, format: FloatFormat): boolean {
  if (x === 0 || y === 0) return true;
  const result = Math.abs(x * y);
  if (result > format.max || result < format.smallestNormal) return false;
  // One way and back again: what overflows in between does not overflow any more.
  const opposite = Math.abs(x) > 1 !== Math.abs(y) > 1;
  return !opposite || Math.max(Math.abs(x), Math.abs(y)) <= format.max ** 0.2;
}

function addsWell(x: number, y: number, format: FloatFormat): boolean {
  return x * y >= 0 || isSmallShift([x, y], format);
}
