/** What is said of students, on the terminal, in Markdown and in pages. */
import type { ClassesResult, LabelledResult } from '../evaluate/distill/class-result.js';
import type { ConventionLoss } from '../evaluate/distill/conventions.js';
import type { DistillEvaluation, FeatureTerms } from '../evaluate/distill/distill-result.js';
import type { ValueErrors } from '../evaluate/distill/regression.js';
import { formatLatency } from './bench-format.js';
import { type FigureGroup, type FigureRow, row, shareRow } from './distill-figure-rows.js';
import { boundsText, topKGroups } from './distill-top-k-words.js';
import type { DistillReport, DistillStudent, DistillSubject } from './distill-types.js';
import { formatBytes, formatCount, formatNumber, formatPercent, plural } from './format.js';

const DASH = '–';

/** All groups of figures of a student. */
export function figureGroups(evaluation: DistillEvaluation): readonly FigureGroup[] {
  switch (evaluation.kind) {
    case 'classes':
      return [
        ...(evaluation.labelled ? [qualityGroup(evaluation, evaluation.labelled)] : []),
        fidelityGroup(evaluation),
        lossGroup(evaluation.losses),
      ];
    case 'top-k':
      return topKGroups(evaluation);
    case 'ctc': {
      const { sequences, fidelity } = evaluation;
      const { labelled } = sequences;
      return [
        ...(labelled
          ? [
              {
                title: 'Quality',
                rows: [
                  shareRow('exact sequence match', labelled.teacher.exact.value, labelled.student.exact.value),
                  row(
                    'symbol error rate',
                    formatPercent(labelled.teacher.errorRate),
                    formatPercent(labelled.student.errorRate),
                  ),
                  plainRow('CTC loss', labelled.teacher.ctcLoss, labelled.student.ctcLoss),
                  row('McNemar p', DASH, formatNumber(labelled.flips.mcnemarP)),
                ],
              },
            ]
          : []),
        {
          title: 'Fidelity',
          rows: [
            row('same sequence', DASH, formatPercent(sequences.agreement.value)),
            row('edits per symbol of the teacher', DASH, formatPercent(sequences.editRate)),
            row('same class a step', DASH, formatPercent(fidelity.agreement.top1.value)),
            row('KL a step', DASH, nats(fidelity.temperatures[0]?.kl)),
          ],
        },
        lossGroup(evaluation.losses),
      ];
    }
    case 'multi-label': {
      const { labelled, agreement, exactAgreement, temperatures } = evaluation;
      return [
        ...(labelled
          ? [
              {
                title: 'Quality',
                rows: [
                  ...(labelled.teacher.auc !== undefined && labelled.student.auc !== undefined
                    ? [plainRow('ROC AUC', labelled.teacher.auc, labelled.student.auc)]
                    : []),
                  shareRow('label accuracy', labelled.teacher.accuracy.value, labelled.student.accuracy.value),
                  shareRow('micro F1', labelled.teacher.microF1, labelled.student.microF1),
                  shareRow('macro F1', labelled.teacher.macroF1, labelled.student.macroF1),
                  plainRow('binary cross-entropy', labelled.teacher.bce, labelled.student.bce),
                  plainRow('Brier score', labelled.teacher.brier, labelled.student.brier),
                  shareRow('ECE', labelled.teacher.calibration.ece, labelled.student.calibration.ece),
                ],
              },
            ]
          : []),
        {
          title: 'Fidelity',
          rows: [
            row('same decision', DASH, formatPercent(agreement.value)),
            row('all decisions of a sample', DASH, formatPercent(exactAgreement.value)),
            row('logit MSE', DASH, formatNumber(evaluation.logitMse)),
            ...temperatures.map(({ temperature, scaledKl }) =>
              row(`T² · KL at T = ${temperature}`, DASH, nats(scaledKl)),
            ),
          ],
        },
        lossGroup(evaluation.losses ?? []),
      ];
    }
    case 'regression': {
      const { labelled, fidelity } = evaluation;
      return [
        ...(labelled ? [{ title: 'Quality', rows: errorRows(labelled.student, labelled.teacher) }] : []),
        { title: 'Fidelity', rows: errorRows(fidelity) },
        {
          title: 'Loss',
          rows: (evaluation.losses ?? []).map(({ alpha, soft, total }) =>
            row(`squared error, α = ${alpha}`, DASH, formatNumber(total, 4), `soft ${formatNumber(soft)}`),
          ),
        },
      ];
    }
    case 'embedding':
      return [{ title: 'Fidelity', rows: featureRows(evaluation.terms) }];
  }
}

