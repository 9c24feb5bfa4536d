import { DataType } from '../../tensor/dtype.js';
import type { HostData } from '../types.js';

/** Numbers or strings of a nested JSON array, in C order, with its shape. */
export interface NestedValues {
  readonly dims: readonly number[];
  readonly data: Float64Array | readonly string[];
}

const MAXIMUM_RANK = 16;

/**
 * Flattens a JSON value: a number, boolean or string, or nested arrays of them, all rows of a level equally long.
 * Booleans become 0 and 1. Returns a sentence that says what is wrong instead when the value is no array of one kind.
 */
export function nestedValues(value: unknown): NestedValues | string {
  const dims: number[] = [];
  let probe = value;
  while (Array.isArray(probe)) {
    if (dims.length === MAXIMUM_RANK) return `it nests deeper than ${MAXIMUM_RANK} arrays`;
    dims.push(probe.length);
    probe = probe[0];
  }
  // One level at a time instead of recursion; every row of a level must be an array of the same length.
  let level: readonly unknown[] = [value];
  for (const dim of dims) {
    const next: unknown[] = [];
    for (const row of level) {
      if (!Array.isArray(row) || row.length !== dim) return 'its rows have different lengths';
      for (const element of row) next.push(element);
    }
    level = next;
  }
  if (typeof level[0] === 'string') {
    const bad = level.find((element) => typeof element !== 'string');
    return bad === undefined ? { dims, data: level as readonly string[] } : `it mixes strings with ${kindOf(bad)}`;
  }
  const data = new Float64Array(level.length);
  for (let i = 0; i < level.length; i++) {
    const element = level[i];
    if (typeof element !== 'number' && typeof element !== 'boolean')
      return Array.isArray(element) ? 'its rows have different lengths' : `it contains ${kindOf(element)}`;
    data[i] = Number(element);
  }
  return { dims, data };
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

/** Data type and name of values that come from text. */
export function textType(data: HostData): { dataType: number; typeText: string; untyped: boolean } {
  return Array.isArray(data)
    ? { dataType: DataType.STRING, typeText: 'string', untyped: false }
    : { dataType: DataType.DOUBLE, typeText: 'number', untyped: true };
}
