/** The order of students beside their teacher, on the terminal, in Markdown and in pages. */
import type { DistillEvaluation } from '../evaluate/distill/distill-result.js';
import { formatLatency } from './bench-format.js';
import { boundsText } from './distill-top-k-words.js';
import type { DistillReport, DistillStudent, DistillSubject } from './distill-types.js';
import { formatBytes, formatNumber, formatPercent } from './format.js';

const DASH = '–';

/** The number that students are ranked by, in its own form. */
export function qualityText({ name, value }: DistillStudent['quality']): string {
  return /accuracy|agreement|match|F1/.test(name) ? formatPercent(value) : formatNumber(value, 4);
}

/** A model in the ranking. */
export interface RankingRow {
  /** Empty for the teacher. */
  readonly rank: string;
  readonly name: string;
  /** In the order of `titles`. */
  readonly figures: readonly string[];
  readonly isOnFront: boolean;
}

export interface Ranking {
  /** Of figures that at least one model has. */
  readonly titles: readonly string[];
  /** The teacher, then the students. */
  readonly rows: readonly RankingRow[];
  /** Several students: ranks and fronts tell something. */
  readonly isOrder: boolean;
}

interface Figure {
  readonly title: string;
  readonly teacher: string;
  readonly student: (student: DistillStudent) => string;
}

/** The teacher and the students with what tells them apart first. */
export function rankingOf(report: DistillReport): Ranking {
  const { teacher, students } = report;
  const figures = figuresOf(report).filter(
    (figure) => figure.teacher !== DASH || students.some((student) => figure.student(student) !== DASH),
  );
  return {
    titles: figures.map(({ title }) => title),
    rows: [
      { rank: '', name: `${teacher.name} (teacher)`, figures: figures.map((each) => each.teacher), isOnFront: false },
      ...students.map((student) => ({
        rank: String(student.rank),
        name: student.name,
        figures: figures.map((each) => each.student(student)),
        isOnFront: student.pareto,
      })),
    ],
    isOrder: students.length > 1,
  };
}

function figuresOf({ teacher, students }: DistillReport): readonly Figure[] {
  const [first] = students;
  const quality = first?.quality ?? { name: 'quality', value: Number.NaN, higherIsBetter: true };
  const ofCost = (title: string, of: (subject: DistillSubject) => string): Figure => ({
    title,
    teacher: of(teacher),
    student: of,
  });
  return [
    {
      title: quality.name,
      teacher: teacher.quality === undefined ? DASH : qualityText({ ...quality, value: teacher.quality }),
      student: (student) => qualityText(student.quality),
    },
    // Without labels, students are ranked by it already.
    ...(quality.name === 'agreement'
      ? []
      : [{ title: 'agreement', teacher: DASH, student: (of: DistillStudent) => agreementText(of.evaluation) }]),
    { title: 'KL', teacher: DASH, student: ({ evaluation }) => klText(evaluation) },
    {
      title: 'ECE',
      teacher: first ? eceText(first.evaluation, 'teacher') : DASH,
      student: ({ evaluation }) => eceText(evaluation, 'student'),
    },
    { title: 'R² to teacher', teacher: DASH, student: ({ evaluation }) => r2Text(evaluation) },
    { title: 'CKA', teacher: DASH, student: ({ evaluation }) => ckaText(evaluation) },
    ofCost('size', ({ cost }) => (cost ? formatBytes(cost.sizeBytes) : DASH)),
    ofCost('p50', ({ cost }) => (cost?.latency ? formatLatency(cost.latency.p50Ms) : DASH)),
  ];
}

function agreementText(evaluation: DistillEvaluation): string {
  switch (evaluation.kind) {
    case 'classes':
      return formatPercent(evaluation.fidelity.agreement.top1.value);
    case 'top-k':
      return formatPercent(evaluation.agreement.top1.value);
    case 'ctc':
      return formatPercent(evaluation.sequences.agreement.value);
    case 'multi-label':
      return formatPercent(evaluation.agreement.value);
    default:
      return DASH;
  }
}

function klText(evaluation: DistillEvaluation): string {
  switch (evaluation.kind) {
    case 'classes':
    case 'ctc':
      return optional(evaluation.fidelity.temperatures[0]?.kl);
    case 'multi-label':
      return optional(evaluation.temperatures[0]?.kl);
    case 'top-k':
      return boundsText(evaluation.kl);
    default:
      return DASH;
  }
}

function eceText(evaluation: DistillEvaluation, side: 'teacher' | 'student'): string {
  if ((evaluation.kind === 'classes' || evaluation.kind === 'top-k') && evaluation.labelled)
    return formatPercent(evaluation.labelled[side].equalWidth.ece);
  if (evaluation.kind === 'multi-label' && evaluation.labelled)
    return formatPercent(evaluation.labelled[side].calibration.ece);
  return DASH;
}

function r2Text(evaluation: DistillEvaluation): string {
  return evaluation.kind === 'regression' ? optional(evaluation.fidelity.r2) : DASH;
}

function ckaText(evaluation: DistillEvaluation): string {
  return evaluation.kind === 'embedding' ? optional(evaluation.terms.similarity?.cka) : DASH;
}

function optional(value: number | undefined): string {
  return value === undefined ? DASH : formatNumber(value);
}
