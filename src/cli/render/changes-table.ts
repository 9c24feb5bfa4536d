import { safeText } from '../../report/safe-text.js';
import { tableWithClauses } from './clauses.js';
import type { TextOptions } from './text-options.js';

/** What was looked at, its value before and after, and what that means: a share, a verdict. */
export type ChangeRow = readonly [what: string, before: string, after: string, verdict: string];

/** Model and result side by side. Verdicts are never cut: on a narrow terminal they stand below their rows. */
export function changesTableText(
  model: string,
  result: string,
  rows: readonly ChangeRow[],
  options: TextOptions,
): Promise<string> {
  const titles = [
    { title: model, flexible: true, minimumWidth: Math.max(...rows.map(([what]) => what.length)) },
    { title: 'before', align: 'right' },
    { title: result, align: 'right' },
  ] as const;
  const cells = rows.map(([what, before, after]) => [what, before, after]);
  const verdicts = rows.map(([, , , verdict]) => safeText(verdict));
  return tableWithClauses(titles, cells, verdicts, options);
}
