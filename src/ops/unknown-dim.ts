import { ServeOptError } from '../errors.js';
import type { Dim } from '../ir/type.js';
import { suggest } from '../suggest.js';

/** Names of open dimensions that a message lists. */
const MOST_LISTED = 12;

/** An error about a dimension that no input has. @param dims every dimension by the names users know it by */
export function unknownDim(
  name: string,
  dims: ReadonlyMap<string, Dim>,
  what = `The model's inputs have no dimension "${name}"`,
): ServeOptError {
  const open = [...dims].flatMap(([key, dim]) => (typeof dim === 'number' && dim >= 0 ? [] : [key]));
  const near = suggest(name, open);
  const listed = open.slice(0, MOST_LISTED).join(', ') + (open.length > MOST_LISTED ? ' …' : '');
  const why =
    near !== undefined
      ? `did you mean "${near}"?`
      : open.length > 0
        ? `sizes are open for ${listed}`
        : 'all of its sizes are fixed';
  return new ServeOptError('SO1006', what, { why, hint: 'serve-opt inspect MODEL shows the shapes of the inputs' });
}
