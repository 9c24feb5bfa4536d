import type { ClassSums } from '../../tensor/softmax-rows.js';
import { Agreement } from '../agreement.js';
import { ExactSum, exactMean } from '../exact-sum.js';
import { Flips, type FlipsResult } from '../flips.js';
import { type Proportion, pairedDifference, proportion } from '../proportion.js';
import type { Interval } from './bootstrap.js';
import { EqualMassCalibration, EqualWidthCalibration, type ReliabilityResult } from './calibration.js';
import { ClassCounts, type ClassCountsResult } from './class-counts.js';
import { ClasswiseBins } from './classwise-bins.js';
import { type AgreementResult, ConfidenceDeciles } from './confidence-deciles.js';
import type { ConventionLoss } from './conventions.js';
import type { PairSums } from './logit-pairs.js';
import type { RowColumns } from './row-columns.js';

/** Divergences at one temperature, means over rows, in nats. */
export interface HeatResult {
  readonly temperature: number;
  /** KL(teacher ‖ student), without the factor T². */
  readonly kl: number;
  readonly reverseKl: number;
  /** T² · KL. */
  readonly scaledKl: number;
  readonly teacherEntropy: number;
  /** 1 - Pearson's correlation of the probabilities of a row, mean over rows. */
  readonly distInter: number;
  /** 1 - Pearson's correlation of the probabilities of a class over all rows, mean over classes. */
  readonly distIntra: number;
  /** Of labelled rows: KL of the label against all others, and among the others. */
  readonly dkdTarget?: number;
  readonly dkdOthers?: number;
}

/** What scores tell of two models, labels or not. */
export interface FidelityResult {
  readonly rows: number;
  readonly agreement: AgreementResult;
  /** Mean share of the best `topK` classes that both models have. */
  readonly topK: { readonly k: number; readonly overlap: number };
  readonly jensenShannon: number;
  readonly totalVariation: number;
  /** Mean of (z_teacher - z_student)² over classes and rows. */
  readonly logitMse: number;
  /** The same of rows brought to mean 0 and variance 1. */
  readonly standardizedLogitMse: number;
  /** Spearman's, mean over rows; absent where some row has but one value. */
  readonly rankCorrelation?: number;
  /** The first is at temperature 1. */
  readonly temperatures: readonly HeatResult[];
}

/** How well one model predicts the labels. */
export interface QualityResult {
  readonly top1: Proportion;
  readonly topK: Proportion;
  readonly f1: { readonly macro: number; readonly micro: number; readonly weighted: number };
  readonly nll: number;
  /** Mean of Σ (p - 1 at the label)² over classes: from 0 to 2. */
  readonly brier: number;
  readonly equalWidth: ReliabilityResult;
  readonly equalMass: ReliabilityResult;
  readonly classwiseEce: number;
  /** The temperature with the least loss of labels, and the calibration at it. */
  readonly fitted?: {
    readonly temperature: number;
    readonly isAtBound: boolean;
    readonly nll: number;
    readonly ece: number;
  };
}

/** A row that one model has right and the other has not. */
export interface FlippedRow {
  readonly sample: number;
  /** Index of the token, for sequences. */
  readonly position?: number;
  readonly label: number;
  readonly teacher: number;
  readonly student: number;
}

/** What labels tell of both models. */
export interface LabelledResult {
  readonly rows: number;
  readonly teacher: QualityResult;
  readonly student: QualityResult;
  /** Student less teacher, with the 95 % interval of the pairs. */
  readonly top1Difference: Interval;
  readonly flips: FlipsResult;
  /** The first of each kind, in the order of the data. */
  readonly flipped: { readonly lost: readonly FlippedRow[]; readonly gained: readonly FlippedRow[] };
  readonly byClass: ClassCountsResult;
}

/** Percentile bootstrap intervals of paired resamples of the rows. */
export interface BootstrapResult {
  readonly resamples: number;
  readonly seed: number;
  readonly agreement: Interval;
  readonly kl: Interval;
  /** Of labelled rows; differences are student less teacher. */
  readonly labelled?: {
    readonly top1Teacher: Interval;
    readonly top1Student: Interval;
    readonly top1Difference: Interval;
    readonly nllDifference: Interval;
    readonly brierDifference: Interval;
    readonly eceTeacher: Interval;
    readonly eceStudent: Interval;
    readonly eceDifference: Interval;
  };
}