function plainRow(name: string, teacher: number, student: number): FigureRow {
  const difference = student - teacher;
  return row(
    name,
    formatNumber(teacher),
    formatNumber(student),
    // Both may be infinite.
    Number.isNaN(difference) ? '' : `${difference > 0 ? '+' : ''}${formatNumber(difference)}`,
  );
}

function nats(value: number | undefined): string {
  return value === undefined ? DASH : formatNumber(value);
}

function qualityGroup({ bins, bootstrap }: ClassesResult, labelled: LabelledResult): FigureGroup {
  const { teacher, student, flips, top1Difference } = labelled;
  const ranges = bootstrap?.labelled;
  return {
    title: 'Quality',
    rows: [
      shareRow('top-1 accuracy', teacher.top1.value, student.top1.value, top1Difference),
      shareRow('top-k accuracy', teacher.topK.value, student.topK.value),
      shareRow('macro F1', teacher.f1.macro, student.f1.macro),
      plainRow('NLL', teacher.nll, student.nll),
      plainRow('Brier score', teacher.brier, student.brier),
      shareRow(`ECE, ${bins} bins`, teacher.equalWidth.ece, student.equalWidth.ece, ranges?.eceDifference),
      shareRow('ECE, equal mass', teacher.equalMass.ece, student.equalMass.ece),
      shareRow('ECE, class-wise', teacher.classwiseEce, student.classwiseEce),
      shareRow('largest gap of a bin', teacher.equalWidth.mce, student.equalWidth.mce),
      ...(teacher.fitted && student.fitted
        ? [
            plainRow('fitted temperature', teacher.fitted.temperature, student.fitted.temperature),
            shareRow('ECE at it', teacher.fitted.ece, student.fitted.ece),
          ]
        : []),
      row('right → wrong', DASH, formatCount(flips.lost)),
      row('wrong → right', DASH, formatCount(flips.gained)),
      row('McNemar p', DASH, formatNumber(flips.mcnemarP)),
    ],
  };
}

function fidelityGroup({ fidelity, bootstrap }: ClassesResult): FigureGroup {
  const { agreement, topK, temperatures } = fidelity;
  const [first] = temperatures;
  const range = (
    interval: { readonly low: number; readonly high: number } | undefined,
    format: (value: number) => string,
  ): string => (interval ? `95 %: ${format(interval.low)}–${format(interval.high)}` : '');
  return {
    title: 'Fidelity',
    rows: [
      row('agreement', DASH, formatPercent(agreement.top1.value), range(agreement.top1, formatPercent)),
      row(`top-${topK.k} overlap`, DASH, formatPercent(topK.overlap)),
      row("Cohen's kappa", DASH, formatNumber(agreement.kappa)),
      row(
        'KL',
        DASH,
        nats(first?.kl),
        range(bootstrap?.kl, (value) => formatNumber(value)),
      ),
      row('reverse KL', DASH, nats(first?.reverseKl)),
      row('Jensen-Shannon', DASH, formatNumber(fidelity.jensenShannon)),
      row('total variation', DASH, formatNumber(fidelity.totalVariation)),
      row(
        'rank correlation',
        DASH,
        fidelity.rankCorrelation === undefined ? DASH : formatNumber(fidelity.rankCorrelation),
      ),
      row('logit MSE', DASH, formatNumber(fidelity.logitMse)),
      row('logit MSE, standardized', DASH, formatNumber(fidelity.standardizedLogitMse)),
      row('DIST between classes', DASH, nats(first?.distInter)),
      row('DIST within a class', DASH, nats(first?.distIntra)),
      ...(first?.dkdTarget === undefined ? [] : [row('DKD target', DASH, nats(first.dkdTarget))]),
      ...(first?.dkdOthers === undefined ? [] : [row('DKD others', DASH, nats(first.dkdOthers))]),
    ],
  };
}

function lossGroup(losses: readonly ConventionLoss[]): FigureGroup {
  return {
    title: 'Loss',
    rows: losses.map(({ convention, alpha, temperature, soft, total, softFactor }) =>
      row(
        `${convention === 'standard' ? '' : `${convention}, `}T = ${temperature}, α = ${alpha}`,
        DASH,
        formatNumber(total, 4),
        convention === 'standard'
          ? `soft ${formatNumber(soft)}`
          : `soft ${formatNumber(soft)}, ×${formatNumber(softFactor)}`,
      ),
    ),
  };
}

