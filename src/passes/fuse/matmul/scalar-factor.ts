/** Multiplications with one number, and numbers as attributes. */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { float64Values, floatFormat } from '../../../tensor/float-values.js';
import { constantOperation } from '../../affine.js';

/** A multiplication with one number. */
export interface Scale {
  readonly input: Value;
  readonly factor: number;
}

/** The value and the number that a Mul, Div or Neg multiplies, where the number's shape, of at most `rank` axes, changes nothing. */
export function scaleOf(node: Node | undefined, rank: number): Scale | undefined {
  const operation = node && (node.is('Mul') || node.is('Div') || node.is('Neg')) ? constantOperation(node) : undefined;
  if (!node || !operation) return undefined;
  const { input, constant } = operation;
  if (!constant) return { input, factor: -1 };
  const values = constant.size === 1 && constant.rank <= rank ? float64Values(constant) : undefined;
  const number = values?.[0];
  if (number === undefined || !Number.isFinite(number) || number === 0) return undefined;
  return { input, factor: node.is('Div') ? 1 / number : number };
}

/** True when a factor can be a float attribute of a node that computes in `dataType`. */
export function isFactor(factor: number, dataType: number | undefined): boolean {
  const format = dataType === undefined ? undefined : floatFormat(dataType);
  const magnitude = Math.abs(factor);
  if (!format || magnitude > format.max || magnitude < Math.max(format.smallestNormal, 2 ** -126)) return false;
  return dataType !== DataType.DOUBLE || Math.fround(factor) === factor;
}
