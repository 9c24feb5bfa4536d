import { ServeOptError } from '../../errors.js';
import { type ClassSums, type Side, type SoftmaxRows, softmaxRows } from '../../tensor/softmax-rows.js';
import type { Accumulator } from '../accumulator.js';
import { ClasswiseBins, type ClasswiseState } from './classwise-bins.js';
import { closeJensenShannon, closeKl } from './close-rows.js';
import { largestPlaces, sharedPlaces } from './largest-scores.js';
import { RankCorrelation } from './rank-correlation.js';
import type { HeatFigure, RowClass, RowColumns, RowFigure } from './row-columns.js';
import { exactTargetSplit, targetSplit } from './target-split.js';

/** What rows are evaluated for. */
export interface PairOptions {
  /** Classes of a row. */
  readonly width: number;
  /** The first is 1. */
  readonly temperatures: readonly number[];
  /** Classes that count for the agreement of the best; at most `width`. */
  readonly topK: number;
  /** Equal bins of class-wise calibration. */
  readonly bins: number;
  /** Leave SIMD out. */
  readonly plain?: boolean;
}

/** One row of scores of both models. */
export interface PairRow {
  readonly teacher: Float32Array | Float64Array;
  readonly student: Float32Array | Float64Array;
  /** Where the row begins in both. */
  readonly from: number;
  /** The class that is right; below 0 where nothing says. */
  readonly label: number;
  /** Where its figures go in the columns. */
  readonly at: number;
  /** Index in the data, for messages. */
  readonly sample: number;
}

/** What is summed by class over rows; plain data that crosses between threads. */
export interface PairSums {
  readonly rows: number;
  /** For each temperature. */
  readonly classes: readonly ClassSums[];
  readonly classwise: ClasswiseState;
}

const NAMES = ['teacher', 'student'] as const;
/** Stands for a score of minus infinity among finite ones: its exponential is 0. */
const MASKED = -1e100;
/** Divergences below are computed again from terms that do not cancel. */
const CLOSE = 1e-4;

/**
 * All figures of rows of scores of a teacher and a student: divergences at each temperature, confidence, the loss of labels,
 * ranks, agreement. Figures of a row go to its place in the columns, whatever the order of rows; class sums are merged.
 *
 * Scores of minus infinity are masked classes: what both models mask counts nowhere, what only the student masks makes the
 * divergence infinite. A score of plus infinity takes all probability.
 */
export class LogitPairs implements Accumulator<PairRow, PairSums> {
  readonly #options: PairOptions;
  readonly #rows: SoftmaxRows;
  readonly #figures: Readonly<Record<RowFigure, Float64Array>>;
  readonly #heat: readonly Readonly<Record<HeatFigure, Float64Array>>[];
  readonly #classes: Readonly<Record<RowClass, Int32Array>>;
  readonly #ranks: RankCorrelation;
  readonly #best: readonly [Int32Array, Int32Array];
  readonly #classwise: ClasswiseBins;
  readonly #maxima: [number, number] = [0, 0];
  readonly #sums: [number, number] = [0, 0];
  readonly #totals: [number, number] = [0, 0];
  readonly #steps: readonly Step[];
  #merged: ClassSums[];
  #count = 0;

