import { ServeOptError } from '../../errors.js';
import type { FeatureTerms } from '../../evaluate/distill/distill-result.js';
import {
  AttentionPairs,
  AttentionTransferPairs,
  FeaturePairs,
  type FeatureRow,
} from '../../evaluate/distill/feature-pairs.js';
import { FeatureSimilarity } from '../../evaluate/distill/feature-similarity.js';
import { RidgeProjection } from '../../evaluate/distill/ridge-projection.js';
import { type FeatureMatrix, sampleRelations } from '../../evaluate/distill/sample-relations.js';
import { ExactSum } from '../../evaluate/exact-sum.js';
import { type NumberRows, openNumberRows } from '../../samples/dataset/number-rows.js';
import type { OutputFiles } from './output-files.js';

/** A feature of both models. */
export interface FeatureFiles {
  readonly teacher: OutputFiles;
  readonly student: OutputFiles;
}

export interface FeatureOptions {
  /** Of each token of each sample, 0 where it does not count. */
  readonly mask?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** Sums of squares of wider features take too long and too much memory. */
const WIDEST_SIMILARITY = 1024;
const WIDEST_RIDGE = 512;
/** Triples of samples grow with the cube. */
const MOST_RELATED = 256;
/** Elements of the features of related samples. */
const MOST_RELATED_ELEMENTS = 1 << 24;

/** Computes all terms that the shapes of each pair of features allow. */
export async function evaluateFeatures(
  pairs: readonly FeatureFiles[],
  options: FeatureOptions,
): Promise<readonly FeatureTerms[]> {
  const terms: FeatureTerms[] = [];
  for (const [i, pair] of pairs.entries()) {
    const before = pairs[i - 1];
    const fsp = before ? fspOf(before, pair) : undefined;
    terms.push({ ...featureTerms(pair, options), ...(fsp === undefined ? {} : { fsp }) });
  }
  return terms;
}

function featureTerms({ teacher, student }: FeatureFiles, { mask, signal }: FeatureOptions): FeatureTerms {
  const [t, s] = [openNumberRows(teacher.paths), openNumberRows(student.paths)];
  try {
    const notes: string[] = [];
    const sameShape = teacher.rowDims.join() === student.rowDims.join();
    const errors = sameShape ? new FeaturePairs(t.width) : undefined;
    const transfer = transferOf(teacher.rowDims, student.rowDims);
    const attention = attentionOf(teacher, student);
    const widest = Math.max(t.width, s.width);
    const similarity = widest <= WIDEST_SIMILARITY ? new FeatureSimilarity(t.width, s.width) : undefined;
    const ridge = widest <= WIDEST_RIDGE ? new RidgeProjection(t.width, s.width) : undefined;
    if (!similarity) notes.push(`CKA is left out: a feature has ${widest} elements, more than ${WIDEST_SIMILARITY}`);
    if (!ridge) notes.push(`the ridge projection is left out: more than ${WIDEST_RIDGE} elements`);
    if (!sameShape) notes.push('the shapes differ: only terms that allow that are computed');
    const length = attention && mask && mask.length % t.rows === 0 ? mask.length / t.rows : undefined;
    const related = new Related(t.width, s.width);
    const chunk = Math.max(1, Math.floor((1 << 18) / widest));
    for (let start = 0; start < t.rows; start += chunk) {
      if (signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
      const count = Math.min(chunk, t.rows - start);
      const [teacherRows, studentRows] = [t.read(start, count), s.read(start, count)];
      for (let i = 0; i < count; i++) {
        const row: FeatureRow = {
          teacher: teacherRows,
          student: studentRows,
          teacherFrom: i * t.width,
          studentFrom: i * s.width,
        };
        refuseNan(row, t.width, s.width, start + i, teacher.name, student.name);
        errors?.observe(row);
        transfer?.observe(row);
        attention?.observe(
          length === undefined ? row : { ...row, mask: mask as Uint8Array, maskFrom: (start + i) * length },
        );
        similarity?.observe(row);
        ridge?.observe(row);
        related.add(row);
      }
    }
    const { relations, note } = related.result(t.rows);
    if (note !== undefined) notes.push(note);
    const projected = ridge?.result();
    return {
      teacher: teacher.name,
      student: student.name,
      samples: t.rows,
      teacherDims: teacher.rowDims,
      studentDims: student.rowDims,
      ...(errors ? { errors: errors.result() } : {}),
      ...(transfer ? { attentionTransfer: transfer.result() } : {}),
      ...(attention ? { attention: attention.result() } : {}),
      ...(similarity ? { similarity: similarity.result() } : {}),
      ...(relations ? { relations } : {}),
      ...(projected ? { ridge: projected } : {}),
      notes,
    };
  } finally {
    t.close();
    s.close();
  }
}

function refuseNan(
  row: FeatureRow,
  widthT: number,
  widthS: number,
  sample: number,
  teacher: string,
  student: string,
): void {
  const check = (values: ArrayLike<number>, from: number, width: number, name: string): void => {
    let sum = 0;
    for (let i = from; i < from + width; i++) sum += values[i] as number;
    if (Number.isNaN(sum))
      throw new ServeOptError('SO4006', `The feature "${name}" has NaN for sample ${sample}`, {
        hint: 'remove this sample',
      });
  };
  check(row.teacher, row.teacherFrom, widthT, teacher);
  check(row.student, row.studentFrom, widthS, student);
}

/** Maps [channels, height, width] of equal height and width. */
function transferOf(teacher: readonly number[], student: readonly number[]): AttentionTransferPairs | undefined {
  if (teacher.length !== 3 || student.length !== 3) return undefined;
  const [teacherChannels = 0, ...places] = teacher;
  const [studentChannels = 0, ...others] = student;
  if (places.join() !== others.join()) return undefined;
  return new AttentionTransferPairs({ teacherChannels, studentChannels, places: (places[0] ?? 0) * (places[1] ?? 0) });
}

/** Probabilities [heads, queries, keys], or of one head without that axis. */
function attentionOf(teacher: OutputFiles, student: OutputFiles): AttentionPairs | undefined {
  if (!teacher.probabilities || !student.probabilities) return undefined;
  const heads = ({ rowDims }: OutputFiles): number => (rowDims.length === 3 ? (rowDims[0] ?? 1) : 1);
  const [queries = 0, keys = 0] = teacher.rowDims.slice(-2);
  if (teacher.rowDims.length < 2 || student.rowDims.slice(-2).join() !== `${queries},${keys}`) return undefined;
  return new AttentionPairs({ teacherHeads: heads(teacher), studentHeads: heads(student), queries, keys });
}

/** Keeps the samples that relations are computed on: those of the least hash, so that their order does not matter. */
class Related {
  readonly #widths: readonly [number, number];
  readonly #most: number;
  #kept: { readonly hash: number; readonly teacher: Float64Array; readonly student: Float64Array }[] = [];

  constructor(widthT: number, widthS: number) {
    this.#widths = [widthT, widthS];
    this.#most = Math.min(MOST_RELATED, Math.floor(MOST_RELATED_ELEMENTS / Math.max(widthT, widthS)));
  }

  add({ teacher, student, teacherFrom, studentFrom }: FeatureRow): void {
    const t = teacher.subarray(teacherFrom, teacherFrom + this.#widths[0]);
    const hash = hashOf(t);
    const last = this.#kept.at(-1);
    if (this.#kept.length === this.#most && last && hash >= last.hash) return;
    const s = student.subarray(studentFrom, studentFrom + this.#widths[1]);
    const at = this.#kept.findIndex((other) => other.hash > hash);
    this.#kept.splice(at < 0 ? this.#kept.length : at, 0, {
      hash,
      teacher: Float64Array.from(t),
      student: Float64Array.from(s),
    });
    if (this.#kept.length > this.#most) this.#kept.pop();
  }

  result(rows: number): { readonly relations?: ReturnType<typeof sampleRelations>; readonly note?: string } {
    const samples = this.#kept.length;
    if (samples < 3) return {};
    const matrix = (side: 'teacher' | 'student', width: number): FeatureMatrix => {
      const values = new Float64Array(samples * width);
      for (const [i, kept] of this.#kept.entries()) values.set(kept[side], i * width);
      return { values, samples, width };
    };
    const relations = sampleRelations(matrix('teacher', this.#widths[0]), matrix('student', this.#widths[1]));
    const note = `relations of samples are those of ${samples} of ${rows}, chosen by a hash of their features`;
    return samples < rows ? { relations, note } : { relations };
  }
}

function hashOf(row: Float32Array | Float64Array): number {
  let hash = 0x811c9dc5;
  for (const word of new Uint32Array(Float32Array.from(row).buffer)) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}

/**
 * Mean squared difference of the Gram matrices between two layers, divided by their places. Source: J. Yim et al., "A Gift from
 * Knowledge Distillation", CVPR 2017. Both layers must be maps of equal size, with as many channels in both models.
 */
function fspOf(first: FeatureFiles, second: FeatureFiles): number | undefined {
  const dims = [first.teacher, second.teacher, first.student, second.student].map(({ rowDims }) => rowDims);
  const [a, b, c, d] = dims as [readonly number[], readonly number[], readonly number[], readonly number[]];
  const isMap = dims.every((each) => each.length === 3 && each.slice(1).join() === a.slice(1).join());
  if (!isMap || a[0] !== c[0] || b[0] !== d[0]) return undefined;
  const [channels1 = 1, channels2 = 1, places] = [a[0], b[0], (a[1] ?? 1) * (a[2] ?? 1)];
  const sources: NumberRows[] = [first.teacher, second.teacher, first.student, second.student].map(({ paths }) =>
    openNumberRows(paths),
  );
  try {
    const sum = new ExactSum();
    const { rows } = sources[0] as NumberRows;
    for (let sample = 0; sample < rows; sample++) {
      const [t1, t2, s1, s2] = sources.map((source) => source.read(sample, 1)) as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      for (let i = 0; i < channels1; i++) {
        for (let j = 0; j < channels2; j++) {
          let [t, s] = [0, 0];
          for (let k = 0; k < places; k++) {
            t += (t1[i * places + k] as number) * (t2[j * places + k] as number);
            s += (s1[i * places + k] as number) * (s2[j * places + k] as number);
          }
          sum.add(((t - s) / places) ** 2);
        }
      }
    }
    return sum.value / (rows * channels1 * channels2);
  } finally {
    for (const source of sources) source.close();
  }
}
