/** What JUnit is told of students. */

import { qualityText } from '../distill-ranking.js';
import type { DistillReport } from '../distill-types.js';
import { dataPhrase } from '../distill-words.js';
import { budgetCase, PASSED, type Suite, type SuiteProperties } from './junit-suites.js';

/** A suite for each student: that it was evaluated, and its budgets. */
export function distillSuites({ students, budgets = [] }: DistillReport): readonly Suite[] {
  return students.map(({ name, quality, cost }) => ({
    name,
    cases: [
      {
        name: 'evaluated',
        seconds: (cost?.latency?.p50Ms ?? 0) / 1000,
        outcome: PASSED,
        output: [`${quality.name} ${qualityText(quality)}`],
      },
      ...budgets.filter(({ configuration }) => configuration === name).map(budgetCase),
    ],
  }));
}

/** Versions, the teacher and the data. */
export function distillProperties(report: DistillReport): SuiteProperties {
  const { version, onnxRuntimeVersion, teacher } = report;
  return [
    ['serve-opt', version],
    ...(onnxRuntimeVersion === undefined ? [] : [['onnxruntime', onnxRuntimeVersion] as const]),
    ['teacher', teacher.name],
    ['inputs', dataPhrase(report)],
  ];
}
