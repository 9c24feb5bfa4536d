import type { ValueType } from '../../ir/type.js';
import { DataType, rawByteLength } from '../../tensor/dtype.js';
import { evaluateDim } from '../dim.js';

/** An empty `std::string`. */
const STRING_BYTES = 32;

/** Elements of a shape as a double: never wraps around. Undefined where a size is not known. */
function elementsOf(shape: readonly unknown[], sizeOf: (dim: unknown) => number | undefined): number | undefined {
  let count = 1;
  let known = true;
  for (const dim of shape) {
    const size = sizeOf(dim);
    // No element at all, whatever the other sizes are.
    if (size === 0) return 0;
    if (size === undefined) known = false;
    else count *= Math.max(0, size);
  }
  return known ? count : undefined;
}

/** Bytes that a value of a type takes in memory; undefined where that is not known. Sizes by symbol. */
export function typeBytes(type: ValueType | undefined, symbols: ReadonlyMap<string, number>): number | undefined {
  if (type?.kind !== 'tensor' || !type.shape) return undefined;
  const count = elementsOf(type.shape, (dim) => evaluateDim(dim as number | string | undefined, symbols));
  if (count === undefined) return undefined;
  if (type.dataType === DataType.STRING) return count * STRING_BYTES;
  // Types under a byte are packed; the length of eight elements is whole for each.
  const ofEight = rawByteLength(type.dataType, 8);
  return ofEight === undefined ? undefined : (count * ofEight) / 8;
}
