import type { Accumulator } from '../accumulator.js';
import { accuracyOf, Decisions, f1 } from '../decisions.js';
import { ExactSum } from '../exact-sum.js';
import { Flips, type FlipsResult } from '../flips.js';
import { type Proportion, proportion } from '../proportion.js';
import { rocAuc } from '../roc-auc.js';
import { EqualWidthCalibration, type ReliabilityResult } from './calibration.js';
import { excess } from './close-rows.js';
import type { ConventionLoss } from './conventions.js';

/** Logits of labels that hold or not, each for itself. */
export interface LabelRow {
  readonly teacher: ArrayLike<number>;
  readonly student: ArrayLike<number>;
  readonly from: number;
  /** 1, 0, or below 0 where nobody knows; from `labelsFrom` on; absent without labels. */
  readonly labels?: ArrayLike<number>;
  readonly labelsFrom?: number;
}

/** How well one model tells which labels hold. */
export interface LabelQuality {
  /** Share of decisions that are right. */
  readonly accuracy: Proportion;
  readonly microF1: number;
  /** Mean over labels. */
  readonly macroF1: number;
  /** Binary cross-entropy, mean over known labels. */
  readonly bce: number;
  /** Mean of (p - label)². */
  readonly brier: number;
  /** Of the probability that a label holds, in bins of equal width. */
  readonly calibration: ReliabilityResult;
  /** Of a single label. */
  readonly auc?: number;
}

/** Divergence of independent labels at one temperature, mean over labels, in nats. */
export interface LabelHeat {
  readonly temperature: number;
  readonly kl: number;
  readonly reverseKl: number;
  readonly scaledKl: number;
}

export interface MultiLabelResult {
  readonly kind: 'multi-label';
  readonly rows: number;
  readonly labels: number;
  /** Share of equal decisions, and of rows with all decisions equal; a label holds from a probability of 0.5 on. */
  readonly agreement: Proportion;
  readonly exactAgreement: Proportion;
  readonly logitMse: number;
  readonly totalVariation: number;
  readonly temperatures: readonly LabelHeat[];
  readonly labelled?: { readonly teacher: LabelQuality; readonly student: LabelQuality; readonly flips: FlipsResult };
  /** alpha · BCE + (1 - alpha) · T² · KL, means over labels, for each temperature and alpha. */
  readonly losses?: readonly ConventionLoss[];
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** Logits that are closer have a divergence whose terms cancel. */
const CLOSE = 0.1;

/** KL of two probabilities of a label, from their logits. */
function bernoulliKl(t: number, s: number): number {
  if (t === s) return 0;
  const [p, q] = [sigmoid(t), sigmoid(-t)];
  if (Math.abs(t - s) < CLOSE) {
    // ln of p over that of the student, and of 1 - p, without a difference of softplus.
    const yes = Math.log1p(q * Math.expm1(t - s));
    const no = Math.log1p(p * Math.expm1(s - t));
    return p * excess(yes) + q * excess(no);
  }
  // ln p = -softplus(-t), ln (1 - p) = -softplus(t).
  const yes = p === 0 ? 0 : p * (softplus(-s) - softplus(-t));
  const no = q === 0 ? 0 : q * (softplus(s) - softplus(t));
  return Math.max(0, yes + no);
}

class Side {
  readonly loss = new ExactSum();
  readonly brier = new ExactSum();
  readonly calibration: EqualWidthCalibration;
  readonly all = new Decisions();
  /** Of each label. */
  readonly single: readonly Decisions[];
  readonly scores: number[] = [];
  readonly classes: number[] = [];

  constructor(labels: number, bins: number) {
    this.calibration = new EqualWidthCalibration(bins);
    this.single = Array.from({ length: labels }, () => new Decisions());
  }

  /** @returns whether it is right */
  add(label: number, logit: number, holds: boolean): boolean {
    const p = sigmoid(logit);
    const decision = { says: logit >= 0, holds };
    this.all.observe(decision);
    this.single[label]?.observe(decision);
    this.loss.add(softplus(holds ? -logit : logit));
    this.brier.add((p - (holds ? 1 : 0)) ** 2);
    this.calibration.observe({ confidence: p, correct: holds });
    if (this.single.length === 1) {
      this.scores.push(logit);
      this.classes.push(holds ? 1 : 0);
    }
    return decision.says === holds;
  }

