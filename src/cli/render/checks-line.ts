import { safeText } from '../../report/safe-text.js';
import type { Checks } from '../../report/verification-words.js';
import type { TextOptions } from './text-options.js';

/** What was checked, with the sign of how that went. */
export function checksLine({ done, text }: Checks, { style }: TextOptions): string {
  return `${done ? style.ok : style.warning} ${safeText(text)}`;
}