/** Scores of classes of a teacher and a student, compared. */
export interface ClassesResult {
  readonly kind: 'classes';
  readonly classes: number;
  readonly bins: number;
  readonly fidelity: FidelityResult;
  readonly labelled?: LabelledResult;
  /** For each convention, temperature and alpha. */
  readonly losses: readonly ConventionLoss[];
  readonly bootstrap?: BootstrapResult;
}

/** Flipped rows that a report names. */
export const MOST_FLIPPED = 50;

/** How rows are numbered: of sequences, the sample and the token of each. */
export interface RowNumbers {
  /** Index in the data of a row, over all tokens; absent where rows are numbered from 0. */
  readonly places: Int32Array | undefined;
  /** Rows of a sample. */
  readonly perSample: number;
}

/** What of the columns needs no labels. */
export function fidelityResult(
  columns: RowColumns,
  sums: PairSums,
  temperatures: readonly number[],
  topK: number,
): FidelityResult {
  const [teacher, student] = [columns.classes('predictionTeacher'), columns.classes('predictionStudent')];
  const confidence = columns.figure('confidenceTeacher');
  const agreement = new Agreement();
  const deciles = new ConfidenceDeciles();
  for (let row = 0; row < columns.rows; row++) {
    const [a, b] = [teacher[row] as number, student[row] as number];
    agreement.observe({ a, b });
    deciles.observe({ confidence: confidence[row] as number, same: a === b });
  }
  const rankCorrelation = exactMean(columns.figure('rankCorrelation'));
  return {
    rows: columns.rows,
    agreement: { ...agreement.result(), deciles: deciles.result() },
    topK: { k: topK, overlap: exactMean(columns.classes('shared')) / topK },
    jensenShannon: exactMean(columns.figure('jensenShannon')),
    totalVariation: exactMean(columns.figure('totalVariation')),
    logitMse: exactMean(columns.figure('logitError')),
    standardizedLogitMse: exactMean(columns.figure('standardizedError')),
    ...(Number.isNaN(rankCorrelation) ? {} : { rankCorrelation }),
    temperatures: temperatures.map((temperature, i) => heatResult(columns, sums, i, temperature)),
  };
}

function heatResult(columns: RowColumns, sums: PairSums, index: number, temperature: number): HeatResult {
  const kl = exactMean(columns.heat(index, 'kl'));
  const labels = columns.classes('label');
  const labelled = (values: Float64Array): number => exactMean(values.filter((_, row) => (labels[row] as number) >= 0));
  const target = labelled(columns.heat(index, 'targetKl'));
  return {
    temperature,
    kl,
    reverseKl: exactMean(columns.heat(index, 'reverseKl')),
    scaledKl: temperature ** 2 * kl,
    teacherEntropy: exactMean(columns.heat(index, 'entropyTeacher')),
    distInter: 1 - exactMean(columns.heat(index, 'inter')),
    distIntra: 1 - classCorrelation(sums.classes[index] as ClassSums, sums.rows),
    ...(Number.isNaN(target) ? {} : { dkdTarget: target, dkdOthers: labelled(columns.heat(index, 'otherKl')) }),
  };
}

/** Pearson's correlation over rows of the probabilities of each class, mean over classes; 0 for a class without variance. */
function classCorrelation({ a, b, aa, bb, ab }: ClassSums, rows: number): number {
  const mean = new ExactSum();
  for (let i = 0; i < a.length; i++) {
    const [sumA, sumB] = [a[i] as number, b[i] as number];
    const [squareA, squareB] = [aa[i] as number, bb[i] as number];
    const varianceA = squareA - (sumA * sumA) / rows;
    const varianceB = squareB - (sumB * sumB) / rows;
    // What is left by rounding of a class with one value throughout is no variance.
    if (varianceA <= squareA * 1e-13 || varianceB <= squareB * 1e-13) continue;
    mean.add(((ab[i] as number) - (sumA * sumB) / rows) / Math.sqrt(varianceA * varianceB));
  }
  return mean.value / a.length;
}

