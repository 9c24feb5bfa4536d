import { ServeOptError } from '../../errors.js';
import type { Dim } from '../../ir/type.js';
import { symbolsOf } from '../../ops/dim.js';
import { unknownDim } from '../../ops/unknown-dim.js';
import { type Sizes, sizedInputs } from '../../samples/sized-inputs.js';
import type { ValueSpec } from '../../samples/types.js';
import { whyNotWholeNumber } from '../limits.js';

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
  for (const [name, size] of sizes) {
    const place = places.get(name);
    const why = whyNotWholeNumber(size, { minimum: 1 });
    if (why !== undefined)
      throw new ServeOptError('SO1006', `The size ${size} of dimension "${name}" is not allowed`, { why });
    if (!place) throw unknownDim(name, new Map([...places].map(([key, { dim }]) => [key, dim])));
    if (typeof place.dim === 'number' && place.dim !== size) {
      throw new ServeOptError('SO4002', `The model's dimension "${name}" is ${place.dim}, not ${size}`, {
        hint: `serve-opt optimize MODEL --dynamic size=${name} may make it dynamic`,
      });
    }
  }
  return [...sizedInputs(inputs, sizes)];
}
