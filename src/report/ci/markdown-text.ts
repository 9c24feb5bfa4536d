import { safeText } from '../safe-text.js';
import { inertName } from './inert-text.js';

/**
 * A name in Markdown, as code: there nothing is a link, a mention, an issue number or HTML. No backtick and no bar is
 * left in it, so it can end neither the code nor a cell of a table.
 */
export function markdownCode(name: string, maximumLength?: number): string {
  const text = inertName(name, maximumLength).trim();
  return text === '' ? '–' : `\`${text}\``;
}

/**
 * Prose that may hold names: words that could be anything but words are put into code, neighbours together. A backslash
 * would not do: GitHub looks for mentions, issue numbers and addresses after it is gone.
 */
export function markdownProse(text: string, maximumLength = 600): string {
  const parts: string[] = [];
  let code: string[] = [];
  const flush = (): void => {
    if (code.length > 0) parts.push(markdownCode(code.join(' '), maximumLength));
    code = [];
  };
  for (const word of safeText(text, maximumLength).split(' ')) {
    if (word === '') continue;
    if (isPlain(word)) {
      flush();
      parts.push(word);
      continue;
    }
    const [, name = word, mark = ''] = /^(.*[^.,;:])([.,;:]*)$/su.exec(word) ?? [];
    code.push(name);
    if (mark === '') continue;
    // The mark ends the phrase, not the name.
    flush();
    parts.push(`${parts.pop()}${mark}`);
  }
  flush();
  return parts.join(' ');
}

/** Letters and digits with the punctuation of sentences; figures with units; `p99.9`. */
const WORD = /^[("'“]*[\p{L}\p{N}]+(?:['’-]\p{L}+)*[)"'”]*[.,;:!?]?[)"'”]*$/u;
const FIGURE =
  /^[(±+−~≥≤×]*\d[\d,]*(?:\.\d+)?(?:(?:[-–]|\.\.)[+−]?\d[\d,]*(?:\.\d+)?)?(?:%|[\p{L}µ]{1,3})?(?:\/s)?[)]*[.,;:]?$/u;
const QUANTILE = /^p\d{1,2}(?:\.\d{1,3})?[.,;:]?$/;
const SIGN = /^(?:[%±–—+−≥≤=×·→&]|\/s)[)]*[.,;:]?$/u;
/** GitHub makes links of these: hashes of commits, and `GH-12` or `TICKET-12`, which a WORD is not. */
const HASH = /[0-9a-f]{7}/i;

function isPlain(word: string): boolean {
  return !HASH.test(word) && [WORD, FIGURE, QUANTILE, SIGN].some((form) => form.test(word));
}