function errorRows(errors: ValueErrors, teacher?: ValueErrors): readonly FigureRow[] {
  const names = [
    ['RMSE', 'rmse'],
    ['MAE', 'mae'],
    ['largest error', 'maxAbs'],
    ['R²', 'r2'],
    ['correlation', 'correlation'],
  ] as const;
  return names.map(([name, key]) =>
    teacher ? plainRow(name, teacher[key], errors[key]) : row(name, DASH, formatNumber(errors[key])),
  );
}

/** The terms of a pair of features. */
export function featureRows({
  errors,
  attentionTransfer,
  attention,
  similarity,
  relations,
  ridge,
  fsp,
}: FeatureTerms): readonly FigureRow[] {
  const of = (name: string, value: number | undefined): FigureRow[] =>
    value === undefined ? [] : [row(name, DASH, formatNumber(value))];
  return [
    ...of('MSE', errors?.mse),
    ...of('normalized MSE', errors?.normalizedMse),
    ...of('1 − cosine', errors?.cosineDistance),
    ...of('unit MSE (PKD)', errors?.unitMse),
    ...of('SQNR, dB', errors?.sqnrDb),
    ...of('linear CKA', similarity?.cka),
    ...of('debiased CKA', similarity?.debiasedCka),
    ...of('attention transfer, paper', attentionTransfer?.paper),
    ...of('attention transfer, code', attentionTransfer?.code),
    ...of('attention map MSE', attention?.mse),
    ...of('attention map KL', attention?.kl),
    ...of('FSP', fsp),
    ...of('RKD distance', relations?.rkdDistance),
    ...of('RKD angle', relations?.rkdAngle),
    ...of('SPKD', relations?.similarityPreserving),
    ...of('ridge-projected MSE', ridge?.mse),
    ...of('share of variance left', ridge?.share),
  ];
}

/** The number that students are ranked by, in its own form. */
export function qualityText({ name, value }: DistillStudent['quality']): string {
  return /accuracy|agreement|match|F1/.test(name) ? formatPercent(value) : formatNumber(value, 4);
}

/** `1st of 3`: a row of the ranking: rank, name, quality, agreement, KL, size, latency, parameters, front. */
export interface RankingRow {
  readonly rank: string;
  readonly name: string;
  readonly quality: string;
  readonly agreement: string;
  readonly kl: string;
  readonly ece: string;
  readonly size: string;
  readonly latency: string;
  readonly isOnFront: boolean;
}

/** The teacher, then the students. */
export function rankingRows({ teacher, students }: DistillReport): readonly RankingRow[] {
  const [first] = students;
  const cost = (subject: DistillSubject): { readonly size: string; readonly latency: string } => ({
    size: subject.cost ? formatBytes(subject.cost.sizeBytes) : DASH,
    latency: subject.cost?.latency ? formatLatency(subject.cost.latency.p50Ms) : DASH,
  });
  const ofTeacher: RankingRow = {
    rank: '',
    name: `${teacher.name} (teacher)`,
    quality: first && teacher.quality !== undefined ? qualityText({ ...first.quality, value: teacher.quality }) : DASH,
    agreement: DASH,
    kl: DASH,
    ece: first ? eceText(first.evaluation, 'teacher') : DASH,
    ...cost(teacher),
    isOnFront: false,
  };
  return [
    ofTeacher,
    ...students.map(
      (student): RankingRow => ({
        rank: String(student.rank),
        name: student.name,
        quality: qualityText(student.quality),
        agreement: agreementText(student.evaluation),
        kl: klText(student.evaluation),
        ece: eceText(student.evaluation, 'student'),
        ...cost(student),
        isOnFront: student.pareto,
      }),
    ),
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
      return nats(evaluation.fidelity.temperatures[0]?.kl);
    case 'multi-label':
      return nats(evaluation.temperatures[0]?.kl);
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

/** `cifar.npz, 2,000 samples with labels`. */
export function dataPhrase({ data }: DistillReport): string {
  return `${plural(data.samples, 'sample')} of ${data.name}${data.labelled ? ', with labels' : ', without labels'}`;
}
