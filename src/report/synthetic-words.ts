import { safeText } from './safe-text.js';
import type { SyntheticInputsReport } from './types.js';

/** Dimensions that a note lists. */
const MOST_LISTED = 12;

/** `synthetic inputs: batch=1–3, seq=16`; undefined where no size was open. */
export function syntheticInputsNote({ sizes }: SyntheticInputsReport): string | undefined {
  if (sizes.length === 0) return undefined;
  const listed = sizes.slice(0, MOST_LISTED).map(({ name, sizes: taken }) => {
    const [least, most] = [taken[0], taken.at(-1)];
    return `${safeText(name, 60)}=${least === most ? least : `${least}–${most}`}`;
  });
  const more = sizes.length > MOST_LISTED ? `, and ${sizes.length - MOST_LISTED} more` : '';
  return `synthetic inputs: ${listed.join(', ')}${more}`;
}
