/** What is said of students, on the terminal, in Markdown and in pages. */
import type { ClassesResult, LabelledResult } from '../evaluate/distill/class-result.js';
import type { ConventionLoss } from '../evaluate/distill/conventions.js';
import type { DistillEvaluation, FeatureTerms } from '../evaluate/distill/distill-result.js';
import type { ValueErrors } from '../evaluate/distill/regression.js';
import { type FigureGroup, type FigureRow, row, shareRow } from './distill-figure-rows.js';
import { topKGroups } from './distill-top-k-words.js';
import type { DistillReport } from './distill-types.js';
import { formatCount, formatNumber, formatPercent, plural } from './format.js';

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

function qualityGroup({ bins, bootstrap, fidelity }: ClassesResult, labelled: LabelledResult): FigureGroup {
  const { teacher, student, flips, top1Difference } = labelled;
  const ranges = bootstrap?.labelled;
  const topK = fidelity.topK.k;
  return {
    title: 'Quality',
    rows: [
      shareRow('top-1 accuracy', teacher.top1.value, student.top1.value, top1Difference),
      shareRow(`top-${topK} accuracy`, teacher.topK.value, student.topK.value),
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

/** `cifar.npz, 2,000 samples with labels`. */
export function dataPhrase({ data }: DistillReport): string {
  return `${plural(data.samples, 'sample')} of ${data.name}${data.labelled ? ', with labels' : ', without labels'}`;
}
