/** Text that native code wrote: coloured, many lines, with model-made names in it. */

/** How much of a native message goes into an error, in characters. */
const MESSAGE_LIMIT = 2000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal escape sequences are what is removed here.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** One printable line: no escape sequences, no control characters, bounded length. */
export function cleanNativeText(text: string, limit: number = MESSAGE_LIMIT): string {
  const line = text.replace(ESCAPES, '').replace(CONTROLS, ' ').replace(/ {2,}/g, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

/** The last lines of captured output, each cleaned; undefined when there is nothing to show. */
export function lastNativeLines(text: string, count: number): string | undefined {
  const lines = text
    .split(/\r?\n/)
    .map((line) => cleanNativeText(line, 500))
    .filter((line) => line !== '');
  return lines.length === 0 ? undefined : lines.slice(-count).join(' | ');
}
