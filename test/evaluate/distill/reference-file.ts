/** Reads references.json, and compares results with what it expects. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** JSON has neither infinities nor NaN. */
export type Encoded = number | 'Infinity' | '-Infinity' | 'NaN';

/** A part of the file. */
export function references<T>(part: string): T {
  const all = JSON.parse(readFileSync(join(import.meta.dirname, 'references.json'), 'utf8')) as Record<string, unknown>;
  return all[part] as T;
}

/** Numbers as they were before they were encoded. */
export function decoded(values: readonly Encoded[]): Float64Array {
  return Float64Array.from(values, Number);
}

/** Every number of `expected` must be in `actual` under the same names, within 1e-6. */
export function expectNear(actual: unknown, expected: unknown, path: string): void {
  if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected))
      expectNear((actual as Record<string, unknown> | undefined)?.[key], value, `${path}.${key}`);
    return;
  }
  const wanted = Number(expected);
  if (Number.isNaN(wanted)) {
    expect(actual === undefined || Number.isNaN(actual), `${path} is ${actual}`).toBe(true);
    return;
  }
  if (!Number.isFinite(wanted)) {
    expect(actual, path).toBe(wanted);
    return;
  }
  const limit = 1e-6 * Math.max(1, Math.abs(wanted));
  expect(Math.abs((actual as number) - wanted), `${path}: ${actual}, expected ${wanted}`).toBeLessThan(limit);
}
