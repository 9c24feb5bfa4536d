import { safeText } from '../safe-text.js';

/** A name longer than this is cut in the middle. */
const LONGEST_NAME = 300;

/**
 * A name made by a stranger, for documents that others put into Markdown or HTML: one line, and neither backticks (they
 * end code), bars (they end cells), angle brackets nor `##[`, which a log of GitHub Actions may read as a command. What is
 * left out is a visible escape, so names stay different.
 */
export function inertName(name: string, maximumLength = LONGEST_NAME): string {
  return safeText(name, maximumLength).replace(/[`|<>]|(?<=#)#(?=\[)/g, escaped);
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16)}`;
}
