import { stripVTControlCharacters } from 'node:util';

/** A space where a line may be broken: not between a figure and its unit. */
const BREAK = / (?!(?:%|pt|dB|[kMGT]?B|[mµn]?s|min|MiB|GiB)(?![\p{L}\d]))/u;

/** A word longer than this is left for the terminal to break. */
const SHORTEST_LINE = 20;

/**
 * Breaks a line of prose between words so that it fits the terminal; lines after the first are indented. A pipe
 * (`columns` undefined) gets the line as it is, so that each fact stays on one line.
 */
export function wrapLine(text: string, columns: number | undefined, indent = 2): string {
  if (columns === undefined || columns < SHORTEST_LINE || width(text) <= columns) return text;
  const margin = ' '.repeat(indent);
  const start = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(BREAK)) {
    const candidate = line === '' ? (lines.length === 0 ? start : margin) + word : `${line} ${word}`;
    if (line !== '' && width(candidate) > columns) {
      lines.push(line);
      line = margin + word;
    } else line = candidate;
  }
  lines.push(line);
  return lines.join('\n');
}

function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