  /** @param columns where the figures of rows go */
  constructor(options: PairOptions, columns: RowColumns) {
    const { width, temperatures, topK, bins } = options;
    this.#options = options;
    this.#rows = softmaxRows(width, temperatures.length, options.plain);
    this.#figures = {
      confidenceTeacher: columns.figure('confidenceTeacher'),
      confidenceStudent: columns.figure('confidenceStudent'),
      nllTeacher: columns.figure('nllTeacher'),
      nllStudent: columns.figure('nllStudent'),
      brierTeacher: columns.figure('brierTeacher'),
      brierStudent: columns.figure('brierStudent'),
      jensenShannon: columns.figure('jensenShannon'),
      totalVariation: columns.figure('totalVariation'),
      logitError: columns.figure('logitError'),
      standardizedError: columns.figure('standardizedError'),
      rankCorrelation: columns.figure('rankCorrelation'),
    };
    this.#heat = temperatures.map((_, i) => ({
      kl: columns.heat(i, 'kl'),
      reverseKl: columns.heat(i, 'reverseKl'),
      entropyTeacher: columns.heat(i, 'entropyTeacher'),
      inter: columns.heat(i, 'inter'),
      targetKl: columns.heat(i, 'targetKl'),
      otherKl: columns.heat(i, 'otherKl'),
    }));
    this.#classes = {
      label: columns.classes('label'),
      predictionTeacher: columns.classes('predictionTeacher'),
      predictionStudent: columns.classes('predictionStudent'),
      rankTeacher: columns.classes('rankTeacher'),
      rankStudent: columns.classes('rankStudent'),
      shared: columns.classes('shared'),
    };
    this.#ranks = new RankCorrelation(width);
    this.#best = [new Int32Array(topK), new Int32Array(topK)];
    this.#classwise = new ClasswiseBins(width, bins);
    this.#merged = [];
    this.#steps = stepsOf(temperatures);
  }

  /** @throws SO4006 naming the model and the sample, for NaN and for rows without a finite score */
  observe({ teacher, student, from, label, at, sample }: PairRow): void {
    const finite = [this.#load(0, teacher, from), this.#load(1, student, from)] as const;
    const masks = finite[0] && finite[1] ? undefined : this.#mask(finite, sample);
    this.#count++;
    this.#compareScores(at, masks);
    this.#predict(at, label);
    for (const step of this.#steps) this.#atTemperature(step, label, at, masks);
  }

  /** Adds what another accumulator of the same options has seen, whose columns are the same memory. */
  merge(other: LogitPairs): void {
    this.mergeSums(other.result());
  }

  /** As `merge`, of what a thread gave back. */
  mergeSums({ rows, classes, classwise }: PairSums): void {
    this.#count += rows;
    this.#merged =
      this.#merged.length === 0
        ? classes.map(copySums)
        : this.#merged.map((own, i) => addSums(own, classes[i] as ClassSums));
    this.#classwise.mergeState(classwise);
  }

  result(): PairSums {
    const own = this.#options.temperatures.map((_, slot) => copySums(this.#rows.classSums(slot)));
    const classes = this.#merged.length === 0 ? own : own.map((sums, i) => addSums(sums, this.#merged[i] as ClassSums));
    return { rows: this.#count, classes, classwise: this.#classwise.state };
  }

  /** Copies a row. @returns whether all of it is finite */
  #load(side: Side, values: Float32Array | Float64Array, from: number): boolean {
    const scores = this.#rows.scores[side];
    let sum = 0;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < scores.length; i++) {
      const value = values[from + i] as number;
      scores[i] = value;
      sum += value;
      if (value > max) max = value;
    }
    this.#maxima[side] = max;
    this.#sums[side] = sum;
    return sum - sum === 0;
  }

  /** Makes both rows finite. @returns which classes each masks */
  #mask(finite: readonly [boolean, boolean], sample: number): Masks {
    const { scores } = this.#rows;
    const masks = scores.map((row, side) => {
      if (finite[side]) return new Uint8Array(row.length);
      if (row.some(Number.isNaN)) throw refused(side as Side, sample, 'has NaN');
      // All that is infinite shares the probability.
      if (this.#maxima[side] === Number.POSITIVE_INFINITY) {
        for (let i = 0; i < row.length; i++)
          row[i] = row[i] === Number.POSITIVE_INFINITY ? 0 : Number.NEGATIVE_INFINITY;
        this.#maxima[side] = 0;
      }
      if (this.#maxima[side] === Number.NEGATIVE_INFINITY) throw refused(side as Side, sample, 'has no finite score');
      return Uint8Array.from(row, (value) => (value === Number.NEGATIVE_INFINITY ? 1 : 0));
    }) as [Uint8Array, Uint8Array];
    for (const [side, row] of scores.entries())
      for (let i = 0; i < row.length; i++) if (masks[side]?.[i]) row[i] = MASKED;
    return masks;
  }

  /** Errors of the scores themselves, which do not depend on a temperature. */
  #compareScores(at: number, masks: Masks | undefined): void {
    const [a, b] = this.#rows.scores;
    const width = a.length;
    this.#figures.rankCorrelation[at] = this.#ranks.of(a, b);
    let [meanA, meanB, count] = [this.#sums[0] / width, this.#sums[1] / width, width];
    if (masks) {
      [meanA, meanB, count] = [0, 0, 0];
      let isOneSided = false;
      for (let i = 0; i < width; i++) {
        if (masks[0][i] !== masks[1][i]) isOneSided = true;
        if (masks[0][i] || masks[1][i]) continue;
        meanA += a[i] as number;
        meanB += b[i] as number;
        count++;
      }
      if (isOneSided) {
        this.#figures.logitError[at] = this.#figures.standardizedError[at] = Number.POSITIVE_INFINITY;
        return;
      }
      meanA /= count;
      meanB /= count;
    }
    let squared = 0;
    let aa = 0;
    let bb = 0;
    let ab = 0;
    const mask = masks?.[0];
    for (let i = 0; i < width; i++) {
      if (mask !== undefined && mask[i] === 1) continue;
      const x = (a[i] as number) - meanA;
      const y = (b[i] as number) - meanB;
      const d = (a[i] as number) - (b[i] as number);
      squared += d * d;
      aa += x * x;
      bb += y * y;
      ab += x * y;
    }
    this.#figures.logitError[at] = squared / count;
    // Both rows with mean 0 and variance 1; a constant row stays 0.
    const error = aa > 0 && bb > 0 ? 2 - (2 * ab) / Math.sqrt(aa * bb) : aa > 0 || bb > 0 ? 1 : 0;
    this.#figures.standardizedError[at] = Math.max(0, error);
  }

  #predict(at: number, label: number): void {
    const { scores } = this.#rows;
    const [teacher, student] = this.#best;
    largestPlaces(scores[0], teacher);
    largestPlaces(scores[1], student);
    const classes = this.#classes;
    classes.label[at] = label;
    classes.predictionTeacher[at] = teacher[0] as number;
    classes.predictionStudent[at] = student[0] as number;
    classes.rankTeacher[at] = label < 0 ? -1 : this.#rows.rankOf(0, label);
    classes.rankStudent[at] = label < 0 ? -1 : this.#rows.rankOf(1, label);
    classes.shared[at] = sharedPlaces(teacher, student);
  }

  #atTemperature({ slot, scale, squarings }: Step, label: number, at: number, masks: Masks | undefined): void {
    const rows = this.#rows;
    const maxima = this.#maxima;
    const totals = this.#totals;
    for (let side = 0 as Side; side < 2; side++)
      totals[side] = squarings > 0 ? rows.square(side, squarings) : rows.exponentiate(side, maxima[side], scale);
    rows.addToClasses(slot, totals);
    if (slot === 0) this.#atOne(totals, label, at, masks);
    const { forward, reverse, own, square0, square1, product } = rows.divergences(totals, maxima);
    if (slot === 0) {
      this.#figures.brierTeacher[at] = this.#brier(0, square0, totals[0], label);
      this.#figures.brierStudent[at] = this.#brier(1, square1, totals[1], label);
    }
    const logTeacher = Math.log(totals[0]);
    const shift = logTeacher - Math.log(totals[1]);
    const heat = this.#heat[slot] as Readonly<Record<HeatFigure, Float64Array>>;
    let kl = scale * forward - shift;
    let reverseKl = shift - scale * reverse;
    if (masks) {
      if (masksAny(masks[1], masks[0], rows.exponentials[0])) kl = Number.POSITIVE_INFINITY;
      if (masksAny(masks[0], masks[1], rows.exponentials[1])) reverseKl = Number.POSITIVE_INFINITY;
    } else if (kl < CLOSE || reverseKl < CLOSE) {
      [kl, reverseKl] = closeKl(rows, totals, maxima, scale, shift);
    }
    heat.kl[at] = Math.max(0, kl);
    heat.reverseKl[at] = Math.max(0, reverseKl);
    heat.entropyTeacher[at] = Math.max(0, logTeacher - scale * own);
    // Pearson's correlation of the probabilities; 0 for those of a row without variance.
    heat.inter[at] = square0 > 0 && square1 > 0 ? product / Math.sqrt(square0 * square1) : 0;
    const [target, other] =
      label < 0
        ? [0, 0]
        : masks
          ? exactTargetSplit(rows, label, scale, masks)
          : (targetSplit(rows, totals, maxima, scale, label, forward) ??
            exactTargetSplit(rows, label, scale, undefined));
    heat.targetKl[at] = target;
    heat.otherKl[at] = other;
  }

  /** Σ p² - 2·p(label) + 1, which is Σ (p - 1 at the label)². */
  #brier(side: Side, square: number, total: number, label: number): number {
    if (label < 0) return 0;
    const p = (this.#rows.exponentials[side][label] as number) / total;
    const { width } = this.#options;
    return Math.max(0, square + 1 / width - 2 * p + 1);
  }

  /** What is told of probabilities at temperature 1. */
  #atOne(totals: readonly [number, number], label: number, at: number, masks: Masks | undefined): void {
    const rows = this.#rows;
    const figures = this.#figures;
    const nll = (side: Side): number => {
      if (label < 0) return 0;
      if (masks?.[side][label]) return Number.POSITIVE_INFINITY;
      return Math.log(totals[side]) + this.#maxima[side] - (rows.scores[side][label] as number);
    };
    figures.confidenceTeacher[at] = 1 / totals[0];
    figures.confidenceStudent[at] = 1 / totals[1];
    figures.nllTeacher[at] = nll(0);
    figures.nllStudent[at] = nll(1);
    const [distance, entropy] = rows.mixture(totals);
    figures.totalVariation[at] = Math.min(1, distance / 2);
    figures.jensenShannon[at] = this.#jensenShannon(totals, entropy);
    this.#classwise.observe({ rows, totals, label });
  }

  /** The entropy of the mixture less the mean of the entropies. */
  #jensenShannon(totals: readonly [number, number], mixture: number): number {
    const entropy = (side: Side): number =>
      Math.log(totals[side]) - this.#rows.moments(side, this.#maxima[side])[0] / totals[side];
    const value = -mixture - (entropy(0) + entropy(1)) / 2;
    return value < CLOSE ? closeJensenShannon(this.#rows, totals) : Math.min(Math.LN2, value);
  }
}

