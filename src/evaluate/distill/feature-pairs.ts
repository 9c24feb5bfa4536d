import type { Accumulator } from '../accumulator.js';
import { cosine as cosineOf, sqnrDb } from '../error-sums.js';
import { ExactSum } from '../exact-sum.js';

type Numbers = Float32Array | Float64Array;

/** A feature of both models for one sample. */
export interface FeatureRow {
  readonly teacher: Numbers;
  readonly student: Numbers;
  readonly teacherFrom: number;
  readonly studentFrom: number;
}

/** Differences of features of equal shape; means over samples. */
export interface FeatureErrors {
  /** Mean of (t - s)² over elements. */
  readonly mse: number;
  /** |t - s|² / |t|². */
  readonly normalizedMse: number;
  /** 1 - cosine of the angle between both. */
  readonly cosineDistance: number;
  /** |t/|t| - s/|s||², as Patient Knowledge Distillation has it. */
  readonly unitMse: number;
  /** Of all samples together: 10·log10(Σt² / Σ(t - s)²). */
  readonly sqnrDb: number;
}

/** Adds up differences of features. A sample of zeros has cosine 0 with any other, and 1 with another of zeros. */
export class FeaturePairs implements Accumulator<FeatureRow, FeatureErrors> {
  readonly #width: number;
  readonly #error = new ExactSum();
  readonly #signal = new ExactSum();
  readonly #normalized = new ExactSum();
  readonly #cosine = new ExactSum();
  readonly #unit = new ExactSum();
  #rows = 0;

  constructor(width: number) {
    this.#width = width;
  }

  observe({ teacher, student, teacherFrom, studentFrom }: FeatureRow): void {
    let tt = 0;
    let ss = 0;
    let ts = 0;
    let error = 0;
    for (let i = 0; i < this.#width; i++) {
      const t = teacher[teacherFrom + i] as number;
      const s = student[studentFrom + i] as number;
      tt += t * t;
      ss += s * s;
      ts += t * s;
      error += (t - s) * (t - s);
    }
    this.#error.add(error);
    this.#signal.add(tt);
    this.#normalized.add(error === 0 ? 0 : error / tt);
    const cosine = cosineOf(tt, ss, ts);
    this.#cosine.add(1 - cosine);
    this.#unit.add(tt > 0 && ss > 0 ? Math.max(0, 2 - 2 * cosine) : tt === ss ? 0 : 1);
    this.#rows++;
  }

  merge(other: FeaturePairs): void {
    this.#error.merge(other.#error.state);
    this.#signal.merge(other.#signal.state);
    this.#normalized.merge(other.#normalized.state);
    this.#cosine.merge(other.#cosine.state);
    this.#unit.merge(other.#unit.state);
    this.#rows += other.#rows;
  }

  result(): FeatureErrors {
    const n = this.#rows;
    return {
      mse: this.#error.value / (n * this.#width),
      normalizedMse: this.#normalized.value / n,
      cosineDistance: this.#cosine.value / n,
      unitMse: this.#unit.value / n,
      sqnrDb: sqnrDb(this.#signal.value, this.#error.value),
    };
  }
}

/** Shape of a feature map: channels, then places. */
export interface MapShape {
  readonly teacherChannels: number;
  readonly studentChannels: number;
  /** Height times width, equal in both. */
  readonly places: number;
}

/** Attention transfer in the two forms that go by this name; means over samples. */
export interface AttentionTransfer {
  /** |Q_t/|Q_t| - Q_s/|Q_s||, as the paper writes it, Q being the mean of squares over channels. */
  readonly paper: number;
  /** Mean over places of (Q_t/|Q_t| - Q_s/|Q_s|)², as the authors' code computes it. */
  readonly code: number;
}

/** Source: S. Zagoruyko, N. Komodakis, "Paying More Attention to Attention", ICLR 2017. */
export class AttentionTransferPairs implements Accumulator<FeatureRow, AttentionTransfer> {
  readonly #shape: MapShape;
  readonly #paper = new ExactSum();
  readonly #code = new ExactSum();
  #rows = 0;

  constructor(shape: MapShape) {
    this.#shape = shape;
  }

  observe({ teacher, student, teacherFrom, studentFrom }: FeatureRow): void {
    const { teacherChannels, studentChannels, places } = this.#shape;
    const t = attentionMap(teacher, teacherFrom, teacherChannels, places);
    const s = attentionMap(student, studentFrom, studentChannels, places);
    let squared = 0;
    for (let i = 0; i < places; i++) squared += ((t[i] as number) - (s[i] as number)) ** 2;
    this.#paper.add(Math.sqrt(squared));
    this.#code.add(squared / places);
    this.#rows++;
  }

