/** Rows of figures of a teacher and a student, for terminals and pages. */
import { formatPercent, formatPoints } from './format.js';

/** One figure of a student beside that of the teacher, where there is one. */
export interface FigureRow {
  readonly name: string;
  readonly teacher: string;
  readonly student: string;
  /** Student against teacher, or an interval. */
  readonly change: string;
}

/** A table of figures under a heading. */
export interface FigureGroup {
  readonly title: string;
  readonly rows: readonly FigureRow[];
}

/** Whether some figure is of the teacher too; otherwise a table has no column for it. */
export function isPaired(rows: readonly FigureRow[]): boolean {
  return rows.some(({ teacher }) => teacher !== '–');
}

/** A row of figures. */
export function row(name: string, teacher: string, student: string, change = ''): FigureRow {
  return { name, teacher, student, change };
}

/** A share of both models, and how it changes. */
export function shareRow(
  name: string,
  teacher: number,
  student: number,
  range?: { readonly low: number; readonly high: number },
): FigureRow {
  const interval = range ? ` (${formatPoints(range.low)} to ${formatPoints(range.high)})` : '';
  return row(name, formatPercent(teacher), formatPercent(student), `${formatPoints(student - teacher)}${interval}`);
}
