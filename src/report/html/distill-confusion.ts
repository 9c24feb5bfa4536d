/** Which classes a student takes for which, beside its teacher. */
import type { ClassCountsResult } from '../../evaluate/distill/class-counts.js';
import { formatInteger, formatPercent } from '../format.js';
import { heatMap } from '../svg/heat-map.js';
import { fragment, type Markup } from './markup.js';
import { figure, foldable, table } from './parts.js';

/** Cells that a page shows; the JSON document has all. */
const MOST_CELLS = 24;

const AXES = { rows: 'label', columns: 'predicted' };

/** What the student predicts for each label, and how that differs from the teacher. */
export function confusionFigures({ table: counts, classes: all }: ClassCountsResult): Markup | undefined {
  const { classes, of, teacher, student } = counts;
  if (classes.length < 2) return undefined;
  const names = classes.map(String);
  const rowsOf = new Map(all.map((each) => [each.label, each.student.n]));
  const count = (rows: typeof teacher, i: number, j: number): number => rows[i]?.[j] ?? 0;
  const change = (i: number, j: number): number => count(student, i, j) - count(teacher, i, j);
  const most = Math.max(1, ...classes.flatMap((_, i) => classes.map((__, j) => Math.abs(change(i, j)))));
  const some =
    classes.length < of ? ` The ${classes.length} of ${formatInteger(of)} classes whose confusions changed most.` : '';
  const tip = (i: number, j: number): string =>
    `label ${names[i]}, predicted ${names[j]}: teacher ${formatInteger(count(teacher, i, j))}, student ${formatInteger(count(student, i, j))}`;
  return fragment(
    figure(
      'Confusions of the student',
      `Rows of each label by what the student predicts; the colour is their share of the label. The diagonal is right.${some}`,
      heatMap('Confusions of the student', names, AXES, (i, j) => {
        const rows = count(student, i, j);
        const ofLabel = rowsOf.get(classes[i] as number) ?? 0;
        const share = ofLabel === 0 ? 0 : rows / ofLabel;
        return {
          share: -share,
          text: rows === 0 ? '' : formatInteger(rows),
          tip: `${tip(i, j)} (${formatPercent(share)} of the label)`,
        };
      }),
    ),
    figure(
      'Confusions, student less teacher',
      `Orange: the student predicts this more often than the teacher; blue: less often. Off the diagonal, more is worse.${some}`,
      heatMap('Confusions, student less teacher', names, AXES, (i, j) => {
        const more = change(i, j);
        return { share: more / most, text: more === 0 ? '' : signed(more), tip: tip(i, j) };
      }),
    ),
  );
}

/** The cells off the diagonal that changed most. */
export function confusionPart({ confusion }: ClassCountsResult, id: string): Markup | undefined {
  const cells = confusion.filter(({ teacher, student }) => teacher !== student).slice(0, MOST_CELLS);
  if (cells.length === 0) return undefined;
  return foldable(
    id,
    false,
    ['Confusions that changed most'],
    table(
      'Confusions',
      [
        { title: 'Label', kind: 'number' },
        { title: 'Predicted', kind: 'number' },
        { title: 'Teacher', kind: 'number' },
        { title: 'Student', kind: 'number' },
        { title: 'Change', kind: 'number' },
      ],
      cells.map(({ label, predicted, teacher, student }) => ({
        cells: [
          String(label),
          String(predicted),
          formatInteger(teacher),
          formatInteger(student),
          signed(student - teacher),
        ],
      })),
    ),
  );
}

function signed(difference: number): string {
  return `${difference > 0 ? '+' : '−'}${formatInteger(Math.abs(difference))}`;
}
