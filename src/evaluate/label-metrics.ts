import { type MetricChoice, rowDims } from './choose-metric.js';
import type { MetricComparison, MetricName, MetricValue } from './comparison.js';
import { decodeCtc } from './ctc.js';
import { editDistance } from './edit-distance.js';
import { argMax, type EvaluatedTensor, floatElements } from './host-numbers.js';
import { proportion } from './proportion.js';
import { rocAuc } from './roc-auc.js';

/** Adds up a label metric of one model over many runs. */
export interface LabelScorer {
  /**
   * Adds one run.
   * @param output the chosen output, `rows` rows.
   * @param labels all labels; those of this run begin at row `firstRow`.
   */
  add(output: EvaluatedTensor, labels: EvaluatedTensor, firstRow: number, rows: number): void;
  /** Sums as kept; `compareMetrics` makes metrics of a pair. */
  readonly sums: ScoreSums;
}

/** What a scorer keeps. Which fields grow depends on the kind. */
export interface ScoreSums {
  n: number;
  correct: number;
  /** Reference characters and edits, for sequences. */
  characters: number;
  edits: number;
  absoluteError: number;
  squaredError: number;
  /** Scores and labels of binary classification, all of them: the area under the curve needs their order. */
  readonly scores: number[];
  readonly classes: number[];
}

/** A scorer for the chosen output. Labels below 0 are not scored. `ctcBlank` is the class that means "nothing" (default 0). */
export function labelScorer(choice: MetricChoice, ctcBlank = 0): LabelScorer {
  const sums: ScoreSums = {
    n: 0,
    correct: 0,
    characters: 0,
    edits: 0,
    absoluteError: 0,
    squaredError: 0,
    scores: [],
    classes: [],
  };
  return {
    sums,
    add(output, labels, firstRow, rows) {
      const dims = rowDims(output.dims, rows);
      if (!dims) return;
      const width = labels.data.length / (labels.dims[0] ?? 1);
      const from = firstRow * width;
      const count = rows * width;
      switch (choice.kind) {
        case 'equal':
          addEqual(sums, output, labels, from, count);
          break;
        case 'top1':
        case 'tokens':
          addTop1(sums, output, labels, from, count);
          break;
        case 'ctc':
          addSequences(sums, output, dims, labels, from, width, ctcBlank);
          break;
        case 'binary':
          addBinary(sums, output, labels, from, count);
          break;
        case 'regression':
          addErrors(sums, output, labels, from, count);
          break;
      }
    },
  };
}

function addEqual(
  sums: ScoreSums,
  output: EvaluatedTensor,
  labels: EvaluatedTensor,
  from: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const label = labels.data[from + i];
    const answer = output.data[i];
    if (typeof label !== 'string' && Number(label) < 0) continue;
    sums.n++;
    if (typeof label === 'string' ? answer === label : Number(answer) === Number(label)) sums.correct++;
  }
}

function addTop1(sums: ScoreSums, output: EvaluatedTensor, labels: EvaluatedTensor, from: number, count: number): void {
  const values = floatElements(output);
  const classes = values.length / count;
  for (let i = 0; i < count; i++) {
    const label = Number(labels.data[from + i]);
    if (label < 0) continue;
    sums.n++;
    if (argMax(values, i * classes, classes) === label) sums.correct++;
  }
}

function addSequences(
  sums: ScoreSums,
  output: EvaluatedTensor,
  dims: readonly number[],
  labels: EvaluatedTensor,
  from: number,
  width: number,
  blank: number,
): void {
  const [rows = 0, steps = 0, classes = 0] = dims;
  const values = floatElements(output);
  for (let row = 0; row < rows; row++) {
    const reference: number[] = [];
    for (let i = 0; i < width; i++) {
      const label = Number(labels.data[from + row * width + i]);
      if (label < 0) break;
      reference.push(label);
    }
    const decoded = decodeCtc(values, row * steps * classes, steps, classes, blank);
    const edits = editDistance(decoded, reference);
    sums.n++;
    if (edits === 0) sums.correct++;
    sums.edits += edits;
    sums.characters += reference.length;
  }
}

function addBinary(
  sums: ScoreSums,
  output: EvaluatedTensor,
  labels: EvaluatedTensor,
  from: number,
  count: number,
): void {
  const values = floatElements(output);
  for (let i = 0; i < count; i++) {
    const label = Number(labels.data[from + i]);
    if (label < 0) continue;
    sums.n++;
    sums.scores.push(values[i] as number);
    sums.classes.push(label);
  }
}

function addErrors(
  sums: ScoreSums,
  output: EvaluatedTensor,
  labels: EvaluatedTensor,
  from: number,
  count: number,
): void {
  const values = floatElements(output);
  for (let i = 0; i < count; i++) {
    const error = (values[i] as number) - Number(labels.data[from + i]);
    sums.n++;
    sums.absoluteError += Math.abs(error);
    sums.squaredError += error * error;
  }
}

/** The metrics of two scorers that saw the same samples, the one to quote first. */
export function compareMetrics(choice: MetricChoice, a: LabelScorer, b: LabelScorer): MetricComparison[] {
  const { output, explanation } = choice;
  const metric = (
    name: MetricName,
    higherIsBetter: boolean,
    of: (sums: ScoreSums) => MetricValue,
  ): MetricComparison => {
    const [valueA, valueB] = [of(a.sums), of(b.sums)];
    const difference = valueB.value - valueA.value;
    return { metric: name, output, higherIsBetter, a: valueA, b: valueB, difference, explanation };
  };
  const share = (sums: ScoreSums) => proportion(sums.correct, sums.n);
  switch (choice.kind) {
    case 'equal':
      return [metric('accuracy', true, share)];
    case 'top1':
    case 'tokens':
      return [metric('top-1 accuracy', true, share)];
    case 'ctc':
      return [
        metric('exact sequence match', true, share),
        metric('character error rate', false, (s) => ({ value: s.edits / s.characters, n: s.characters })),
      ];
    case 'binary': {
      // Scores beyond 0 and 1 are no probabilities; logits are cut at 0. One threshold for both models: that of A.
      const logits = a.sums.scores.some((score) => score < 0 || score > 1);
      const threshold = logits ? 0 : 0.5;
      return [
        metric('ROC AUC', true, (s) => ({ value: rocAuc(s.scores, s.classes), n: s.n })),
        metric(logits ? 'accuracy at 0' : 'accuracy at 0.5', true, (s) => accuracyAt(s, threshold)),
      ];
    }
    case 'regression':
      return [
        metric('mean absolute error', false, (s) => ({ value: s.absoluteError / s.n, n: s.n })),
        metric('root mean square error', false, (s) => ({ value: Math.sqrt(s.squaredError / s.n), n: s.n })),
      ];
  }
}

function accuracyAt(sums: ScoreSums, threshold: number): MetricValue {
  let correct = 0;
  for (const [i, score] of sums.scores.entries()) if ((score >= threshold ? 1 : 0) === sums.classes[i]) correct++;
  return proportion(correct, sums.n);
}
