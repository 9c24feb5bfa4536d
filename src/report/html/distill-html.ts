import type { ClassesResult } from '../../evaluate/distill/class-result.js';
import { formatLatency } from '../bench-format.js';
import { costRows } from '../distill-cost-words.js';
import { type FigureRow, isPaired } from '../distill-figure-rows.js';
import { qualityText, rankingOf } from '../distill-ranking.js';
import type { DistillReport, DistillStudent } from '../distill-types.js';
import { dataPhrase, featureRows, figureGroups } from '../distill-words.js';
import { capital, formatBytes, formatNumber } from '../format.js';
import { linePlot } from '../svg/line-plot.js';
import { scatterPlot } from '../svg/scatter-plot.js';
import { budgetsSection, judgedBanner } from './budgets-section.js';
import { classSections } from './distill-classes.js';
import { element, fragment, type Markup } from './markup.js';
import { eyebrow, notesSection, warnings } from './model-change.js';
import { page } from './page.js';
import { figure, foldable, keyFigures, lead, list, named, section, table } from './parts.js';

/** The report of `distill` as one page that stands alone. */
export function distillHtml(report: DistillReport): string {
  const { teacher, students, budgets = [] } = report;
  const [best] = students;
  const names = students.length === 1 ? named(best?.name ?? '') : `${students.length} students`;
  return page(
    `${students.length === 1 ? best?.name : `${students.length} students`} of ${teacher.name} – serve-opt distill`,
    element(
      'header',
      {},
      eyebrow('distill', report),
      element('h1', {}, names, ' of ', named(teacher.name)),
      element('p', { class: 'subject' }, named(dataPhrase(report))),
      judgedBanner(report),
      warnings(report.warnings),
      best === undefined ? undefined : keyFigures(firstFigures(best)),
    ),
    budgetsSection(budgets, students.length > 1, HOW_JUDGED),
    rankingSection(report),
    lossSection(report),
    students.map((student, i) => studentSection(report, student, i)),
    section('how', 'How outputs were compared', lead(named(`${capital(report.explanation)}.`))),
    notesSection(report.notes),
  );
}

const HOW_JUDGED =
  'A metric measured on samples is judged by its value on these samples, shown with its interval; a speed-up is judged by its interval.';

function firstFigures({ quality, evaluation, cost }: DistillStudent) {
  const classes = evaluation.kind === 'classes' ? evaluation : undefined;
  return [
    { name: capital(quality.name), value: qualityText(quality) },
    ...(classes
      ? [
          {
            name: 'Agreement',
            value: `${(classes.fidelity.agreement.top1.value * 100).toFixed(1)} %`,
            detail: 'same class as the teacher',
          },
          {
            name: 'KL',
            value: formatNumber(classes.fidelity.temperatures[0]?.kl ?? Number.NaN),
            detail: 'nats, temperature 1',
          },
        ]
      : []),
    ...(cost ? [{ name: 'Size', value: formatBytes(cost.sizeBytes) }] : []),
    ...(cost?.latency ? [{ name: 'p50 latency', value: formatLatency(cost.latency.p50Ms) }] : []),
  ];
}

function rankingSection(report: DistillReport): Markup {
  const { titles, rows, isOrder } = rankingOf(report);
  const one = <T>(cell: T): T[] => (isOrder ? [cell] : []);
  return section(
    'ranking',
    isOrder ? 'Ranking' : 'Teacher and student',
    isOrder ? lead(`By ${titles[0]}, then by the distance from the teacher.`) : undefined,
    table(
      isOrder ? 'Ranking' : 'Teacher and student',
      [
        { title: 'Model', kind: 'name' },
        ...one({ title: '#', kind: 'number' } as const),
        ...titles.map((title) => ({ title: capital(title), kind: 'number' }) as const),
        ...one({ title: 'Front', kind: 'short' } as const),
      ],
      rows.map(({ rank, name, figures, isOnFront }) => ({
        isBest: isOrder && rank === '1',
        cells: [named(name), ...one(rank), ...figures, ...one(isOnFront ? '◆ best' : '')],
      })),
    ),
    tradeOffs(report),
  );
}

