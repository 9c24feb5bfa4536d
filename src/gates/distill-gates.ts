import { amount, count, plural } from '../bench/numbers-in-words.js';
import type { DistillEvaluation } from '../evaluate/distill/distill-result.js';
import { formatBytes } from '../tensor/byte-size.js';
import { type BudgetReport, budgetReport, type Figure, type Finding, keeps } from './budget-report.js';
import type { Budget } from './parse-budget.js';

/** What is known of a student. */
export interface MeasuredStudent {
  readonly name: string;
  readonly evaluation: DistillEvaluation;
  /** Absent where logits were given. */
  readonly cost?:
    | {
        readonly sizeBytes: number;
        readonly parameters: number;
        readonly macs?: number;
        readonly memoryBytes?: number;
        readonly latency?: {
          readonly p50Ms: number;
          readonly ratio?: number;
          readonly ratioLow?: number;
          readonly ratioHigh?: number;
        };
      }
    | undefined;
}

type Judged = Figure & { readonly why: string; readonly verdict?: Finding['verdict'] };

/**
 * Holds a student against budgets. What is measured on samples is judged exactly on the samples given, as for `compare`; a speed-up by
 * its interval. What the output does not have, such as calibration without labels, breaks the budget; what was not measured is
 * inconclusive.
 */
export function judgeStudent(budgets: readonly Budget[], student: MeasuredStudent): BudgetReport[] {
  return budgets.map((budget) => {
    const { why, verdict, ...figure } = JUDGES[budget.metric]?.(student, budget) ?? {
      why: 'it is not measured by this command',
    };
    const { measured } = figure;
    const decided = verdict ?? (measured === undefined ? 'inconclusive' : keeps(measured, budget) ? 'pass' : 'fail');
    return budgetReport(student.name, budget, figure, { verdict: decided, why });
  });
}

const failed = (why: string): Judged => ({ verdict: 'fail', why });
const UNMEASURED: Judged = { why: 'it was not measured' };

const JUDGES: Readonly<Record<string, (student: MeasuredStudent, budget: Budget) => Judged>> = {
  agreement: ({ evaluation }) => agreementOf(evaluation),
  kl: ({ evaluation }, budget) => klOf(evaluation, budget),
  ece: ({ evaluation }) => eceOf(evaluation),
  accuracy: ({ evaluation }) => accuracyOf(evaluation),
  drop: ({ evaluation }) => dropOf(evaluation),
  size: ({ cost }) => (cost ? { measured: cost.sizeBytes, why: formatBytes(cost.sizeBytes) } : UNMEASURED),
  params: ({ cost }) => (cost ? { measured: cost.parameters, why: plural(cost.parameters, 'element') } : UNMEASURED),
  macs: ({ cost }) => (cost?.macs === undefined ? UNMEASURED : { measured: cost.macs, why: count(cost.macs) }),
  memory: ({ cost }) =>
    cost?.memoryBytes === undefined ? UNMEASURED : { measured: cost.memoryBytes, why: formatBytes(cost.memoryBytes) },
  'speed-up': speedUpOf,
};

function agreementOf(evaluation: DistillEvaluation): Judged {
  switch (evaluation.kind) {
    case 'classes': {
      const { value, n, low, high } = evaluation.fidelity.agreement.top1;
      return { measured: value, low, high, why: `the same class in ${count(value * n)} of ${plural(n, 'row')}` };
    }
    case 'top-k': {
      const { value, n, low, high } = evaluation.agreement.top1;
      return { measured: value, low, high, why: `the same class in ${count(value * n)} of ${plural(n, 'row')}` };
    }
    case 'multi-label': {
      const { value, n, low, high } = evaluation.agreement;
      return { measured: value, low, high, why: `the same decision in ${count(value * n)} of ${count(n)}` };
    }
    case 'ctc': {
      const { value, n, low, high } = evaluation.sequences.agreement;
      return { measured: value, low, high, why: `the same sequence in ${count(value * n)} of ${plural(n, 'sample')}` };
    }
    default:
      return failed('the output has no class scores');
  }
}

