import { ServeOptError } from '../../errors.js';
import { blankOf, decodeCtc } from '../../evaluate/ctc.js';
import { ctcLoss } from '../../evaluate/ctc-loss.js';
import { conventionLosses } from '../../evaluate/distill/conventions.js';
import { DecodedSequences } from '../../evaluate/distill/decoded-sequences.js';
import type { DistillEvaluation, DistillKind, FeatureTerms } from '../../evaluate/distill/distill-result.js';
import { MultiLabelPairs } from '../../evaluate/distill/multi-label.js';
import { RegressionPairs, valueLosses } from '../../evaluate/distill/regression.js';
import { plural } from '../../report/format.js';
import { type NumberRows, openNumberRows } from '../../samples/dataset/number-rows.js';
import type { HostTensor } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';
import { type ClassesOptions, evaluateClasses } from './evaluate-classes.js';
import { evaluateFeatures } from './evaluate-features.js';
import type { OutputFiles } from './output-files.js';
import { RowThreads } from './row-threads.js';
import type { RowSet } from './rows-work.js';

/** What outputs are compared with, beside each other. */
export interface Given {
  readonly kind: DistillKind;
  /** Class of each row for classes; as they are read otherwise. */
  readonly classes?: Int32Array;
  readonly labels?: HostTensor;
  /** 0 where a token does not count. */
  readonly mask?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  readonly progress: (done: number, total: number) => void;
}

/** Compares one output of a teacher and a student. */
export async function evaluateOutputs(
  teacher: OutputFiles,
  student: OutputFiles,
  given: Given,
  options: ClassesOptions,
): Promise<DistillEvaluation> {
  switch (given.kind) {
    case 'classes':
      return classesOf(teacher, student, given, options);
    case 'ctc':
      return ctc(teacher, student, given, options);
    case 'multi-label':
      return multiLabel(teacher, student, given, options);
    case 'regression':
      return regression(teacher, student, given, options);
    case 'embedding':
      return {
        kind: 'embedding',
        terms: (await evaluateFeatures([{ teacher, student }], { signal: given.signal }))[0] as FeatureTerms,
      };
  }
}

async function classesOf(teacher: OutputFiles, student: OutputFiles, given: Given, options: ClassesOptions) {
  const width = teacher.rowDims.at(-1) ?? 1;
  const set = rowSet(teacher, given);
  const threads = new RowThreads({ scores: set.rows * width, signal: given.signal });
  try {
    return await evaluateClasses(teacher, student, set, width, options, threads, given.progress);
  } finally {
    await threads.close();
  }
}

/** Rows that count: by the mask, or of labelled tokens where only some have labels. */
export function rowSet(
  { rows, rowDims }: Pick<OutputFiles, 'rows' | 'rowDims'>,
  { classes: classOf, mask }: Pick<Given, 'classes' | 'mask'>,
): RowSet {
  const perSample = rowDims.slice(0, -1).reduce((product, size) => product * size, 1);
  const all = rows * perSample;
  const counts =
    mask === undefined
      ? perSample > 1 && classOf
        ? (place: number) => (classOf[place] as number) >= 0
        : undefined
      : (place: number) => mask[place] !== 0;
  let places: Int32Array | undefined;
  if (counts) {
    let kept = 0;
    for (let place = 0; place < all; place++) if (counts(place)) kept++;
    if (kept === 0) throw new ServeOptError('SO4004', 'The mask leaves no token of any sample');
    if (kept < all) {
      places = shared(kept);
      for (let place = 0, at = 0; place < all; place++) if (counts(place)) places[at++] = place;
    }
  }
  const labels = shared(places?.length ?? all);
  for (let row = 0; row < labels.length; row++) labels[row] = classOf ? (classOf[places?.[row] ?? row] as number) : -1;
  return { places, rows: labels.length, perSample, labels };
}

