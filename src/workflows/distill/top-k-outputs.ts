import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { largestPlaces } from '../../evaluate/distill/largest-scores.js';
import { TopKPairs, type TopKResult, topKLosses } from '../../evaluate/distill/top-k-pairs.js';
import { NpyWriter } from '../../samples/dataset/npy-writer.js';
import { openNumberRows } from '../../samples/dataset/number-rows.js';
import { DataType } from '../../tensor/dtype.js';
import { bytesOf } from '../../tensor/tensor.js';
import type { ClassesOptions } from './evaluate-classes.js';
import type { OutputFiles } from './output-files.js';
import { eachChunk, type RowSet, type ScoreFiles, scoresOf } from './rows-work.js';

/** The best classes of an output of scores, in files: k classes, and k + 1 logarithms with that of the tail, a row. */
export interface TopKOutput {
  readonly name: string;
  readonly classes: number;
  readonly k: number;
  readonly ids: readonly string[];
  readonly logs: readonly string[];
}

/** Bytes of a file, about. */
const FILE_BYTES = 256 * 1024 * 1024;
const CHUNK_ELEMENTS = 1 << 18;

/**
 * Writes the k best classes of each row beside the files of all scores, and removes these. Of equal scores the lower class is kept.
 * @throws SO1006 where there are not more classes than that, SO4006 for rows with NaN or without a finite score
 */
export function keepTopK(output: OutputFiles, folder: string, k: number): TopKOutput {
  const { name, rows, rowDims, paths } = output;
  const classes = rowDims.at(-1) ?? 1;
  if (k >= classes)
    throw new ServeOptError('SO1006', `The value "${k}" of --cache-top-k is not allowed`, {
      why: `output "${name}" has ${classes} classes`,
      hint: 'leave --cache-top-k out: all scores take less room',
    });
  const perSample = rowDims.slice(0, -1).reduce((product, size) => product * size, 1);
  const of = (stem: string, dataType: number, width: number): NpyWriter =>
    new NpyWriter({
      folder,
      stem,
      dataType,
      rowDims: [...rowDims.slice(0, -1), width],
      rows,
      rowsPerFile: Math.max(1, Math.floor(FILE_BYTES / (4 * width * perSample))),
    });
  const ids = of('teacher-top-classes', DataType.INT32, k);
  const logs = of('teacher-top-logs', DataType.FLOAT, k + 1);
  const source = openNumberRows(paths);
  try {
    const chunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / source.width));
    const best = new Int32Array(k);
    for (let start = 0; start < rows; start += chunk) {
      const count = Math.min(chunk, rows - start);
      const scores = Float64Array.from(scoresOf(source.read(start, count), output));
      const [classesOf, logsOf] = [
        new Int32Array(count * perSample * k),
        new Float32Array(count * perSample * (k + 1)),
      ];
      for (let row = 0; row < count * perSample; row++) {
        const own = scores.subarray(row * classes, (row + 1) * classes);
        const sample = start + Math.floor(row / perSample);
        bestOf(own, best, logsOf.subarray(row * (k + 1), (row + 1) * (k + 1)), sample);
        classesOf.set(best, row * k);
      }
      ids.write(bytesOf(classesOf));
      logs.write(bytesOf(logsOf));
    }
  } finally {
    source.close();
    ids.close();
    logs.close();
  }
  for (const path of paths) rmSync(path);
  return { name, classes, k, ids: ids.files, logs: logs.files };
}

/** Fills the best classes of a row and the logarithms of their probabilities, that of the tail behind. */
function bestOf(scores: Float64Array, best: Int32Array, logs: Float32Array, sample: number): void {
  let max = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (Number.isNaN(score)) throw refused(sample, 'has NaN');
    if (score > max) max = score;
  }
  if (max === Number.NEGATIVE_INFINITY) throw refused(sample, 'has no finite score');
  if (max === Number.POSITIVE_INFINITY) {
    for (let i = 0; i < scores.length; i++) scores[i] = scores[i] === max ? 0 : Number.NEGATIVE_INFINITY;
    max = 0;
  }
  largestPlaces(scores, best);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - max);
  const total = max + Math.log(sum);
  for (const [i, place] of best.entries()) {
    logs[i] = (scores[place] as number) - total;
    scores[place] = Number.NEGATIVE_INFINITY;
  }
  let tail = 0;
  for (const score of scores) tail += Math.exp(score - max);
  logs[best.length] = Math.log(tail / sum);
}

function refused(sample: number, what: string): ServeOptError {
  return new ServeOptError('SO4006', `The teacher ${what} for sample ${sample}`, {
    hint: 'remove this sample, or mask classes with -Infinity instead of NaN',
  });
}

/** Compares a student with the best classes of its teacher. */
export function evaluateTopK(
  teacher: TopKOutput,
  folder: string,
  student: ScoreFiles,
  set: RowSet,
  options: ClassesOptions,
  progress: (done: number, total: number) => void,
): TopKResult {
  const { classes, k } = teacher;
  const pairs = new TopKPairs({ classes, k, topK: options.topK, bins: options.bins });
  const [ids, logs] = [teacher.ids, teacher.logs].map((files) =>
    openNumberRows(files.map((file) => join(folder, file))),
  ) as [ReturnType<typeof openNumberRows>, ReturnType<typeof openNumberRows>];
  let done = 0;
  try {
    const report = (rows: number): void => {
      done += rows;
      progress(done, set.rows);
    };
    eachChunk([student], set, [0, set.rows], classes, report, ([scores], row, studentFrom) => {
      const place = set.places?.[row] ?? row;
      const sample = Math.floor(place / set.perSample);
      pairs.observe({
        ids: ids.read(sample, 1),
        logs: logs.read(sample, 1),
        row: place % set.perSample,
        student: scores as Float64Array,
        studentFrom,
        label: set.labels[row] as number,
        sample,
      });
    });
  } finally {
    ids.close();
    logs.close();
  }
  const found = pairs.result();
  const losses = topKLosses(found, options.alphas);
  return losses.length === 0 ? found : { ...found, losses };
}
