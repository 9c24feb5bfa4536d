import { batchNames } from '../../samples/batch-names.js';
import type { ValueSpec } from '../../samples/types.js';

/**
 * Rows of a run: the size that all inputs of a rank above 1 have in common in front, as they are fed; 1 where they have none.
 * A size that is fixed counts only where an output may have it in front too: a picture of 3 × 224 × 224 is one row.
 */
export function rowsOf(
  specs: readonly ValueSpec[],
  fed: readonly { readonly name: string; readonly dims: readonly number[] }[],
  outputs: readonly ValueSpec[],
): number {
  const names = new Set(batchNames(specs));
  const byName = new Map(fed.map(({ name, dims }) => [name, dims]));
  for (const { name, shape } of specs) {
    const dim = shape?.[0];
    const isBatch = (typeof dim === 'string' && names.has(dim)) || names.has(`${name}:0`);
    if (isBatch) return byName.get(name)?.[0] ?? 1;
  }
  const fronts = new Set(fed.flatMap(({ dims }) => (dims.length > 1 ? [dims[0] ?? 1] : [])));
  const [only] = fronts;
  if (fronts.size !== 1 || only === undefined) return 1;
  return outputs.some(({ shape }) => !shape || typeof shape[0] === 'string' || shape[0] === only) ? only : 1;
}

/** The sizes that open dimensions took, by name. */
export function chosenSizes(
  specs: readonly ValueSpec[],
  fed: readonly { readonly name: string; readonly dims: readonly number[] }[],
): { readonly name: string; readonly size: number }[] {
  const byName = new Map(fed.map(({ name, dims }) => [name, dims]));
  const sizes = new Map<string, number>();
  for (const { name, shape = [] } of specs) {
    for (const [axis, dim] of shape.entries()) {
      const size = byName.get(name)?.[axis];
      if (typeof dim === 'number' || size === undefined) continue;
      const known = typeof dim === 'string' && dim !== '';
      sizes.set(known ? dim : `${name}:${axis}`, size);
    }
  }
  return [...sizes].map(([name, size]) => ({ name, size }));
}