  merge(other: Side): void {
    this.loss.merge(other.loss.state);
    this.brier.merge(other.brier.state);
    this.calibration.merge(other.calibration);
    this.all.merge(other.all);
    for (const [i, decisions] of this.single.entries()) decisions.merge(other.single[i] as Decisions);
    for (const score of other.scores) this.scores.push(score);
    for (const label of other.classes) this.classes.push(label);
  }

  result(): LabelQuality {
    const counts = this.all.result();
    const bothClasses = new Set(this.classes).size === 2;
    return {
      accuracy: accuracyOf(counts),
      microF1: f1(counts, 0),
      macroF1: this.single.reduce((total, label) => total + f1(label.result(), 0), 0) / this.single.length,
      bce: this.loss.value / counts.n,
      brier: this.brier.value / counts.n,
      calibration: this.calibration.result(),
      ...(bothClasses ? { auc: rocAuc(this.scores, this.classes) } : {}),
    };
  }
}

/** Compares scores of labels of which any may hold, such as those of a sigmoid, or the single score of two classes. */
export class MultiLabelPairs implements Accumulator<LabelRow, MultiLabelResult> {
  readonly #width: number;
  readonly #temperatures: readonly number[];
  readonly #teacher: Side;
  readonly #student: Side;
  readonly #flips = new Flips();
  readonly #kl: readonly (readonly [ExactSum, ExactSum])[];
  readonly #squared = new ExactSum();
  readonly #distance = new ExactSum();
  #rows = 0;
  #same = 0;
  #exact = 0;

  constructor(width: number, temperatures: readonly number[], bins: number) {
    this.#width = width;
    this.#temperatures = temperatures;
    this.#teacher = new Side(width, bins);
    this.#student = new Side(width, bins);
    this.#kl = temperatures.map(() => [new ExactSum(), new ExactSum()] as const);
  }

  observe({ teacher, student, from, labels, labelsFrom = 0 }: LabelRow): void {
    let same = 0;
    for (let i = 0; i < this.#width; i++) {
      const t = teacher[from + i] as number;
      const s = student[from + i] as number;
      if (t >= 0 === s >= 0) same++;
      this.#squared.add(t === s ? 0 : (t - s) ** 2);
      this.#distance.add(Math.abs(sigmoid(t) - sigmoid(s)));
      for (const [slot, temperature] of this.#temperatures.entries()) {
        const [kl, reverse] = this.#kl[slot] as readonly [ExactSum, ExactSum];
        kl.add(bernoulliKl(t / temperature, s / temperature));
        reverse.add(bernoulliKl(s / temperature, t / temperature));
      }
      const label = labels?.[labelsFrom + i];
      if (label === undefined || label < 0) continue;
      const holds = label > 0.5;
      this.#flips.observe({
        teacher: this.#teacher.add(i, t, holds),
        student: this.#student.add(i, s, holds),
      });
    }
    this.#rows++;
    this.#same += same;
    if (same === this.#width) this.#exact++;
  }

  merge(other: MultiLabelPairs): void {
    this.#teacher.merge(other.#teacher);
    this.#student.merge(other.#student);
    this.#flips.merge(other.#flips);
    this.#squared.merge(other.#squared.state);
    this.#distance.merge(other.#distance.state);
    for (const [i, [kl, reverse]] of this.#kl.entries()) {
      const [otherKl, otherReverse] = other.#kl[i] as readonly [ExactSum, ExactSum];
      kl.merge(otherKl.state);
      reverse.merge(otherReverse.state);
    }
    this.#rows += other.#rows;
    this.#same += other.#same;
    this.#exact += other.#exact;
  }

  result(): MultiLabelResult {
    const n = this.#rows * this.#width;
    return {
      kind: 'multi-label',
      rows: this.#rows,
      labels: this.#width,
      agreement: proportion(this.#same, n),
      exactAgreement: proportion(this.#exact, this.#rows),
      logitMse: this.#squared.value / n,
      totalVariation: this.#distance.value / n,
      temperatures: this.#temperatures.map((temperature, i) => {
        const [kl, reverse] = this.#kl[i] as readonly [ExactSum, ExactSum];
        const mean = kl.value / n;
        return { temperature, kl: mean, reverseKl: reverse.value / n, scaledKl: temperature ** 2 * mean };
      }),
      ...(this.#teacher.all.result().n === 0
        ? {}
        : {
            labelled: {
              teacher: this.#teacher.result(),
              student: this.#student.result(),
              flips: this.#flips.result(),
            },
          }),
    };
  }
}
