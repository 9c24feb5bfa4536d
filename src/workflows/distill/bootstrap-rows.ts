import {
  type BootstrapInput,
  canonicalRecords,
  type Interval,
  percentileInterval,
  wholeFigures,
} from '../../evaluate/distill/bootstrap.js';
import type { BootstrapResult } from '../../evaluate/distill/class-result.js';
import type { RowColumns } from '../../evaluate/distill/row-columns.js';
import type { RowThreads } from './row-threads.js';
import type { BootstrapTask } from './rows-work.js';

interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
  readonly bins: number;
}

/** Columns of a record without labels. */
const PLAIN = ['agreement', 'kl'] as const;
/** Columns of a record with one. */
const LABELLED = [
  ...PLAIN,
  'rightTeacher',
  'rightStudent',
  'nllDifference',
  'brierDifference',
  'confidenceTeacher',
  'confidenceStudent',
] as const;
type Column = (typeof LABELLED)[number];

/** Resamples the rows of a pair; labelled rows apart where not all are. */
export async function bootstrapOf(
  columns: RowColumns,
  options: BootstrapOptions,
  threads: RowThreads,
): Promise<BootstrapResult> {
  const { resamples, seed } = options;
  const labels = columns.classes('label');
  const isLabelled = labels.some((label) => label >= 0);
  const isWhole = labels.every((label) => label >= 0);
  const labelled = isLabelled
    ? await resampled(columns, LABELLED, (row) => (labels[row] as number) >= 0, options, threads)
    : undefined;
  const all = labelled && isWhole ? labelled : await resampled(columns, PLAIN, () => true, options, threads);
  return {
    resamples,
    seed,
    agreement: all.interval('agreement'),
    kl: all.interval('kl'),
    ...(labelled
      ? {
          labelled: {
            top1Teacher: labelled.interval('rightTeacher'),
            top1Student: labelled.interval('rightStudent'),
            top1Difference: labelled.difference('rightStudent', 'rightTeacher'),
            nllDifference: labelled.interval('nllDifference'),
            brierDifference: labelled.interval('brierDifference'),
            eceTeacher: labelled.calibration(0),
            eceStudent: labelled.calibration(1),
            eceDifference: labelled.calibrationDifference(),
          },
        }
      : {}),
  };
}

/** Figures of resamples, [resample, figure], and those of all rows as they are. */
class Resampled {
  readonly #names: readonly Column[];
  readonly #figures: Float64Array;
  readonly #whole: Float64Array;

  constructor(names: readonly Column[], whole: Float64Array, figures: Float64Array) {
    this.#names = names;
    this.#whole = whole;
    this.#figures = figures;
  }

  interval(name: Column): Interval {
    const at = this.#names.indexOf(name);
    return this.#of((figures, from) => figures[from + at] as number);
  }

  difference(name: Column, less: Column): Interval {
    const [a, b] = [this.#names.indexOf(name), this.#names.indexOf(less)];
    return this.#of((figures, from) => (figures[from + a] as number) - (figures[from + b] as number));
  }

  calibration(side: 0 | 1): Interval {
    return this.#of((figures, from) => figures[from + this.#names.length + side] as number);
  }

  calibrationDifference(): Interval {
    const width = this.#names.length;
    return this.#of((figures, from) => (figures[from + width + 1] as number) - (figures[from + width] as number));
  }

  #of(figure: (figures: Float64Array, from: number) => number): Interval {
    const width = this.#whole.length;
    const count = this.#figures.length / width;
    const values = Float64Array.from({ length: count }, (_, r) => figure(this.#figures, r * width));
    return percentileInterval(figure(this.#whole, 0), values);
  }
}

async function resampled(
  columns: RowColumns,
  names: readonly Column[],
  counts: (row: number) => boolean,
  { resamples, seed, bins }: BootstrapOptions,
  threads: RowThreads,
): Promise<Resampled> {
  const of = columnReaders(columns);
  const rows: number[] = [];
  for (let row = 0; row < columns.rows; row++) if (counts(row)) rows.push(row);
  const records = new Float64Array(rows.length * names.length);
  for (const [i, row] of rows.entries())
    for (const [column, name] of names.entries()) records[i * names.length + column] = of[name](row);
  const shared = new Float64Array(new SharedArrayBuffer(records.byteLength));
  shared.set(canonicalRecords(records, names.length));
  const at = (name: Column): number => names.indexOf(name);
  const isLabelled = names.length > PLAIN.length;
  const input: BootstrapInput = {
    records: shared,
    columns: names.length,
    bins,
    resamples,
    seed,
    ...(isLabelled
      ? {
          calibration: [
            [at('confidenceTeacher'), at('rightTeacher')],
            [at('confidenceStudent'), at('rightStudent')],
          ],
        }
      : {}),
  };
  const tasks = threads
    .split(resamples)
    .map(([from, to]): BootstrapTask => ({ kind: 'bootstrap', input, first: from, count: to - from }));
  const parts = await threads.run(tasks);
  const width = names.length + (isLabelled ? 2 : 0);
  const figures = new Float64Array(resamples * width);
  let done = 0;
  for (const part of parts) {
    figures.set(part, done);
    done += part.length;
  }
  return new Resampled(names, wholeFigures(input), figures);
}

function columnReaders(columns: RowColumns): Readonly<Record<Column, (row: number) => number>> {
  const [rankT, rankS] = [columns.classes('rankTeacher'), columns.classes('rankStudent')];
  const [teacher, student] = [columns.classes('predictionTeacher'), columns.classes('predictionStudent')];
  const kl = columns.heat(0, 'kl');
  const [nllT, nllS] = [columns.figure('nllTeacher'), columns.figure('nllStudent')];
  const [brierT, brierS] = [columns.figure('brierTeacher'), columns.figure('brierStudent')];
  const [confidenceT, confidenceS] = [columns.figure('confidenceTeacher'), columns.figure('confidenceStudent')];
  const less = (a: Float64Array, b: Float64Array, row: number): number => (a[row] as number) - (b[row] as number);
  return {
    agreement: (row) => (teacher[row] === student[row] ? 1 : 0),
    kl: (row) => kl[row] as number,
    rightTeacher: (row) => (rankT[row] === 0 ? 1 : 0),
    rightStudent: (row) => (rankS[row] === 0 ? 1 : 0),
    nllDifference: (row) => less(nllS, nllT, row),
    brierDifference: (row) => less(brierS, brierT, row),
    confidenceTeacher: (row) => confidenceT[row] as number,
    confidenceStudent: (row) => confidenceS[row] as number,
  };
}
