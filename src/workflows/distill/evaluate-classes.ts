import { EqualWidthCalibration } from '../../evaluate/distill/calibration.js';
import {
  type ClassesResult,
  fidelityResult,
  labelledResult,
  type QualityResult,
} from '../../evaluate/distill/class-result.js';
import { conventionLosses, type LossGrid } from '../../evaluate/distill/conventions.js';
import {
  type FittedTemperature,
  fitTemperature,
  moveConfidence,
  type ScaledConfidence,
  ScaledLoss,
  type ScaleLoss,
} from '../../evaluate/distill/fitted-temperature.js';
import { LogitPairs, type PairOptions, type PairSums } from '../../evaluate/distill/logit-pairs.js';
import { RowColumns } from '../../evaluate/distill/row-columns.js';
import { bootstrapOf } from './bootstrap-rows.js';
import type { RowThreads } from './row-threads.js';
import type { PairsTask, RowSet, ScaleTask, ScoreFiles } from './rows-work.js';

export interface ClassesOptions extends LossGrid {
  readonly topK: number;
  readonly bins: number;
  readonly resamples: number;
  readonly seed: number;
  readonly fitTemperature: boolean;
}

/** Evaluates all rows of a pair. @param progress told of rows as they are done, and of how many there will be */
export async function evaluateClasses(
  teacher: ScoreFiles,
  student: ScoreFiles,
  set: RowSet,
  width: number,
  options: ClassesOptions,
  threads: RowThreads,
  progress: (done: number, total: number) => void = () => {},
): Promise<ClassesResult> {
  const { bins } = options;
  const temperatures = [1, ...options.temperatures.filter((temperature) => temperature !== 1)];
  const topK = Math.min(options.topK, width);
  const columns = RowColumns.ofRows(set.rows, temperatures.length);
  const pairOptions: PairOptions = { width, temperatures, topK, bins };
  let done = 0;
  const tasks: PairsTask[] = threads.split(set.rows).map(([from, to]) => ({
    kind: 'pairs',
    teacher,
    student,
    options: pairOptions,
    columns: columns.buffers,
    set,
    from,
    to,
  }));
  const parts = await threads.run(tasks, (rows) => {
    done += rows;
    progress(done, set.rows);
  });
  const sums = mergedSums(pairOptions, parts);
  const fidelity = fidelityResult(columns, sums, temperatures, topK);
  const numbers = { places: set.places, perSample: set.perSample };
  const labelled = labelledResult(columns, sums, { bins, topK, width, numbers });
  const fitted = labelled && options.fitTemperature ? labelled : undefined;
  const losses = conventionLosses(options, fidelity.temperatures, {
    classes: width,
    rowsPerSample: set.rows / sampleCount(set),
    ...(labelled ? { crossEntropy: labelled.student.nll } : {}),
  });
  const bootstrap = options.resamples > 0 ? await bootstrapOf(columns, options, threads) : undefined;
  return {
    kind: 'classes',
    classes: width,
    bins,
    fidelity,
    ...(labelled
      ? {
          labelled: fitted
            ? {
                ...labelled,
                teacher: await withFitted(
                  labelled.teacher,
                  teacher,
                  columns.classes('rankTeacher'),
                  set,
                  width,
                  bins,
                  threads,
                ),
                student: await withFitted(
                  labelled.student,
                  student,
                  columns.classes('rankStudent'),
                  set,
                  width,
                  bins,
                  threads,
                ),
              }
            : labelled,
        }
      : {}),
    losses,
    ...(bootstrap ? { bootstrap } : {}),
  };
}

/** Samples that have a row. */
function sampleCount({ places, rows, perSample }: RowSet): number {
  if (perSample === 1 || !places) return rows / perSample;
  let [count, last] = [0, -1];
  for (const place of places) {
    const sample = Math.floor(place / perSample);
    if (sample !== last) count++;
    last = sample;
  }
  return count;
}

function mergedSums(options: PairOptions, parts: readonly PairSums[]): PairSums {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const merged = new LogitPairs({ ...options, plain: true }, RowColumns.ofRows(0, options.temperatures.length));
  for (const part of parts) merged.mergeSums(part);
  return merged.result();
}

/** Rows that a temperature is looked for on first, which brings it close. */
const FIRST_ROWS = 8192;

async function withFitted(
  quality: QualityResult,
  files: ScoreFiles,
  ranks: Int32Array,
  set: RowSet,
  width: number,
  bins: number,
  threads: RowThreads,
): Promise<QualityResult> {
  const column = (): Float64Array => new Float64Array(new SharedArrayBuffer(set.rows * Float64Array.BYTES_PER_ELEMENT));
  const kept: ScaledConfidence = { confidence: column(), lean: column() };
  const lossOf = async (rows: number, scale: number): Promise<ScaleLoss> => {
    const tasks = threads
      .split(rows)
      .map(([from, to]): ScaleTask => ({ kind: 'scale', files, width, scale, kept, set, from, to }));
    const loss = new ScaledLoss(1, scale, kept, true);
    for (const state of await threads.run(tasks)) loss.mergeState(state);
    return loss.result();
  };
  const labelledFirst = set.labels.subarray(0, FIRST_ROWS).some((label) => label >= 0);
  const start =
    set.rows > 4 * FIRST_ROWS && labelledFirst
      ? 1 / (await fitTemperature((scale) => lossOf(FIRST_ROWS, scale))).temperature
      : 1;
  const found: FittedTemperature = await fitTemperature((scale) => lossOf(set.rows, scale), start);
  moveConfidence(kept, found.step);
  const calibration = new EqualWidthCalibration(bins);
  for (let row = 0; row < set.rows; row++)
    if ((set.labels[row] as number) >= 0)
      calibration.observe({ confidence: kept.confidence[row] as number, correct: ranks[row] === 0 });
  const { temperature, isAtBound, nll } = found;
  return { ...quality, fitted: { temperature, isAtBound, nll, ece: calibration.result().ece } };
}
