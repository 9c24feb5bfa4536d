import { stripVTControlCharacters } from 'node:util';
import { type Cell, type Column, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** A clause has at least this much room, or goes below its row. */
const SHORTEST_CLAUSE = 24;

/**
 * Puts a clause after each row of a drawn table, or, where it does not fit, below it. Clauses are never cut. In a pipe
 * every row stays one line. `titles` lines at the top have none.
 */
export function withClauses(
  table: string,
  clauses: readonly string[],
  titles: number,
  { columns }: TextOptions,
): string {
  const lines = table.split('\n');
  const widest = Math.max(...lines.map(visibleWidth));
  const fits = (clause: string): boolean =>
    columns === undefined || (widest + 2 + visibleWidth(clause) <= columns && columns - widest > SHORTEST_CLAUSE);
  const beside = clauses.every(fits);
  return lines
    .flatMap((line, index) => {
      const clause = clauses[index - titles] ?? '';
      if (index < titles || clause === '') return [line];
      if (beside) return [`${line}${' '.repeat(widest - visibleWidth(line) + 2)}${clause}`];
      return [line, wrapLine(`      ${clause}`, columns, 6)];
    })
    .join('\n');
}

/** Characters of a line without its styles. */
export function visibleWidth(line: string): number {
  return [...stripVTControlCharacters(line)].length;
}

/**
 * A table whose rows each end in a clause, which is never cut: where both do not fit side by side, not even with flexible
 * columns cut, clauses go below their rows.
 */
export async function tableWithClauses(
  titles: readonly Column[],
  rows: readonly (readonly Cell[])[],
  clauses: readonly string[],
  options: TextOptions,
): Promise<string> {
  const titleLines = titles.some(({ title }) => title !== '') ? 1 : 0;
  const { columns } = options;
  if (columns !== undefined) {
    const room = columns - 2 - Math.max(0, ...clauses.map(visibleWidth));
    const narrow = await renderTable(titles, rows, { ...options, columns: room, stacks: false });
    if (narrow.split('\n').every((line) => visibleWidth(line) <= room))
      return withClauses(narrow, clauses, titleLines, { ...options, columns: undefined });
  }
  return withClauses(await renderTable(titles, rows, { ...options, stacks: false }), clauses, titleLines, options);
}

/** Prose has at least this much room beside a row, or goes below it. */
const SHORTEST_PROSE = 34;

/** Rows of a drawn table, each followed by prose that is wrapped beside it or, where that leaves too little room, below it. */
export function withProse(table: string, prose: readonly string[], { columns }: Pick<TextOptions, 'columns'>): string {
  const lines = table.split('\n');
  const margin = Math.max(...lines.map(visibleWidth)) + 2;
  const isBeside = (text: string): boolean =>
    columns === undefined || columns - margin >= Math.min(SHORTEST_PROSE, visibleWidth(text));
  return lines
    .map((line, index) => {
      const text = prose[index] ?? '';
      if (isBeside(text)) return wrapLine(`${line}${' '.repeat(margin - visibleWidth(line))}${text}`, columns, margin);
      return `${line}\n${wrapLine(`      ${text}`, columns, 6)}`;
    })
    .join('\n');
}