/** Quality over size and over latency. */
function tradeOffs({ teacher, students }: DistillReport): Markup | undefined {
  const [first] = students;
  if (!first || teacher.cost === undefined) return undefined;
  const { name: quality } = first.quality;
  const formatY = (value: number): string => qualityText({ ...first.quality, value });
  const subjects = [
    { ...teacher, isBest: false, value: teacher.quality },
    ...students.map((student) => ({ ...student, isBest: student.pareto, value: student.quality.value })),
  ];
  const points = (x: (subject: (typeof subjects)[number]) => number | undefined, format: (value: number) => string) =>
    subjects.flatMap((subject) => {
      const [at, value] = [x(subject), subject.value];
      if (at === undefined || value === undefined || !Number.isFinite(at + value)) return [];
      return [
        {
          name: subject.name,
          x: at,
          y: value,
          isBest: subject.isBest,
          text: `${subject.name}: ${formatY(value)}, ${format(at)}`,
        },
      ];
    });
  const bySize = points(({ cost }) => cost?.sizeBytes, formatBytes);
  const byLatency = points(({ cost }) => cost?.latency?.p50Ms, formatLatency);
  const axes = { y: quality, formatY };
  return element(
    'div',
    { class: 'charts' },
    bySize.length === 0
      ? undefined
      : figure(
          'Quality against size',
          'Blue marks are students that no other beats in size, latency and quality at once.',
          scatterPlot('Quality over size', bySize, { ...axes, x: 'size', formatX: formatBytes }),
        ),
    byLatency.length === 0
      ? undefined
      : figure(
          'Quality against latency',
          'Median latency of one sample, all models in turns with the teacher.',
          scatterPlot('Quality over latency', byLatency, { ...axes, x: 'p50 latency', formatX: formatLatency }),
        ),
  );
}

/** T² · KL over the temperature, one line for each student. */
function lossSection({ students }: DistillReport): Markup | undefined {
  const lines = students.slice(0, 6).flatMap(({ name, evaluation }) => {
    const temperatures =
      evaluation.kind === 'classes' || evaluation.kind === 'ctc'
        ? evaluation.fidelity.temperatures
        : evaluation.kind === 'multi-label'
          ? evaluation.temperatures
          : [];
    const points = [...temperatures]
      .sort((a, b) => a.temperature - b.temperature)
      .map(({ temperature, scaledKl }) => ({ x: temperature, y: scaledKl }));
    return points.some(({ y }) => Number.isFinite(y)) ? [{ name, points }] : [];
  });
  if (lines.length === 0) return undefined;
  const drawing = linePlot('Loss by temperature', lines, {
    x: 'temperature (log)',
    y: 'T² · KL, nats',
    xKind: 'log',
    tickPoints: true,
  });
  return section(
    'loss',
    'Loss by temperature',
    element(
      'div',
      { class: 'charts' },
      figure(
        'T² · KL(teacher ‖ student)',
        'The term of the teacher in the loss of distillation; towards high temperatures it nears half the variance of the differences of logits.',
        drawing,
      ),
    ),
  );
}

function studentSection(report: DistillReport, student: DistillStudent, index: number): Markup {
  const { evaluation, features } = student;
  const groups = [...figureGroups(evaluation), { title: 'Cost', rows: costRows(report.teacher, student) }];
  return section(
    `student-${index + 1}`,
    student.name,
    groups.flatMap(({ title, rows }) => (rows.length === 0 ? [] : [figuresTable(title, rows)])),
    evaluation.kind === 'classes' ? classSections(evaluation as ClassesResult, index) : undefined,
    features.map((feature, i) =>
      foldable(
        `feature-${index + 1}-${i + 1}`,
        features.length === 1,
        ['Feature ', named(`${feature.teacher} : ${feature.student}`)],
        figuresTable('Terms', featureRows(feature)),
        feature.notes.length === 0 ? undefined : list(feature.notes.map(named)),
      ),
    ),
  );
}

/** Figures of a student beside those of the teacher. */
function figuresTable(title: string, rows: readonly FigureRow[]): Markup {
  const paired = isPaired(rows);
  return fragment(
    element('h3', {}, title),
    table(
      title,
      [
        { title: 'Figure', kind: 'name' },
        ...(paired ? [{ title: 'Teacher', kind: 'number' as const }] : []),
        { title: 'Student', kind: 'number' },
        { title: '', kind: 'why' },
      ],
      rows.map(({ name, teacher, student, change }) => ({
        cells: [name, ...(paired ? [teacher] : []), student, change],
      })),
    ),
  );
}
