import type { Value } from '../ir/value.js';
import { sameDim, shapeOf } from './types.js';

/** True for a value of one axis that is as long as the last axis of `x`, whatever the symbols are: a bias or a scale. */
export function isRow(value: Value, x: Value): boolean {
  const shape = shapeOf(value);
  return shape?.length === 1 && sameDim(shape[0], shapeOf(x)?.at(-1));
}
