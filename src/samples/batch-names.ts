import { symbolsOf } from '../ops/dim.js';
import type { ValueSpec } from './types.js';

/** The names under which the batch dimension is set; empty where no input has an open first dimension. */
export function batchNames(inputs: readonly ValueSpec[]): string[] {
  const names = new Set<string>();
  const first = inputs.find(({ shape }) => shape !== undefined && shape.length > 0 && typeof shape[0] !== 'number');
  const symbol = first?.shape?.[0];
  for (const { name, shape } of inputs) {
    const dim = shape?.[0];
    if (!shape || shape.length === 0 || typeof dim === 'number') continue;
    // An expression such as `past + 1` is no batch.
    if (dim === undefined || dim === '') names.add(`${name}:0`);
    else if (dim === symbol && symbolsOf(dim)[0] === dim) names.add(dim);
  }
  return [...names];
}
