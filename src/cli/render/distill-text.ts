import { budgetsClause } from '../../report/budget-words.js';
import { classSentences, costRows } from '../../report/distill-cost-words.js';
import { type FigureRow, isPaired } from '../../report/distill-figure-rows.js';
import { rankingOf } from '../../report/distill-ranking.js';
import type { DistillReport, DistillStudent } from '../../report/distill-types.js';
import { dataPhrase, featureRows, figureGroups } from '../../report/distill-words.js';
import { plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import { budgetsText } from './budgets-text.js';
import { verdictLine } from './gate-lines.js';
import { renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** The report of `serve-opt distill` for people: the ranking, then the figures of the best student, or of all with `-v`. */
export async function renderDistill(
  report: DistillReport,
  options: TextOptions & { readonly verbosity?: number },
): Promise<string> {
  const { students, budgets = [], verdict, notes } = report;
  const line = (text: string): string => wrapLine(safeText(text), options.columns, 2);
  const parts = [
    await ranking(report, options),
    '',
    line(dataPhrase(report)),
    line(`Compared: ${report.explanation}.`),
  ];
  const shown = (options.verbosity ?? 0) > 0 ? students : students.slice(0, 1);
  for (const student of shown) parts.push('', await details(report, student, options));
  if (shown.length < students.length)
    parts.push(
      '',
      line(`The figures of ${plural(students.length - shown.length, 'more student', 'more students')}: add -v.`),
    );
  if (verdict !== undefined) {
    parts.push('', await budgetsText(budgets, students.length > 1, options));
    parts.push('', verdictLine(verdict, budgetsClause(budgets), options));
  }
  for (const note of notes) parts.push('', line(`note: ${note}`));
  return parts.join('\n');
}

async function ranking(report: DistillReport, options: TextOptions): Promise<string> {
  const { titles, rows, isOrder } = rankingOf(report);
  const one = <T>(cell: T): T[] => (isOrder ? [cell] : []);
  const table = await renderTable(
    [
      ...one({ title: '#', align: 'right' } as const),
      { title: 'model', flexible: true },
      ...titles.map((title) => ({ title, align: 'right' }) as const),
      ...one({ title: '' }),
    ],
    rows.map(({ rank, name, figures: cells, isOnFront }) => [
      ...one(rank),
      name,
      ...cells,
      ...one(isOnFront ? '◆' : ''),
    ]),
    options,
  );
  if (!isOrder) return table;
  const legend = '◆ no other student is as good in size, latency and quality and better in one';
  return `${table}\n${options.style.dim(wrapLine(legend, options.columns, 2))}`;
}

async function details(report: DistillReport, student: DistillStudent, options: TextOptions): Promise<string> {
  const { style } = options;
  const { evaluation, features } = student;
  const parts: string[] = [style.bold(safeText(student.name))];
  const groups = [...figureGroups(evaluation), { title: 'Cost', rows: costRows(report.teacher, student) }];
  for (const { title, rows } of groups) if (rows.length > 0) parts.push(await figures(title, rows, options));
  if (evaluation.kind === 'classes' && evaluation.labelled)
    for (const sentence of classSentences(evaluation.labelled))
      parts.push(wrapLine(`  ${sentence}`, options.columns, 4));
  const pushNotes = (notes: readonly string[]): void => {
    for (const note of notes) parts.push(wrapLine(`  note: ${safeText(note)}`, options.columns, 4));
  };
  if (evaluation.kind === 'embedding') pushNotes(evaluation.terms.notes);
  for (const feature of features) {
    parts.push(await figures(`${feature.teacher} : ${feature.student}`, featureRows(feature), options));
    pushNotes(feature.notes);
  }
  return parts.join('\n');
}

async function figures(title: string, rows: readonly FigureRow[], options: TextOptions): Promise<string> {
  const paired = isPaired(rows);
  return renderTable(
    [
      { title, flexible: true, minimumWidth: 20 },
      ...(paired ? [{ title: 'teacher', align: 'right' } as const] : []),
      { title: 'student', align: 'right' },
      { title: '' },
    ],
    rows.map(({ name, teacher, student, change }) => [name, ...(paired ? [teacher] : []), student, change]),
    { ...options, indent: 2 },
  );
}