/** What labels tell; undefined where no row has one. @param fitted of each model, with the confidence of each row at its temperature */
export function labelledResult(
  columns: RowColumns,
  sums: PairSums,
  options: { readonly bins: number; readonly topK: number; readonly width: number; readonly numbers: RowNumbers },
): LabelledResult | undefined {
  const { bins, topK, width, numbers } = options;
  const labels = columns.classes('label');
  const [rankT, rankS] = [columns.classes('rankTeacher'), columns.classes('rankStudent')];
  const [teacher, student] = [columns.classes('predictionTeacher'), columns.classes('predictionStudent')];
  const flips = new Flips();
  const counts = new ClassCounts();
  const lost: FlippedRow[] = [];
  const gained: FlippedRow[] = [];
  let n = 0;
  for (let row = 0; row < columns.rows; row++) {
    const label = labels[row] as number;
    if (label < 0) continue;
    n++;
    const right = { teacher: rankT[row] === 0, student: rankS[row] === 0 };
    const predicted = { teacher: teacher[row] as number, student: student[row] as number };
    flips.observe(right);
    counts.observe({ label, ...predicted });
    if (right.teacher === right.student) continue;
    const list = right.teacher ? lost : gained;
    if (list.length < MOST_FLIPPED) list.push({ ...numberOf(row, numbers), label, ...predicted });
  }
  if (n === 0) return undefined;
  const classwise = new ClasswiseBins(width, bins);
  classwise.mergeState(sums.classwise);
  const [classwiseTeacher, classwiseStudent] = classwise.result();
  const byClass = counts.result();
  const flipped = flips.result();
  const { low, high } = pairedDifference(flipped.gained, flipped.lost, n);
  const quality = (side: 'Teacher' | 'Student', classwiseEce: number): QualityResult =>
    qualityOf(columns, side, bins, topK, classwiseEce, byClass.f1[side === 'Teacher' ? 0 : 1]);
  return {
    rows: n,
    teacher: quality('Teacher', classwiseTeacher),
    student: quality('Student', classwiseStudent),
    top1Difference: { value: (flipped.gained - flipped.lost) / n, low, high },
    flips: flipped,
    flipped: { lost, gained },
    byClass,
  };
}

function numberOf(
  row: number,
  { places, perSample }: RowNumbers,
): { readonly sample: number; readonly position?: number } {
  const place = places?.[row] ?? row;
  return perSample === 1 ? { sample: place } : { sample: Math.floor(place / perSample), position: place % perSample };
}

function qualityOf(
  columns: RowColumns,
  side: 'Teacher' | 'Student',
  bins: number,
  topK: number,
  classwiseEce: number,
  f1: QualityResult['f1'],
): QualityResult {
  const labels = columns.classes('label');
  const ranks = columns.classes(`rank${side}`);
  const confidence = columns.figure(`confidence${side}`);
  const [nll, brier] = [new ExactSum(), new ExactSum()];
  const [losses, squares] = [columns.figure(`nll${side}`), columns.figure(`brier${side}`)];
  const [equalWidth, equalMass] = [new EqualWidthCalibration(bins), new EqualMassCalibration(bins)];
  let [n, first, among] = [0, 0, 0];
  for (let row = 0; row < columns.rows; row++) {
    if ((labels[row] as number) < 0) continue;
    n++;
    const rank = ranks[row] as number;
    if (rank === 0) first++;
    if (rank < topK) among++;
    nll.add(losses[row] as number);
    brier.add(squares[row] as number);
    const prediction = { confidence: confidence[row] as number, correct: rank === 0 };
    equalWidth.observe(prediction);
    equalMass.observe(prediction);
  }
  return {
    top1: proportion(first, n),
    topK: proportion(among, n),
    f1,
    nll: nll.value / n,
    brier: brier.value / n,
    equalWidth: equalWidth.result(),
    equalMass: equalMass.result(),
    classwiseEce,
  };
}
