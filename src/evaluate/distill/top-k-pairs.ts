import { ServeOptError } from '../../errors.js';
import type { Accumulator } from '../accumulator.js';
import { Agreement } from '../agreement.js';
import { ExactSum } from '../exact-sum.js';
import { Flips, type FlipsResult } from '../flips.js';
import { type Proportion, pairedDifference, proportion } from '../proportion.js';
import type { Interval } from './bootstrap.js';
import { EqualWidthCalibration, type ReliabilityResult } from './calibration.js';
import { ClassCounts, type ClassCountsResult } from './class-counts.js';
import { type AgreementResult, ConfidenceDeciles } from './confidence-deciles.js';
import { largestPlaces } from './largest-scores.js';

/** The best classes of the teacher for one row, and all scores of the student. */
export interface TopKRow {
  /** Classes in falling order of their probability, from `from` times k on. */
  readonly ids: ArrayLike<number>;
  /** ln of their probabilities at temperature 1, and ln of what all others have together: k + 1 numbers a row. */
  readonly logs: ArrayLike<number>;
  /** Index of the row in `ids` and `logs`. */
  readonly row: number;
  readonly student: ArrayLike<number>;
  /** Where the row begins in `student`. */
  readonly studentFrom: number;
  /** The class that is right; below 0 where nothing says. */
  readonly label: number;
  readonly sample: number;
}

/** A figure that is known within bounds. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** How well the labels are predicted. Of the teacher, only what its best classes say. */
export interface TopKQuality {
  readonly top1: Proportion;
  readonly topK: Proportion;
  readonly equalWidth: ReliabilityResult;
  /** Of the student. */
  readonly nll?: number;
}

/** alpha · CE of the student + (1 - alpha) · KL at temperature 1, within the bounds of KL. */
export interface TopKLoss extends Bounds {
  readonly alpha: number;
}

/** What the best classes of the teacher tell of a student. */
export interface TopKResult {
  readonly kind: 'top-k';
  readonly classes: number;
  /** Classes of the teacher that were kept. */
  readonly k: number;
  readonly rows: number;
  readonly bins: number;
  /** Mean probability of the classes that were not kept. */
  readonly tailMass: number;
  readonly agreement: AgreementResult;
  /** Mean share of the best classes that both models have. */
  readonly topK: { readonly k: number; readonly overlap: number };
  /** KL(teacher ‖ student) at temperature 1: all figures of the whole lie within. */
  readonly kl: Bounds;
  readonly totalVariation: Bounds;
  readonly labelled?: {
    readonly teacher: TopKQuality;
    readonly student: TopKQuality;
    readonly top1Difference: Interval;
    readonly flips: FlipsResult;
    readonly byClass: ClassCountsResult;
  };
  readonly losses?: readonly TopKLoss[];
}

class Side {
  readonly calibration: EqualWidthCalibration;
  first = 0;
  among = 0;

  constructor(bins: number) {
    this.calibration = new EqualWidthCalibration(bins);
  }

  add(confidence: number, rank: number, topK: number): void {
    if (rank === 0) this.first++;
    if (rank < topK) this.among++;
    this.calibration.observe({ confidence, correct: rank === 0 });
  }

  merge(other: Side): void {
    this.calibration.merge(other.calibration);
    this.first += other.first;
    this.among += other.among;
  }

  result(n: number): TopKQuality {
    return {
      top1: proportion(this.first, n),
      topK: proportion(this.among, n),
      equalWidth: this.calibration.result(),
    };
  }
}

/**
 * Compares a student with the best classes of a teacher and the mass of its tail. Over these k + 1 cells the divergence is a lower
 * bound of that over all classes. What is missing is P · KL of the tails, P being the mass of the teacher's: at most P · (ln min(1, p/P) +
 * ln(Q/q)), with p the least probability that was kept, Q the mass of the student's tail and q the least probability in it.
 */