/** One temperature, and how its exponentials come from those of the step before. */
interface Step {
  readonly slot: number;
  readonly scale: number;
  /** Times that what is there is squared; 0 where it is computed from the scores. */
  readonly squarings: number;
}

/** Each squaring doubles the rounding error of an exponential. */
const MOST_SQUARINGS = 4;

/** Hot ones first: the exponentials at half the temperature are squares. */
function stepsOf(temperatures: readonly number[]): readonly Step[] {
  const hotFirst = temperatures
    .map((temperature, slot) => ({ temperature, slot }))
    .sort((a, b) => b.temperature - a.temperature);
  return hotFirst.map(({ temperature, slot }, i) => {
    const times = Math.log2((hotFirst[i - 1]?.temperature ?? Number.NaN) / temperature);
    const isSquare = Number.isInteger(times) && times > 0 && times <= MOST_SQUARINGS;
    return { slot, scale: 1 / temperature, squarings: isSquare ? times : 0 };
  });
}

type Masks = readonly [Uint8Array, Uint8Array];

/** Whether one model masks a class that the other gives some probability. */
function masksAny(mask: Uint8Array, other: Uint8Array, exponentials: Float64Array): boolean {
  return mask.some((masked, i) => masked === 1 && other[i] === 0 && (exponentials[i] as number) > 0);
}

function copySums({ a, b, aa, bb, ab }: ClassSums): ClassSums {
  return { a: a.slice(), b: b.slice(), aa: aa.slice(), bb: bb.slice(), ab: ab.slice() };
}

function addSums(x: ClassSums, y: ClassSums): ClassSums {
  const add = (u: Float64Array, v: Float64Array): Float64Array => u.map((value, i) => value + (v[i] as number));
  return { a: add(x.a, y.a), b: add(x.b, y.b), aa: add(x.aa, y.aa), bb: add(x.bb, y.bb), ab: add(x.ab, y.ab) };
}

function refused(side: Side, sample: number, what: string): ServeOptError {
  return new ServeOptError('SO4006', `The ${NAMES[side]} ${what} for sample ${sample}`, {
    hint: 'remove this sample, or mask classes with -Infinity instead of NaN',
  });
}
