import { ServeOptError } from '../../errors.js';
import type { Dim } from '../../ir/type.js';
import { substituteDim, symbolsOf } from '../../ops/dim.js';
import type { ValueSpec } from '../../runtime/types.js';
import { suggest } from '../../suggest.js';

/** Sizes by the name of a dimension, or by `input:axis`. */
export type Sizes = ReadonlyMap<string, number>;

/** An open dimension of the inputs, under the name users know it by. */
interface Place {
  readonly name: string;
  readonly dim: Dim;
}

/** Every dimension by its names: the symbol, and `input:axis`. */
function placesOf(inputs: readonly ValueSpec[]): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const { name, shape = [] } of inputs) {
    for (const [axis, dim] of shape.entries()) {
      places.set(`${name}:${axis}`, { name: `${name}:${axis}`, dim });
      for (const symbol of typeof dim === 'string' ? symbolsOf(dim) : []) {
        if (!places.has(symbol)) places.set(symbol, { name: symbol, dim: symbol });
      }
    }
  }
  return places;
}

/**
 * Inputs with their open dimensions set to sizes.
 * @throws SO1006 for a name that no dimension has, SO4002 for a size that the model does not allow
 */
export function withSizes(inputs: readonly ValueSpec[], sizes: Sizes): ValueSpec[] {
  const places = placesOf(inputs);
  const symbols = new Map<string, number>();
  for (const [name, size] of sizes) {
    const place = places.get(name);
    if (!place) throw unknownDim(name, places);
    if (typeof place.dim === 'number' && place.dim !== size) {
      throw new ServeOptError('SO4002', `The model's dimension "${name}" is ${place.dim}, not ${size}`, {
        hint: `serve-opt optimize MODEL --dynamic size=${name} may open it`,
      });
    }
    if (typeof place.dim === 'string') symbols.set(place.dim, size);
  }
  return inputs.map((input) => {
    if (!input.shape) return input;
    const shape = input.shape.map((dim, axis) => {
      const own = sizes.get(`${input.name}:${axis}`);
      if (own !== undefined) return own;
      return typeof dim === 'string' ? substituteDim(dim, symbols) : dim;
    });
    return { ...input, shape };
  });
}

function unknownDim(name: string, places: ReadonlyMap<string, Place>): ServeOptError {
  const open = [...places].flatMap(([key, { dim }]) => (typeof dim === 'number' ? [] : [key]));
  const near = suggest(name, open);
  const why =
    near !== undefined
      ? `did you mean "${near}"?`
      : open.length > 0
        ? `sizes are open for ${open.join(', ')}`
        : 'all of its sizes are fixed';
  return new ServeOptError('SO1006', `The model's inputs have no dimension "${name}"`, { why });
}

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
