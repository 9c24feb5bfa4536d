/** Students and their teacher, for a comment on a pull request. */
import { budgetsClause } from '../budget-words.js';
import { costRows } from '../distill-cost-words.js';
import { type FigureRow, isPaired } from '../distill-figure-rows.js';
import { rankingOf } from '../distill-ranking.js';
import type { DistillReport, DistillStudent } from '../distill-types.js';
import { dataPhrase, featureRows, figureGroups } from '../distill-words.js';
import { sentence } from '../format.js';
import { budgetsTable, VERDICT_SIGNS } from './markdown-budgets.js';
import { markdownCode, markdownProse } from './markdown-text.js';
import { MarkdownWriter } from './markdown-writer.js';

/** @param maximumBytes rows beyond are cut and counted */
export function distillMarkdown(report: DistillReport, maximumBytes: number): string {
  const page = new MarkdownWriter(maximumBytes);
  const { verdict, budgets = [], students } = report;
  page.block('<!-- serve-opt distill -->');
  if (verdict === undefined) page.block('### serve-opt distill', '');
  else
    page.block(`### ${VERDICT_SIGNS[verdict]} serve-opt distill: ${verdict}`, '', sentence(budgetsClause(budgets)), '');
  budgetsTable(page, budgets, students.length > 1);
  ranking(page, report);
  page.block(markdownProse(dataPhrase(report)), '');
  for (const student of students) details(page, report, student);
  const warnings = report.warnings.slice(0, 20).map((text) => `- ⚠️ ${markdownProse(text)}`);
  if (warnings.length > 0) page.block(...warnings, '');
  const runtime =
    report.onnxRuntimeVersion === undefined ? '' : `, ONNX Runtime ${markdownCode(report.onnxRuntimeVersion)}`;
  page.block(`serve-opt ${markdownCode(report.version)}${runtime}`, '');
  return page.text();
}

function ranking(page: MarkdownWriter, report: DistillReport): void {
  const { titles, rows, isOrder } = rankingOf(report);
  const one = <T>(cell: T): T[] => (isOrder ? [cell] : []);
  page.table(
    [
      ...one({ title: '', right: true }),
      { title: 'model' },
      ...titles.map((title) => ({ title, right: true })),
      ...one({ title: '' }),
    ],
    rows.map(({ rank, name, figures, isOnFront }) => [
      ...one(rank),
      markdownCode(name),
      ...figures,
      ...one(isOnFront ? '◆' : ''),
    ]),
  );
  if (isOrder)
    page.block('◆ no other student is at least as good in size, latency and quality and better in one of them', '');
}

function details(page: MarkdownWriter, { teacher }: DistillReport, student: DistillStudent): void {
  const { name, evaluation, features } = student;
  if (!page.block(`<details><summary>${markdownCode(name).replaceAll('`', '')}</summary>`, '')) return;
  for (const { title, rows } of figureGroups(evaluation)) figures(page, title, rows);
  const costs = costRows(teacher, student);
  if (costs.length > 0) figures(page, 'Cost', costs);
  for (const feature of features) figures(page, `${feature.teacher} : ${feature.student}`, featureRows(feature));
  page.close('</details>', '');
}

function figures(page: MarkdownWriter, title: string, rows: readonly FigureRow[]): void {
  const paired = isPaired(rows);
  page.table(
    [
      { title: markdownProse(title) },
      ...(paired ? [{ title: 'teacher', right: true }] : []),
      { title: 'student', right: true },
      { title: '' },
    ],
    rows.map(({ name, teacher, student, change }) => [name, ...(paired ? [teacher] : []), student, change]),
  );
}
