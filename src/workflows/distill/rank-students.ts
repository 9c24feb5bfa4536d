import { nonDominated } from '../../bench/pareto.js';
import type { DistillEvaluation } from '../../evaluate/distill/distill-result.js';
import type { DistillCost, DistillStudent } from '../../report/distill-types.js';

/** The number that students are ranked by. */
export type Quality = DistillStudent['quality'];

/** The quality of a student, and that of the teacher where both are of labels. */
export function qualityOf(evaluation: DistillEvaluation): { readonly quality: Quality; readonly teacher?: number } {
  const of = (name: string, value: number, teacher?: number, higherIsBetter = true) => ({
    quality: { name, value, higherIsBetter },
    ...(teacher === undefined ? {} : { teacher }),
  });
  switch (evaluation.kind) {
    case 'top-k': {
      const { labelled, agreement } = evaluation;
      return labelled
        ? of('top-1 accuracy', labelled.student.top1.value, labelled.teacher.top1.value)
        : of('agreement', agreement.top1.value);
    }
    case 'classes': {
      const { labelled, fidelity } = evaluation;
      return labelled
        ? of('top-1 accuracy', labelled.student.top1.value, labelled.teacher.top1.value)
        : of('agreement', fidelity.agreement.top1.value);
    }
    case 'multi-label': {
      const { labelled, agreement } = evaluation;
      if (!labelled) return of('agreement', agreement.value);
      const { teacher, student } = labelled;
      return student.auc !== undefined && teacher.auc !== undefined
        ? of('ROC AUC', student.auc, teacher.auc)
        : of('micro F1', student.microF1, teacher.microF1);
    }
    case 'ctc': {
      const { labelled, agreement } = evaluation.sequences;
      return labelled
        ? of('exact sequence match', labelled.student.exact.value, labelled.teacher.exact.value)
        : of('agreement', agreement.value);
    }
    case 'regression': {
      const { labelled, fidelity } = evaluation;
      return labelled
        ? of('RMSE', labelled.student.rmse, labelled.teacher.rmse, false)
        : of('RMSE against the teacher', fidelity.rmse, undefined, false);
    }
    case 'embedding': {
      const { errors, similarity } = evaluation.terms;
      return errors ? of('mean cosine', 1 - errors.cosineDistance) : of('linear CKA', similarity?.cka ?? Number.NaN);
    }
  }
}

/** How far a student is from the teacher; less is closer. */
function distanceOf(evaluation: DistillEvaluation): number {
  switch (evaluation.kind) {
    case 'classes':
    case 'ctc':
      return evaluation.fidelity.temperatures[0]?.kl ?? Number.NaN;
    case 'multi-label':
      return evaluation.temperatures[0]?.kl ?? Number.NaN;
    case 'top-k':
      return evaluation.kl.low;
    case 'regression':
      return evaluation.fidelity.mse;
    case 'embedding':
      return evaluation.terms.errors?.mse ?? Number.NaN;
  }
}

interface Ranked {
  readonly quality: Quality;
  readonly evaluation: DistillEvaluation;
  readonly cost?: DistillCost | undefined;
}

/** Places of students, the best first: by quality, then by how close they are to the teacher, then as they were given. */
export function rankedOrder(students: readonly Ranked[]): number[] {
  const cost = ({ quality }: Ranked): number => (quality.higherIsBetter ? -quality.value : quality.value);
  const last = (value: number): number => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value);
  const less = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
  return students
    .map((_, place) => place)
    .sort((a, b) => {
      const [x, y] = [students[a] as Ranked, students[b] as Ranked];
      return (
        less(last(cost(x)), last(cost(y))) ||
        less(last(distanceOf(x.evaluation)), last(distanceOf(y.evaluation))) ||
        a - b
      );
    });
}

/** Which students nothing beats in size, latency (where all are measured) and quality at once. */
export function onFront(students: readonly Ranked[]): boolean[] {
  const timed = students.every(({ cost }) => cost?.latency !== undefined);
  return nonDominated(
    students.map(({ cost, quality }) => [
      cost?.sizeBytes ?? 0,
      timed ? (cost?.latency?.p50Ms ?? 0) : 0,
      quality.higherIsBetter ? -quality.value : quality.value,
    ]),
  );
}
