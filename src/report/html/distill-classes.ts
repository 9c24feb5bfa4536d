/** What labels tell of a student, class by class. */
import type { ClassesResult, FlippedRow, LabelledResult } from '../../evaluate/distill/class-result.js';
import { formatInteger, formatPercent, formatPoints, plural } from '../format.js';
import { deltaBars } from '../svg/delta-bars.js';
import { reliabilityDiagram } from '../svg/reliability.js';
import { confusionFigures, confusionPart } from './distill-confusion.js';
import { element, fragment, type Markup } from './markup.js';
import { figure, foldable, lead, table } from './parts.js';

/** Classes that a page shows; the JSON document has all. */
const MOST_CLASSES = 24;

/** Calibration, classes, confusions, flips and deciles. @param index of the student, for the ids of parts */
export function classSections(evaluation: ClassesResult, index: number): Markup {
  const { labelled, fidelity } = evaluation;
  const id = (part: string): string => `${part}-${index + 1}`;
  const deciles = foldable(
    id('deciles'),
    false,
    ['Agreement by confidence of the teacher'],
    table(
      'Agreement by confidence',
      [
        { title: 'Confidence', kind: 'short' },
        { title: 'Rows', kind: 'number' },
        { title: 'Agreement', kind: 'number' },
        { title: '95 % interval', kind: 'number' },
      ],
      fidelity.agreement.deciles.map(({ low, high, agreement }) => ({
        cells: [
          `${formatPercent(low)}–${formatPercent(high)}`,
          formatInteger(agreement.n),
          formatPercent(agreement.value),
          `${formatPercent(agreement.low)}–${formatPercent(agreement.high)}`,
        ],
      })),
    ),
  );
  if (!labelled) return fragment(deciles);
  return fragment(
    element(
      'div',
      { class: 'charts' },
      reliabilityFigure(labelled),
      classFigure(labelled),
      confusionFigures(labelled.byClass),
    ),
    confusionPart(labelled.byClass, id('confusion')),
    flipsPart(labelled, id('flips')),
    deciles,
  );
}

function reliabilityFigure({ teacher, student }: LabelledResult): Markup {
  return figure(
    'Reliability',
    `Below the dashed line a model is surer than it is right. Expected calibration error: teacher ${formatPercent(teacher.equalWidth.ece)}, student ${formatPercent(student.equalWidth.ece)}, over ${teacher.equalWidth.bins.length} bins and ${plural(teacher.equalWidth.n, 'row')}. Larger marks are more rows.`,
    reliabilityDiagram('Reliability of teacher and student', [
      { name: 'teacher', bins: teacher.equalWidth.bins },
      { name: 'student', bins: student.equalWidth.bins },
    ]),
  );
}

function classFigure({ byClass }: LabelledResult): Markup {
  const { classes } = byClass;
  const shown = [...classes]
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference) || a.label - b.label)
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a.difference - b.difference);
  const some =
    shown.length < classes.length ? ` The ${shown.length} of ${classes.length} classes that changed most.` : '';
  return figure(
    'Accuracy of each class, student less teacher',
    `With 95 % intervals of the pairs.${some}`,
    deltaBars(
      'Change of accuracy by class',
      shown.map(({ label, difference, differenceLow, differenceHigh }) => ({
        name: `class ${label}`,
        value: difference,
        low: differenceLow,
        high: differenceHigh,
        text: formatPoints(difference),
      })),
    ),
  );
}

function flipsPart({ flips, flipped }: LabelledResult, id: string): Markup {
  const { lost, gained, bothRight, bothWrong } = flips;
  return foldable(
    id,
    false,
    [`Flips: ${formatInteger(lost)} right → wrong, ${formatInteger(gained)} wrong → right`],
    lead(
      `${plural(bothRight, 'row')} right with both, ${formatInteger(bothWrong)} wrong with both. McNemar's exact p: ${flips.mcnemarP.toPrecision(3)}.`,
    ),
    flippedTable('Right with the teacher alone', flipped.lost, lost),
    flippedTable('Right with the student alone', flipped.gained, gained),
  );
}

function flippedTable(title: string, rows: readonly FlippedRow[], count: number): Markup | undefined {
  if (rows.length === 0) return undefined;
  return fragment(
    element('h3', {}, rows.length < count ? `${title}: the first ${rows.length} of ${formatInteger(count)}` : title),
    table(
      title,
      [
        { title: 'Sample', kind: 'number' },
        { title: 'Label', kind: 'number' },
        { title: 'Teacher', kind: 'number' },
        { title: 'Student', kind: 'number' },
      ],
      rows.map(({ sample, position, label, teacher, student }) => ({
        cells: [
          position === undefined ? formatInteger(sample) : `${formatInteger(sample)}, token ${formatInteger(position)}`,
          String(label),
          String(teacher),
          String(student),
        ],
      })),
    ),
  );
}
