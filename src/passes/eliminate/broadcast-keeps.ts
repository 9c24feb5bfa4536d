import type { Shape } from '../../ir/type.js';
import { sameDim } from '../types.js';

/** Whether broadcasting a tensor of one shape with one of `other` leaves its shape as it is, whatever the symbols are. */
export function broadcastKeeps(shape: Shape, other: Shape): boolean {
  if (!other) return false;
  if (other.length === 0) return true;
  if (!shape || other.length > shape.length) return false;
  const lead = shape.length - other.length;
  return other.every((dim, at) => dim === 1 || sameDim(dim, shape[lead + at]));
}