function klOf(evaluation: DistillEvaluation, budget: Budget): Judged {
  const why = 'mean KL(teacher ‖ student) at temperature 1';
  if (evaluation.kind === 'top-k') {
    const { low, high } = evaluation.kl;
    const [keepsLow, keepsHigh] = [keeps(low, budget), keeps(high, budget)];
    const verdict = keepsLow === keepsHigh ? (keepsLow ? 'pass' : 'fail') : 'inconclusive';
    return { measured: low, low, high, verdict, why: `${why}, within bounds by the ${evaluation.k} best classes` };
  }
  if (evaluation.kind === 'classes') {
    const kl = evaluation.bootstrap?.kl;
    return { measured: klAtOne(evaluation.fidelity), ...(kl ? { low: kl.low, high: kl.high } : {}), why };
  }
  if (evaluation.kind === 'multi-label') return { measured: klAtOne(evaluation), why };
  if (evaluation.kind === 'ctc') return { measured: klAtOne(evaluation.fidelity), why };
  return failed('the output has no class scores');
}

function klAtOne({ temperatures }: { readonly temperatures: readonly { readonly kl: number }[] }): number {
  return temperatures[0]?.kl ?? Number.NaN;
}

const NO_LABELS = 'there are no labels to score';

function eceOf(evaluation: DistillEvaluation): Judged {
  if (evaluation.kind === 'classes') {
    const { labelled, bootstrap, bins } = evaluation;
    if (!labelled) return failed(NO_LABELS);
    const interval = bootstrap?.labelled?.eceStudent;
    const { ece, n } = labelled.student.equalWidth;
    return {
      measured: ece,
      ...(interval ? { low: interval.low, high: interval.high } : {}),
      why: `${bins} bins, n = ${count(n)}`,
    };
  }
  if (evaluation.kind === 'top-k') {
    const { labelled, bins } = evaluation;
    if (!labelled) return failed(NO_LABELS);
    const { ece, n } = labelled.student.equalWidth;
    return { measured: ece, why: `${bins} bins, n = ${count(n)}` };
  }
  if (evaluation.kind === 'multi-label') {
    const { labelled } = evaluation;
    if (!labelled) return failed(NO_LABELS);
    const { ece, n, bins } = labelled.student.calibration;
    return { measured: ece, why: `${bins.length} bins, n = ${count(n)}` };
  }
  return failed('the output has no probabilities');
}

function accuracyOf(evaluation: DistillEvaluation): Judged {
  const share = sharesOf(evaluation);
  if (typeof share === 'string') return failed(share);
  const { value, low, high, n } = share.student;
  return { measured: value, low, high, why: `${share.name}, n = ${count(n)}` };
}

function dropOf(evaluation: DistillEvaluation): Judged {
  const share = sharesOf(evaluation);
  if (typeof share === 'string') return failed(share);
  const { teacher, student, name, low, high } = share;
  const why = `${name} changes from ${teacher.value.toFixed(4)} to ${student.value.toFixed(4)}, n = ${count(student.n)}`;
  // 0.93 less 0.92 is a hundredth, and not a little more.
  const measured = Number((teacher.value - student.value).toFixed(12));
  return low === undefined || high === undefined ? { measured, why } : { measured, low: -high, high: -low, why };
}

/** The share of right answers of both, with the interval of student less teacher. */
function sharesOf(evaluation: DistillEvaluation) {
  switch (evaluation.kind) {
    case 'top-k':
    case 'classes': {
      const { labelled } = evaluation;
      if (!labelled) return NO_LABELS;
      const { teacher, student, top1Difference } = labelled;
      const { low, high } = top1Difference;
      return { name: 'top-1 accuracy', teacher: teacher.top1, student: student.top1, low, high };
    }
    case 'multi-label': {
      const { labelled } = evaluation;
      if (!labelled) return NO_LABELS;
      return { name: 'label accuracy', teacher: labelled.teacher.accuracy, student: labelled.student.accuracy };
    }
    case 'ctc': {
      const { labelled } = evaluation.sequences;
      if (!labelled) return NO_LABELS;
      return { name: 'exact sequence match', teacher: labelled.teacher.exact, student: labelled.student.exact };
    }
    default:
      return 'the output has no share of right answers';
  }
}

function speedUpOf({ cost }: MeasuredStudent, { limit }: Budget): Judged {
  const { latency } = cost ?? {};
  if (latency?.ratio === undefined) return UNMEASURED;
  const { ratio, ratioLow, ratioHigh, p50Ms } = latency;
  const why = `p50 ${amount(p50Ms)} ms`;
  const measured = 1 / ratio;
  if (ratioLow === undefined || ratioHigh === undefined)
    return { measured, verdict: 'inconclusive', why: `${why}; too few runs for an interval` };
  const [low, high] = [1 / ratioHigh, 1 / ratioLow];
  if (low >= limit) return { measured, low, high, verdict: 'pass', why };
  if (high < limit) return { measured, low, high, verdict: 'fail', why };
  return { measured, low, high, verdict: 'inconclusive', why: `${why}; the limit lies within the interval` };
}