  merge(other: AttentionTransferPairs): void {
    this.#paper.merge(other.#paper.state);
    this.#code.merge(other.#code.state);
    this.#rows += other.#rows;
  }

  result(): AttentionTransfer {
    return { paper: this.#paper.value / this.#rows, code: this.#code.value / this.#rows };
  }
}

/** Mean of squares over channels, as a vector of length 1. */
function attentionMap(values: Numbers, from: number, channels: number, places: number): Float64Array {
  const map = new Float64Array(places);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < places; i++) map[i] = (map[i] as number) + (values[from + c * places + i] as number) ** 2;
  }
  let norm = 0;
  for (let i = 0; i < places; i++) norm += ((map[i] as number) / channels) ** 2;
  norm = Math.sqrt(norm);
  for (let i = 0; i < places; i++) map[i] = norm === 0 ? 0 : (map[i] as number) / channels / norm;
  return map;
}

/** Shape of attention maps of a sample: heads of both, rows of queries over keys. */
export interface AttentionShape {
  readonly teacherHeads: number;
  readonly studentHeads: number;
  readonly queries: number;
  readonly keys: number;
}

/** One sample of attention maps; `mask` has a 1 for each position that counts, and is for maps of as many queries as keys. */
export interface AttentionRow extends FeatureRow {
  readonly mask?: ArrayLike<number>;
  readonly maskFrom?: number;
}

/** Differences of attention maps. */
export interface AttentionErrors {
  /** Mean of (a_t - a_s)² over queries and keys that count. */
  readonly mse: number;
  /** Mean over queries that count of KL(a_t ‖ a_s) over keys that count, each row brought to a sum of 1. */
  readonly kl: number;
  /** Heads differ in number: both are averaged over their heads. */
  readonly averagedHeads: boolean;
}

/** Compares attention maps that are probabilities. Scores of -1e-3 and less never occur in them, so nothing else is masked. */
export class AttentionPairs implements Accumulator<AttentionRow, AttentionErrors> {
  readonly #shape: AttentionShape;
  readonly #averages: boolean;
  readonly #squared = new ExactSum();
  readonly #kl = new ExactSum();
  #cells = 0;
  #queries = 0;

  constructor(shape: AttentionShape) {
    this.#shape = shape;
    this.#averages = shape.teacherHeads !== shape.studentHeads;
  }

  observe({ teacher, student, teacherFrom, studentFrom, mask, maskFrom = 0 }: AttentionRow): void {
    const { teacherHeads, studentHeads, queries, keys } = this.#shape;
    const cells = queries * keys;
    const t = this.#averages ? meanOfHeads(teacher, teacherFrom, teacherHeads, cells) : teacher;
    const s = this.#averages ? meanOfHeads(student, studentFrom, studentHeads, cells) : student;
    const [fromT, fromS] = this.#averages ? [0, 0] : [teacherFrom, studentFrom];
    const heads = this.#averages ? 1 : teacherHeads;
    const counts = (place: number): boolean => mask === undefined || (mask[maskFrom + place] as number) > 0;
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < queries; query++) {
        if (!counts(query)) continue;
        const at = head * cells + query * keys;
        let [sumT, sumS] = [0, 0];
        for (let key = 0; key < keys; key++) {
          if (!counts(key)) continue;
          const [a, b] = [t[fromT + at + key] as number, s[fromS + at + key] as number];
          sumT += a;
          sumS += b;
          this.#squared.add((a - b) ** 2);
          this.#cells++;
        }
        let kl = 0;
        for (let key = 0; key < keys; key++) {
          if (!counts(key)) continue;
          // A query whose keys have no probability left adds nothing.
          const a = sumT > 0 ? (t[fromT + at + key] as number) / sumT : 0;
          const b = sumS > 0 ? (s[fromS + at + key] as number) / sumS : 0;
          if (a > 0) kl += a * Math.log(a / b);
        }
        this.#kl.add(Math.max(0, kl));
        this.#queries++;
      }
    }
  }

  merge(other: AttentionPairs): void {
    this.#squared.merge(other.#squared.state);
    this.#kl.merge(other.#kl.state);
    this.#cells += other.#cells;
    this.#queries += other.#queries;
  }

  result(): AttentionErrors {
    return {
      mse: this.#squared.value / this.#cells,
      kl: this.#kl.value / this.#queries,
      averagedHeads: this.#averages,
    };
  }
}

function meanOfHeads(values: Numbers, from: number, heads: number, cells: number): Float64Array {
  const mean = new Float64Array(cells);
  for (let head = 0; head < heads; head++)
    for (let i = 0; i < cells; i++) mean[i] = (mean[i] as number) + (values[from + head * cells + i] as number) / heads;
  return mean;
}
