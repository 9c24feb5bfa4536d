import type { Dim } from '../ir/type.js';
import { DataType } from '../tensor/dtype.js';
import type { InputPlace, ValueSpec } from './types.js';

/** Names of masks over positions. */
const MASK_NAME = /mask/i;
/** Names of sizes that count past and new positions: `total_sequence_length`, `total_seq_len`, `kv_len`. */
const TOTAL_NAME = /total|past.*(seq|new|cur)|\bkv_?(seq_?)?len/i;
/** Names of scalars that hold how many positions there are, past ones included. */
const TOTAL_SCALAR = /^total_?seq(uence)?_?len(gth)?$/i;

/** The inputs that hold what a decoder computed for positions before. */
export function hasCache(inputs: readonly ValueSpec[]): boolean {
  return inputs.some(({ cacheAxis }) => cacheAxis !== undefined);
}

/**
 * Places that may be as long as past and new positions together, the likeliest guess first; empty where no input holds a
 * past. Masks of a size of their own come first; exporters that give the size of the mask the name of another mean it all the same.
 */
export function totalGuesses(inputs: readonly ValueSpec[]): (readonly InputPlace[])[] {
  if (!hasCache(inputs)) return [];
  const taken = new Set<Dim>();
  for (const spec of inputs) {
    if (isMask(spec)) continue;
    for (const dim of spec.shape ?? []) if (typeof dim === 'string' && !TOTAL_NAME.test(dim)) taken.add(dim);
  }
  const own: InputPlace[] = [];
  const all: InputPlace[] = [];
  for (const spec of inputs) {
    const { name, shape = [], cacheAxis } = spec;
    shape.forEach((dim, axis) => {
      if (!isOpen(dim) || axis === cacheAxis || axis === 0) return;
      const isNamed = typeof dim === 'string' && dim !== '' && TOTAL_NAME.test(dim) && !/[+*-]/.test(dim);
      const isLastOfMask = isMask(spec) && axis === shape.length - 1;
      if (!isNamed && !isLastOfMask) return;
      all.push({ input: name, axis });
      if (isNamed || !taken.has(dim)) own.push({ input: name, axis });
    });
  }
  return [own, all].filter(
    (places, index, list) => places.length > 0 && (index === 0 || places.length > (list[0]?.length ?? 0)),
  );
}

function isMask({ name, dataType, shape }: ValueSpec): boolean {
  return MASK_NAME.test(name) && dataType !== DataType.STRING && (shape?.length ?? 0) >= 2;
}

function isOpen(dim: Dim): boolean {
  return typeof dim !== 'number' || dim < 0;
}

/** Past and new positions together; undefined where no input holds a past, or none new positions. */
export function totalPositions(
  inputs: readonly ValueSpec[],
  shapes: readonly (readonly number[])[],
): number | undefined {
  const pastAt = inputs.findIndex(({ cacheAxis }) => cacheAxis !== undefined);
  const past = shapes[pastAt]?.[inputs[pastAt]?.cacheAxis ?? -1];
  const newAt = inputs.findIndex(isTokens);
  const added = shapes[newAt]?.[1];
  return past === undefined || added === undefined ? undefined : past + added;
}

/** What a decoder reads: token numbers (batch, sequence), or their embeddings. */
function isTokens(spec: ValueSpec): boolean {
  const { dataType, shape, cacheAxis } = spec;
  if (cacheAxis !== undefined || isMask(spec)) return false;
  if (shape?.length === 2) return dataType === DataType.INT64 || dataType === DataType.INT32;
  return shape?.length === 3 && (dataType === DataType.FLOAT || dataType === DataType.FLOAT16);
}

/** Whether a scalar input holds how many positions there are in all. */
export function isTotalScalar({ name, shape }: ValueSpec): boolean {
  return TOTAL_SCALAR.test(name) && (shape?.length ?? 1) <= 1;
}
