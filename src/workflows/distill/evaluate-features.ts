import { ServeOptError } from '../../errors.js';
import type { FeatureTerms } from '../../evaluate/distill/distill-result.js';
import {
  AttentionPairs,
  AttentionTransferPairs,
  FeaturePairs,
  type FeatureRow,
} from '../../evaluate/distill/feature-pairs.js';
import { FeatureSimilarity } from '../../evaluate/distill/feature-similarity.js';
import { FspPairs } from '../../evaluate/distill/fsp-pairs.js';
import { RelatedSamples } from '../../evaluate/distill/related-samples.js';
import { RidgeProjection } from '../../evaluate/distill/ridge-projection.js';
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

/** Sums of squares of wider features take too long and too much memory; CKA is then that of related samples. */
const WIDEST_SIMILARITY = 1024;
const WIDEST_RIDGE = 512;

/** Computes all terms that the shapes of each pair of features allow. */
export async function evaluateFeatures(
  pairs: readonly FeatureFiles[],
  options: FeatureOptions,
): Promise<readonly FeatureTerms[]> {
  const terms: FeatureTerms[] = [];
  for (const [i, pair] of pairs.entries()) {
    const before = pairs[i - 1];
    const fsp = before ? fspOf(before, pair, options.signal) : undefined;
    terms.push({ ...featureTerms(pair, options), ...(fsp === undefined ? {} : { fsp }) });
  }
  return terms;
}

function featureTerms({ teacher, student }: FeatureFiles, { mask, signal }: FeatureOptions): FeatureTerms {
  const [widthT, widthS] = [teacher, student].map(widthOf) as [number, number];
  const { rows } = teacher;
  const notes: string[] = [];
  const sameShape = teacher.rowDims.join() === student.rowDims.join();
  const errors = sameShape ? new FeaturePairs(widthT) : undefined;
  const transfer = transferOf(teacher.rowDims, student.rowDims);
  const attention = attentionOf(teacher, student);
  const widest = Math.max(widthT, widthS);
  const similarity = widest <= WIDEST_SIMILARITY ? new FeatureSimilarity(widthT, widthS) : undefined;
  const ridge = widest <= WIDEST_RIDGE ? new RidgeProjection(widthT, widthS) : undefined;
  if (!ridge) notes.push(`the ridge projection is left out: more than ${WIDEST_RIDGE} elements`);
  if (!sameShape) notes.push('the shapes differ: only terms that allow that are computed');
  const length = attention && mask ? maskLength(mask, teacher, notes) : undefined;
  const related = new RelatedSamples(widthT, widthS);
  eachRow([teacher.paths, student.paths], signal, ([t, s], [teacherFrom = 0, studentFrom = 0], sample) => {
    const row: FeatureRow = { teacher: t as Numbers, student: s as Numbers, teacherFrom, studentFrom };
    refuseNotFinite(row.teacher, teacherFrom, widthT, sample, teacher.name);
    refuseNotFinite(row.student, studentFrom, widthS, sample, student.name);
    errors?.observe(row);
    transfer?.observe(row);
    attention?.observe(length === undefined ? row : { ...row, mask: mask as Uint8Array, maskFrom: sample * length });
    similarity?.observe(row);
    ridge?.observe(row);
    related.observe(row);
  });
  const { relations, similarity: ofRelated } = related.result();
  const alike = similarity?.result() ?? ofRelated;
  if (!similarity && alike && alike.rows < rows)
    notes.push(`CKA is that of ${alike.rows} of ${rows} samples: a feature has ${widest} elements`);
  if (relations && relations.samples < rows)
    notes.push(`relations of samples are those of ${relations.samples} of ${rows}, chosen by a hash of their features`);
  const projected = ridge?.result();
  return {
    teacher: teacher.name,
    student: student.name,
    samples: rows,
    teacherDims: teacher.rowDims,
    studentDims: student.rowDims,
    ...(errors ? { errors: errors.result() } : {}),
    ...(transfer ? { attentionTransfer: transfer.result() } : {}),
    ...(attention ? { attention: attention.result() } : {}),
    ...(alike ? { similarity: alike } : {}),
    ...(relations ? { relations } : {}),
    ...(projected ? { ridge: projected } : {}),
    notes,
  };
}

function widthOf({ rowDims }: OutputFiles): number {
  return rowDims.reduce((product, size) => product * size, 1);
}

/** Tokens of a sample in the mask, where attention maps have as many queries and keys; a note tells where it is not used. */
function maskLength(mask: Uint8Array, { rows, rowDims }: OutputFiles, notes: string[]): number | undefined {
  const [queries = 0, keys = 0] = rowDims.slice(-2);
  const length = mask.length / rows;
  if (queries === length && keys === length) return length;
  notes.push(`the mask has ${length} tokens, the attention maps ${queries} × ${keys}: it is not used for them`);
  return undefined;
}

function refuseNotFinite(values: Numbers, from: number, width: number, sample: number, name: string): void {
  let sum = 0;
  for (let i = from; i < from + width; i++) sum += values[i] as number;
  if (sum - sum === 0) return;
  // A sum may overflow where no value does.
  for (let i = from; i < from + width; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) continue;
    throw new ServeOptError('SO4006', `The feature "${name}" has ${value} for sample ${sample}`, {
      hint: 'remove this sample',
    });
  }
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

/** Between a pair of features and the one before, where all are maps of equal size and both models have as many channels. */
function fspOf(first: FeatureFiles, second: FeatureFiles, signal: AbortSignal | undefined): number | undefined {
  const files = [first.teacher, second.teacher, first.student, second.student];
  const [a, b, c, d] = files.map(({ rowDims }) => rowDims) as [
    readonly number[],
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  const isMap = [a, b, c, d].every((each) => each.length === 3 && each.slice(1).join() === a.slice(1).join());
  if (!isMap || a[0] !== c[0] || b[0] !== d[0]) return undefined;
  const pairs = new FspPairs({
    firstChannels: a[0] ?? 1,
    secondChannels: b[0] ?? 1,
    places: (a[1] ?? 1) * (a[2] ?? 1),
  });
  eachRow(
    files.map(({ paths }) => paths),
    signal,
    ([t1, t2, s1, s2], [at1 = 0, at2 = 0, at3 = 0, at4 = 0]) =>
      pairs.observe({
        teacher: { first: t1 as Numbers, second: t2 as Numbers, firstFrom: at1, secondFrom: at2 },
        student: { first: s1 as Numbers, second: s2 as Numbers, firstFrom: at3, secondFrom: at4 },
      }),
  );
  return pairs.result();
}

type Numbers = Float32Array | Float64Array;

const CHUNK_ELEMENTS = 1 << 18;

/** Calls `use` for each row with the numbers of each file, and where the row begins in them. */
function eachRow(
  paths: readonly (readonly string[])[],
  signal: AbortSignal | undefined,
  use: (numbers: readonly Numbers[], from: readonly number[], row: number) => void,
): void {
  const sources: NumberRows[] = [];
  try {
    for (const each of paths) sources.push(openNumberRows(each));
    const [{ rows }] = sources as [NumberRows];
    const chunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(...sources.map(({ width }) => width))));
    for (let start = 0; start < rows; start += chunk) {
      if (signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
      const count = Math.min(chunk, rows - start);
      const numbers = sources.map((source) => source.read(start, count));
      for (let i = 0; i < count; i++)
        use(
          numbers,
          sources.map(({ width }) => i * width),
          start + i,
        );
    }
  } finally {
    for (const source of sources) source.close();
  }
}
