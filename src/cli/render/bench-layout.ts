import { stripVTControlCharacters } from 'node:util';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

export interface BenchTextOptions extends TextOptions {
  /** The terminal may lack block characters (`TERM=dumb`). */
  readonly ascii?: boolean;
}

/** Width of the words before facts. */
const LABEL_WIDTH = 13;
/** A clause has at least this much room, or goes below its row. */
const SHORTEST_CLAUSE = 24;

/** `Throughput  238/s`: a fact under a bold word, wrapped below itself. */
export function fact(label: string, text: string, { style, columns }: TextOptions): string {
  return wrapLine(style.bold(label) + ' '.repeat(Math.max(1, LABEL_WIDTH - label.length)) + text, columns, LABEL_WIDTH);
}

/** A warning sign and a sentence. */
export function caution(text: string, { style, columns }: TextOptions): string {
  return wrapLine(`${style.warning} ${text}`, columns, 2);
}

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

function visibleWidth(line: string): number {
  return [...stripVTControlCharacters(line)].length;
}
