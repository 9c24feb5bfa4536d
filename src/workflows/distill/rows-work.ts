/** What the threads of `RowThreads` compute: pure but for reading files by range. */
import { type BootstrapInput, bootstrapFigures } from '../../evaluate/distill/bootstrap.js';
import { type ScaledConfidence, ScaledLoss, type ScaledLossState } from '../../evaluate/distill/fitted-temperature.js';
import { LogitPairs, type PairOptions, type PairSums } from '../../evaluate/distill/logit-pairs.js';
import { type ColumnBuffers, RowColumns } from '../../evaluate/distill/row-columns.js';
import { type NumberRows, openNumberRows } from '../../samples/dataset/number-rows.js';

/** Scores of one model in files: the last dimension is that of the classes. */
export interface ScoreFiles {
  readonly paths: readonly string[];
  /** How messages call it. */
  readonly label: string;
  /** The numbers are probabilities: their logarithms take the place of logits. */
  readonly probabilities: boolean;
}

/** Which rows there are. */
export interface RowSet {
  /** Places of rows among all tokens of all samples, where not every one counts; shared memory. */
  readonly places: Int32Array | undefined;
  readonly rows: number;
  /** Rows of a sample. */
  readonly perSample: number;
  /** Class of each row, -1 for none; shared memory. */
  readonly labels: Int32Array;
}

interface RangeTask {
  readonly set: RowSet;
  readonly from: number;
  readonly to: number;
}

/** All figures of a pair. */
export interface PairsTask extends RangeTask {
  readonly kind: 'pairs';
  readonly teacher: ScoreFiles;
  readonly student: ScoreFiles;
  readonly options: PairOptions;
  readonly columns: ColumnBuffers;
}

/** The loss of labels of one model at one scale. */
export interface ScaleTask extends RangeTask {
  readonly kind: 'scale';
  readonly files: ScoreFiles;
  readonly width: number;
  readonly scale: number;
  /** Shared memory. */
  readonly kept: ScaledConfidence;
}

export interface BootstrapTask {
  readonly kind: 'bootstrap';
  readonly input: BootstrapInput;
  readonly first: number;
  readonly count: number;
}

export type RowTask = PairsTask | ScaleTask | BootstrapTask;
export type RowTaskResult<T extends RowTask> = T extends PairsTask
  ? PairSums
  : T extends ScaleTask
    ? ScaledLossState
    : Float64Array;

/** Bytes that are read of each file at a time. */
const CHUNK_BYTES = 1024 * 1024;

/** Does a task. @param progress told of rows that are done */
export function rowsWork(task: RowTask, progress: (rows: number) => void): PairSums | ScaledLossState | Float64Array {
  switch (task.kind) {
    case 'pairs':
      return pairsWork(task, progress);
    case 'scale':
      return scaleWork(task, progress);
    case 'bootstrap':
      return bootstrapFigures(task.input, task.first, task.count);
  }
}

function pairsWork({ teacher, student, options, columns, set, from, to }: PairsTask, progress: (rows: number) => void) {
  const pairs = new LogitPairs(options, new RowColumns(columns));
  const { width } = options;
  eachChunk([teacher, student], set, [from, to], width, progress, ([t, s], row, at) => {
    const label = set.labels[row] as number;
    const place = set.places?.[row] ?? row;
    const sample = Math.floor(place / set.perSample);
    pairs.observe({ teacher: t as Numbers, student: s as Numbers, from: at, label, at: row, sample });
  });
  return pairs.result();
}

function scaleWork({ files, width, scale, kept, set, from, to }: ScaleTask, progress: (rows: number) => void) {
  const loss = new ScaledLoss(width, scale, kept);
  eachChunk([files], set, [from, to], width, progress, ([scores], row, at) => {
    const label = set.labels[row] as number;
    if (label < 0) return;
    const sample = Math.floor((set.places?.[row] ?? row) / set.perSample);
    loss.observe({ scores: scores as Numbers, from: at, label, at: row, sample });
  });
  return loss.state;
}

type Numbers = Float32Array | Float64Array;

/** Calls `use` for each row with the numbers of each file, and where the row begins in them. */
export function eachChunk(
  files: readonly ScoreFiles[],
  { places, perSample }: RowSet,
  [from, to]: readonly [number, number],
  width: number,
  progress: (rows: number) => void,
  use: (numbers: readonly Numbers[], row: number, at: number) => void,
): void {
  const sources: NumberRows[] = [];
  try {
    for (const { paths } of files) sources.push(openNumberRows(paths));
    // Samples are read whole; of sequences a sample has several rows.
    const chunk = Math.max(1, Math.floor(CHUNK_BYTES / (4 * width * perSample)));
    const place = (row: number): number => places?.[row] ?? row;
    for (let row = from; row < to; ) {
      const firstSample = Math.floor(place(row) / perSample);
      const count = Math.min(chunk, (sources[0] as NumberRows).rows - firstSample);
      const numbers = sources.map((source, i) => scoresOf(source.read(firstSample, count), files[i] as ScoreFiles));
      const end = (firstSample + count) * perSample;
      const start = row;
      for (; row < to && place(row) < end; row++) use(numbers, row, (place(row) - firstSample * perSample) * width);
      progress(row - start);
    }
  } finally {
    for (const source of sources) source.close();
  }
}

/** The smallest number above 0 that FLOAT has stands for a probability of 0: in FLOAT it may be one that was too small. */
const LEAST_PROBABILITY = 2 ** -149;

export function scoresOf(numbers: Numbers, { probabilities }: Pick<ScoreFiles, 'probabilities'>): Numbers {
  if (!probabilities) return numbers;
  const logs = new Float64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) logs[i] = Math.log(Math.max(numbers[i] as number, LEAST_PROBABILITY));
  return logs;
}
