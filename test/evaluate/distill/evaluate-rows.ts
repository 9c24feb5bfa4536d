/** All figures of rows of logits in memory, under the names of references.json. */

import { EqualWidthCalibration } from '../../../src/evaluate/distill/calibration.js';
import { fidelityResult, labelledResult, type QualityResult } from '../../../src/evaluate/distill/class-result.js';
import { fitTemperature, moveConfidence, ScaledLoss } from '../../../src/evaluate/distill/fitted-temperature.js';
import { LogitPairs } from '../../../src/evaluate/distill/logit-pairs.js';
import { RowColumns } from '../../../src/evaluate/distill/row-columns.js';

export interface Rows {
  readonly rows: number;
  readonly classes: number;
  readonly topK: number;
  readonly bins: number;
  readonly temperatures: readonly number[];
  readonly teacher: Float64Array | Float32Array;
  readonly student: Float64Array | Float32Array;
  readonly labels?: readonly number[];
  readonly plain?: boolean;
  /** Rows after which another accumulator takes over; all are merged. */
  readonly parts?: readonly number[];
}

export async function evaluateRows(given: Rows) {
  const { rows, classes, topK, bins, temperatures, teacher, student, labels, plain = false } = given;
  const columns = RowColumns.ofRows(rows, temperatures.length);
  const options = { width: classes, temperatures, topK, bins, plain };
  const bounds = [0, ...(given.parts ?? []), rows];
  const accumulators = bounds.slice(1).map((end, part) => {
    const pairs = new LogitPairs(options, columns);
    for (let row = bounds[part] as number; row < end; row++)
      pairs.observe({ teacher, student, from: row * classes, label: labels?.[row] ?? -1, at: row, sample: row });
    return pairs;
  });
  const [first, ...rest] = accumulators as [LogitPairs, ...LogitPairs[]];
  for (const other of rest) first.merge(other);
  const sums = first.result();
  const fidelity = fidelityResult(columns, sums, temperatures, topK);
  const numbers = { places: undefined, perSample: 1 };
  const labelled = labelledResult(columns, sums, { bins, topK, width: classes, numbers });
  return {
    agreement: fidelity.agreement.top1.value,
    overlap: fidelity.topK.overlap,
    kappa: fidelity.agreement.kappa,
    jensenShannon: fidelity.jensenShannon,
    totalVariation: fidelity.totalVariation,
    logitMse: fidelity.logitMse,
    standardizedLogitMse: fidelity.standardizedLogitMse,
    rankCorrelation: fidelity.rankCorrelation,
    temperatures: fidelity.temperatures.map((row) => ({ ...row, relEntr: row.kl })),
    ...(labelled
      ? {
          labelled: {
            lost: labelled.flips.lost,
            gained: labelled.flips.gained,
            mcnemarP: labelled.flips.mcnemarP,
            teacher: await quality(labelled.teacher, 'rankTeacher', columns, teacher, given),
            student: await quality(labelled.student, 'rankStudent', columns, student, given),
          },
        }
      : {}),
  };
}

async function quality(
  found: QualityResult,
  rank: 'rankTeacher' | 'rankStudent',
  columns: RowColumns,
  scores: Float64Array | Float32Array,
  given: Rows,
) {
  const { rows, classes, labels = [], plain } = given;
  const kept = { confidence: new Float64Array(rows), lean: new Float64Array(rows) };
  const fitted = await fitTemperature(async (scale) => {
    const loss = new ScaledLoss(classes, scale, kept, plain);
    for (let row = 0; row < rows; row++)
      loss.observe({ scores, from: row * classes, label: labels[row] as number, at: row, sample: row });
    return loss.result();
  });
  moveConfidence(kept, fitted.step);
  const calibration = new EqualWidthCalibration(given.bins);
  const ranks = columns.classes(rank);
  for (let row = 0; row < rows; row++)
    calibration.observe({ confidence: kept.confidence[row] as number, correct: ranks[row] === 0 });
  return {
    top1: found.top1.value,
    topK: found.topK.value,
    macroF1: found.f1.macro,
    microF1: found.f1.micro,
    weightedF1: found.f1.weighted,
    nll: found.nll,
    brier: found.brier,
    ece: found.equalWidth.ece,
    mce: found.equalWidth.mce,
    equalMassEce: found.equalMass.ece,
    classwiseEce: found.classwiseEce,
    fitted: { ...fitted, ece: calibration.result().ece },
  };
}
