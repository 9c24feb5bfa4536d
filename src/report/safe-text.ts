/**
 * C0 and C1 controls, DEL, line and paragraph separators, characters that turn the direction of text, invisible
 * joiners and half surrogates: what could move the cursor, forge a line or make two names look equal.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}|[\u{e0000}-\u{e007f}]/gu;

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/**
 * Text made by a model or a file, safe to print on a terminal and in a CI log: one line, no escape sequences. Unsafe
 * characters become visible escapes (`\n`, `\x1b`, `\u{202e}`). Everything a stranger wrote passes through here.
 * `maximumLength` cuts long names in the middle, so that both ends stay readable.
 */
export function safeText(text: string, maximumLength = 2000): string {
  return cutMiddle(text, maximumLength).replace(UNSAFE, visibleEscape);
}

function visibleEscape(character: string): string {
  const short = SHORT_ESCAPES.get(character);
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

function cutMiddle(text: string, maximumLength: number): string {
  if (text.length <= maximumLength) return text;
  const head = Math.ceil((maximumLength - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (maximumLength - 1 - head))}`;
}