export class TopKPairs implements Accumulator<TopKRow, TopKResult> {
  readonly #classes: number;
  readonly #k: number;
  readonly #topK: number;
  readonly #bins: number;
  readonly #kept: Uint8Array;
  readonly #row: Float64Array;
  readonly #best: Int32Array;
  readonly #agreement = new Agreement();
  readonly #deciles = new ConfidenceDeciles();
  readonly #flips = new Flips();
  readonly #counts = new ClassCounts();
  readonly #teacher: Side;
  readonly #student: Side;
  readonly #sums = {
    tail: new ExactSum(),
    klLow: new ExactSum(),
    klHigh: new ExactSum(),
    distanceLow: new ExactSum(),
    distanceHigh: new ExactSum(),
    nll: new ExactSum(),
  };
  #rows = 0;
  #shared = 0;
  #labelled = 0;

  constructor(options: { readonly classes: number; readonly k: number; readonly topK: number; readonly bins: number }) {
    const { classes, k, topK, bins } = options;
    this.#classes = classes;
    this.#k = k;
    this.#topK = Math.min(topK, k);
    this.#bins = bins;
    this.#kept = new Uint8Array(classes);
    this.#row = new Float64Array(classes);
    this.#best = new Int32Array(this.#topK);
    this.#teacher = new Side(bins);
    this.#student = new Side(bins);
  }

  /** @throws SO4006 naming the sample, for NaN of the student and for rows without a finite score */
  observe({ ids, logs, row, student, studentFrom, label, sample }: TopKRow): void {
    const [k, topK] = [this.#k, this.#topK];
    const [from, logsFrom] = [row * k, row * (k + 1)];
    const total = this.#load(student, studentFrom, sample);
    const scores = this.#row;
    let [kl, distance] = [0, 0];
    for (let i = 0; i < k; i++) {
      const [id, logP] = [ids[from + i] as number, logs[logsFrom + i] as number];
      this.#kept[id] = 1;
      const logQ = (scores[id] as number) - total;
      const p = Math.exp(logP);
      if (p > 0) kl += p * (logP - logQ);
      distance += Math.abs(p - Math.exp(logQ));
    }
    const [mass, least] = this.#tail(total);
    for (let i = 0; i < k; i++) this.#kept[ids[from + i] as number] = 0;
    const logTail = logs[logsFrom + k] as number;
    const tail = Math.exp(logTail);
    let gap = 0;
    if (tail > 0) {
      kl += tail * (logTail - Math.log(mass));
      const spread = Math.min(0, (logs[logsFrom + k - 1] as number) - logTail);
      // Without a mass of the student the divergence is infinite already.
      gap = mass === 0 ? 0 : tail * Math.max(0, spread + Math.log(mass / least));
    }
    const sums = this.#sums;
    const low = Math.max(0, kl);
    sums.klLow.add(low);
    sums.klHigh.add(low + gap);
    distance = (distance + Math.abs(tail - mass)) / 2;
    sums.distanceLow.add(Math.min(1, distance));
    sums.distanceHigh.add(Math.min(1, distance + Math.min(tail, mass)));
    sums.tail.add(tail);
    this.#rows++;

    largestPlaces(scores, this.#best);
    const [a, b] = [ids[from] as number, this.#best[0] as number];
    const confidence = Math.exp(logs[logsFrom] as number);
    this.#agreement.observe({ a, b });
    this.#deciles.observe({ confidence, same: a === b });
    for (let i = 0; i < topK; i++) if (this.#best.includes(ids[from + i] as number)) this.#shared++;
    if (label < 0) return;
    this.#labelled++;
    let rank = k;
    for (let i = 0; i < k && rank === k; i++) if (ids[from + i] === label) rank = i;
    const place = this.#best.indexOf(label);
    this.#teacher.add(confidence, rank, topK);
    this.#student.add(Math.exp((scores[b] as number) - total), place < 0 ? topK : place, topK);
    sums.nll.add(total - (scores[label] as number));
    this.#flips.observe({ teacher: rank === 0, student: place === 0 });
    this.#counts.observe({ label, teacher: a, student: b });
  }

  merge(other: TopKPairs): void {
    this.#agreement.merge(other.#agreement);
    this.#deciles.merge(other.#deciles);
    this.#flips.merge(other.#flips);
    this.#counts.merge(other.#counts);
    this.#teacher.merge(other.#teacher);
    this.#student.merge(other.#student);
    const [own, added] = [this.#sums, other.#sums];
    for (const name of Object.keys(own) as (keyof typeof own)[]) own[name].merge(added[name].state);
    this.#rows += other.#rows;
    this.#shared += other.#shared;
    this.#labelled += other.#labelled;
  }

  result(): TopKResult {
    const [n, labelled] = [this.#rows, this.#labelled];
    const sums = this.#sums;
    const student = this.#student.result(labelled);
    const flips = this.#flips.result();
    const { gained, lost } = flips;
    return {
      kind: 'top-k',
      classes: this.#classes,
      k: this.#k,
      rows: n,
      bins: this.#bins,
      tailMass: sums.tail.value / n,
      agreement: { ...this.#agreement.result(), deciles: this.#deciles.result() },
      topK: { k: this.#topK, overlap: this.#shared / (n * this.#topK) },
      kl: { low: sums.klLow.value / n, high: sums.klHigh.value / n },
      totalVariation: { low: sums.distanceLow.value / n, high: sums.distanceHigh.value / n },
      ...(labelled === 0
        ? {}
        : {
            labelled: {
              teacher: this.#teacher.result(labelled),
              student: { ...student, nll: sums.nll.value / labelled },
              top1Difference: { value: (gained - lost) / labelled, ...pairedDifference(gained, lost, labelled) },
              flips,
              byClass: this.#counts.result(),
            },
          }),
    };
  }

  /** Copies a row; infinities as `LogitPairs` has them. @returns ln Σ exp */
  #load(values: ArrayLike<number>, from: number, sample: number): number {
    const row = this.#row;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < row.length; i++) {
      const value = values[from + i] as number;
      if (Number.isNaN(value)) throw refused(sample, 'has NaN');
      row[i] = value;
      if (value > max) max = value;
    }
    if (max === Number.NEGATIVE_INFINITY) throw refused(sample, 'has no finite score');
    if (max === Number.POSITIVE_INFINITY) {
      for (let i = 0; i < row.length; i++) row[i] = row[i] === max ? 0 : Number.NEGATIVE_INFINITY;
      max = 0;
    }
    let sum = 0;
    for (let i = 0; i < row.length; i++) sum += Math.exp((row[i] as number) - max);
    return max + Math.log(sum);
  }

  /** Mass and least probability of the classes that were not kept. */
  #tail(total: number): readonly [mass: number, least: number] {
    const [row, kept] = [this.#row, this.#kept];
    let [mass, least] = [0, Number.POSITIVE_INFINITY];
    for (let i = 0; i < row.length; i++) {
      if (kept[i] === 1) continue;
      const q = Math.exp((row[i] as number) - total);
      mass += q;
      if (q < least) least = q;
    }
    return [mass, least];
  }
}

function refused(sample: number, what: string): ServeOptError {
  return new ServeOptError('SO4006', `The student ${what} for sample ${sample}`, {
    hint: 'remove this sample, or mask classes with -Infinity instead of NaN',
  });
}

/** The loss for each weight; none without labels. */
export function topKLosses({ kl, labelled }: TopKResult, alphas: readonly number[]): readonly TopKLoss[] {
  const hard = labelled?.student.nll;
  if (hard === undefined) return [];
  const part = (share: number, term: number): number => (share === 0 ? 0 : share * term);
  return alphas.map((alpha) => ({
    alpha,
    low: part(alpha, hard) + part(1 - alpha, kl.low),
    high: part(alpha, hard) + part(1 - alpha, kl.high),
  }));
}
