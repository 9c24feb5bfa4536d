import { judgeStudent } from '../../gates/distill-gates.js';
import { overall } from '../../gates/verdict.js';
import type { DistillReport, DistillStudent, DistillSubject } from '../../report/distill-types.js';
import { REPORT_SCHEMA_VERSION } from '../../report/types.js';
import { packageVersion } from '../../version.js';
import { nearLimit } from '../result-budgets.js';
import { settingsOf } from './checked-options.js';
import type { DistillOptions } from './distill-options.js';
import type { ClassesOptions } from './evaluate-classes.js';
import { onFront, qualityOf, rankedOrder } from './rank-students.js';

/** A student before it is ranked. */
export type EvaluatedStudent = Omit<DistillStudent, 'rank' | 'pareto' | 'quality'>;

interface Finished extends Pick<DistillReport, 'data' | 'explanation'> {
  readonly teacher: DistillSubject;
  readonly students: readonly EvaluatedStudent[];
  readonly onnxRuntimeVersion?: string;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/** Ranks the students and holds them against the budgets. */
export function finishReport(
  found: Finished,
  figures: ClassesOptions,
  { budgets: wanted = [] }: DistillOptions,
): DistillReport {
  const { teacher, students, onnxRuntimeVersion, data, explanation, warnings, notes } = found;
  const qualities = students.map(({ evaluation }) => qualityOf(evaluation));
  const ranked = students.map((student, i) => ({
    ...student,
    quality: qualities[i]?.quality as DistillStudent['quality'],
  }));
  const front = onFront(ranked);
  const order = rankedOrder(ranked);
  const budgets = order.flatMap((place) => judgeStudent(wanted, ranked[place] as (typeof ranked)[number]));
  const verdict = overall(budgets.map((each) => each.verdict));
  const ofTeacher = qualities[0]?.teacher;
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'distill',
    version: packageVersion(),
    ...(onnxRuntimeVersion === undefined ? {} : { onnxRuntimeVersion }),
    teacher: { ...teacher, ...(ofTeacher === undefined ? {} : { quality: ofTeacher }) },
    students: order.map((place, i) => ({
      ...(ranked[place] as (typeof ranked)[number]),
      rank: i + 1,
      pareto: front[place] === true,
    })),
    data,
    settings: settingsOf(figures),
    explanation,
    ...(wanted.length === 0 ? {} : { budgets }),
    ...(verdict === undefined ? {} : { verdict }),
    warnings: [...warnings, ...budgets.flatMap(nearLimit)],
    notes,
  };
}