function shared(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

async function ctc(
  teacher: OutputFiles,
  student: OutputFiles,
  given: Given,
  options: ClassesOptions,
): Promise<DistillEvaluation> {
  const [steps = 1, classes = 1] = teacher.rowDims;
  const plain = { ...options, resamples: 0, conventions: [] };
  const { classes: _, labels, ...rest } = given;
  const { fidelity } = await classesOf(teacher, student, { ...rest, kind: 'classes' }, plain);
  const sequences = new DecodedSequences();
  let blank: number | undefined;
  const none: HostTensor = { dataType: DataType.INT32, dims: [0], data: new Int32Array(0) };
  await eachSample([teacher, student], given, ([t, s], sample) => {
    const [valuesT, valuesS] = [t as Float64Array, s as Float64Array];
    blank ??= blankOf(valuesT, classes, labels ?? none);
    const found = blank;
    const decoded = [valuesT, valuesS].map((values) => decodeCtc(values, 0, steps, classes, found));
    const label = labels && textOf(labels, sample, found);
    const lossOf = (values: Float64Array, { probabilities }: OutputFiles): number =>
      ctcLoss(values, 0, { steps, classes, blank: found, probabilities }, label ?? []);
    sequences.observe({
      teacher: decoded[0] ?? [],
      student: decoded[1] ?? [],
      ...(label ? { label, losses: [lossOf(valuesT, teacher), lossOf(valuesS, student)] } : {}),
    });
  });
  const found = sequences.result();
  const crossEntropy = found.labelled?.student.ctcLoss;
  return {
    kind: 'ctc',
    classes,
    blank: blank ?? 0,
    fidelity,
    sequences: found,
    losses: conventionLosses({ ...options, conventions: ['standard'] }, fidelity.temperatures, {
      classes,
      rowsPerSample: 1,
      ...(crossEntropy === undefined ? {} : { crossEntropy }),
    }),
  };
}

/** The label of a sample: up to the first below 0, without blanks. */
function textOf(labels: HostTensor, sample: number, blank: number): number[] {
  const width = labels.data.length / (labels.dims[0] ?? 1);
  const text: number[] = [];
  for (let i = sample * width; i < (sample + 1) * width; i++) {
    const label = Number(labels.data[i]);
    if (label < 0) break;
    if (label !== blank) text.push(label);
  }
  return text;
}

async function multiLabel(
  teacher: OutputFiles,
  student: OutputFiles,
  given: Given,
  options: ClassesOptions,
): Promise<DistillEvaluation> {
  const width = teacher.rowDims.reduce((product, size) => product * size, 1);
  const temperatures = [1, ...options.temperatures.filter((temperature) => temperature !== 1)];
  const pairs = new MultiLabelPairs(width, temperatures, options.bins);
  const labels = given.labels && valuesOf(given.labels, teacher);
  const signs = labels !== undefined && !labels.includes(0) && labels.includes(-1);
  const holds = signs ? labels.map((label) => (label > 0 ? 1 : 0)) : labels;
  await eachSample([teacher, student], given, ([t, s], sample) => {
    pairs.observe({
      teacher: logitsOf(t as Float64Array, teacher.unit),
      student: logitsOf(s as Float64Array, student.unit),
      from: 0,
      ...(holds ? { labels: holds, labelsFrom: sample * width } : {}),
    });
  });
  const found = pairs.result();
  const heats = found.temperatures.map((heat) => ({ ...heat, teacherEntropy: 0 }));
  const crossEntropy = found.labelled?.student.bce;
  return {
    ...found,
    losses: conventionLosses({ ...options, conventions: ['standard'] }, heats, {
      classes: 1,
      rowsPerSample: 1,
      ...(crossEntropy === undefined ? {} : { crossEntropy }),
    }),
  };
}

/** Probabilities closer to 0 or 1 than this are read as this far away: FLOAT has no more digits beside 1. */
const LEAST_DISTANCE = 2 ** -24;

function logitsOf(values: ArrayLike<number>, unit: boolean): ArrayLike<number> {
  if (!unit) return values;
  return Float64Array.from(values, (value) => {
    const p = Math.min(1 - LEAST_DISTANCE, Math.max(LEAST_DISTANCE, value));
    return Math.log(p / (1 - p));
  });
}

async function regression(
  teacher: OutputFiles,
  student: OutputFiles,
  given: Given,
  { alphas }: ClassesOptions,
): Promise<DistillEvaluation> {
  const width = teacher.rowDims.reduce((product, size) => product * size, 1);
  const pairs = new RegressionPairs(width);
  const labels = given.labels && valuesOf(given.labels, teacher);
  await eachSample([teacher, student], given, ([t, s], sample) => {
    refuseInfinite([t, s] as readonly Float64Array[], sample);
    pairs.observe({
      teacher: t as Float64Array,
      student: s as Float64Array,
      from: 0,
      ...(labels ? { labels, labelsFrom: sample * width } : {}),
    });
  });
  const found = pairs.result();
  const losses = valueLosses(found, alphas);
  return losses.length === 0 ? found : { ...found, losses };
}

/** A score may be infinite, a number that is compared with another may not. @throws SO4006 naming the sample */
function refuseInfinite(sides: readonly (Float32Array | Float64Array)[], sample: number): void {
  for (const [side, values] of sides.entries()) {
    const infinite = values.find((value) => !Number.isFinite(value));
    if (infinite !== undefined)
      throw new ServeOptError('SO4006', `The ${NAMES[side]} has ${infinite} for sample ${sample}`, {
        hint: 'remove this sample',
      });
  }
}

/** Labels of the elements of an output. @throws SO4005 where there are not as many */
function valuesOf({ data, dims }: HostTensor, { name, rows, rowDims }: OutputFiles): Float64Array {
  const width = rowDims.reduce((product, size) => product * size, 1);
  if (data.length === rows * width) return Float64Array.from(data as ArrayLike<number>, Number);
  const [samples = rows] = dims;
  throw new ServeOptError(
    'SO4005',
    samples === rows
      ? `The labels have ${plural(data.length / rows, 'value')} a sample, output "${name}" has ${width}`
      : `There are labels of ${plural(samples, 'sample')}, and outputs of ${rows}`,
    { hint: 'leave the labels out of the data, or name the output that they describe with --output-name' },
  );
}

const CHUNK_ELEMENTS = 1 << 18;
const NAMES = ['teacher', 'student'];

/** Calls `use` with the numbers of both for each sample. @throws SO4006 for NaN, naming the sample */
async function eachSample(
  files: readonly OutputFiles[],
  { signal, progress }: Given,
  use: (numbers: readonly (Float32Array | Float64Array)[], sample: number) => void,
): Promise<void> {
  const sources: NumberRows[] = [];
  try {
    for (const { paths } of files) sources.push(openNumberRows(paths));
    const { rows, width } = sources[0] as NumberRows;
    const chunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / width));
    for (let start = 0; start < rows; start += chunk) {
      if (signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
      const count = Math.min(chunk, rows - start);
      const numbers = sources.map((source) => source.read(start, count));
      for (let i = 0; i < count; i++) {
        const sample = numbers.map((values) => values.subarray(i * width, (i + 1) * width));
        for (const [side, values] of sample.entries())
          if (values.some(Number.isNaN))
            throw new ServeOptError('SO4006', `The ${NAMES[side]} has NaN for sample ${start + i}`, {
              hint: 'remove this sample',
            });
        use(sample, start + i);
      }
      progress(start + count, rows);
    }
  } finally {
    for (const source of sources) source.close();
  }
}
