import { type MetricChoice, rowDims } from './choose-metric.js';
import { blankOf, decodeCtc } from './ctc.js';
import { editDistance } from './edit-distance.js';
import { argMax, type EvaluatedTensor, floatElements } from './host-numbers.js';
import { decodeLabels } from './label-traits.js';

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

/** Decisions of independent labels at one threshold. */
export interface LabelCounts {
  truePositive: number;
  falsePositive: number;
  falseNegative: number;
  correct: number;
}

/** What a scorer keeps. Which fields grow depends on the kind. */
export interface ScoreSums {
  n: number;
  correct: number;
  /** Labels below 0 that were not scored. */
  unscored: number;
  /** Labels below 0 of `accuracy`, which are classes where a model answers such numbers: how many, and how many right. */
  negative: number;
  negativeCorrect: number;
  answersNegative: boolean;
  /** Reference characters and edits, for sequences. */
  characters: number;
  edits: number;
  absoluteError: number;
  squaredError: number;
  /** Of independent labels, at 0.5 for probabilities and at 0 for logits, which one score beyond 0 and 1 shows. */
  readonly atHalf: LabelCounts;
  readonly atZero: LabelCounts;
  logits: boolean;
  /** Scores and labels of binary classification, all of them: the area under the curve needs their order. */
  readonly scores: number[];
  readonly classes: number[];
}

const noCounts = (): LabelCounts => ({ truePositive: 0, falsePositive: 0, falseNegative: 0, correct: 0 });

/** A scorer for the chosen output. `ctcBlank` is the class that means "nothing"; found in the first run where absent. */
export function labelScorer(choice: MetricChoice, ctcBlank?: number): LabelScorer {
  const sums: ScoreSums = {
    n: 0,
    correct: 0,
    unscored: 0,
    negative: 0,
    negativeCorrect: 0,
    answersNegative: false,
    characters: 0,
    edits: 0,
    absoluteError: 0,
    squaredError: 0,
    atHalf: noCounts(),
    atZero: noCounts(),
    logits: false,
    scores: [],
    classes: [],
  };
  let given: EvaluatedTensor | undefined;
  let decoded: EvaluatedTensor | undefined;
  let blank = ctcBlank;
  return {
    sums,
    add(output, labels, firstRow, rows) {
      const dims = rowDims(output.dims, rows);
      if (!dims) return;
      if (given !== labels || decoded === undefined) {
        given = labels;
        decoded = decodeLabels(labels, choice.coding, choice.ignored);
      }
      const width = decoded.data.length / (labels.dims[0] ?? 1);
      const from = firstRow * width;
      const count = rows * width;
      switch (choice.kind) {
        case 'accuracy':
          addEqual(sums, output, decoded, from, count, choice.coding);
          break;
        case 'top-1':
          addTop1(sums, output, choice.axis ?? -1, decoded, from, count);
          break;
        case 'ctc':
          blank ??= blankOf(floatElements(output), dims[2] ?? 0, decoded);
          addSequences(sums, output, dims, decoded, from, width, blank);
          break;
        case 'auc':
          addBinary(sums, output, decoded, from, count);
          break;
        case 'multi-label':
          addMultiLabel(sums, output, decoded, from, count);
          break;
        case 'error':
          addErrors(sums, output, decoded, from, count);
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
  coding: MetricChoice['coding'],
): void {
  for (let i = 0; i < count; i++) {
    const label = labels.data[from + i];
    const answer = output.data[i];
    if (typeof label === 'string') {
      sums.n++;
      if (answer === label) sums.correct++;
      continue;
    }
    // Labels of −1 and +1 are 0 and 1 here, whichever of both the model gives.
    const given = coding === 'signs' ? (Number(answer) > 0 ? 1 : 0) : Number(answer);
    const right = given === Number(label);
    if (given < 0) sums.answersNegative = true;
    if (Number(label) < 0) {
      sums.negative++;
      if (right) sums.negativeCorrect++;
    } else {
      sums.n++;
      if (right) sums.correct++;
    }
  }
}

/** Classes along `axis`, counted from the end; labels have the other dims in their order. */
function addTop1(
  sums: ScoreSums,
  output: EvaluatedTensor,
  axis: number,
  labels: EvaluatedTensor,
  from: number,
  count: number,
): void {
  const values = floatElements(output);
  const { dims } = output;
  const classes = dims.at(axis) ?? 1;
  const stride = dims.slice(dims.length + axis + 1).reduce((product, size) => product * size, 1);
  for (let i = 0; i < count; i++) {
    const label = Number(labels.data[from + i]);
    if (label < 0) {
      sums.unscored++;
      continue;
    }
    sums.n++;
    const start = Math.floor(i / stride) * classes * stride + (i % stride);
    if (argMax(values, start, classes, stride) === label) sums.correct++;
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
      // Rows may also be filled up with the blank, which no text holds.
      if (label !== blank) reference.push(label);
    }
    const decoded = decodeCtc(values, row * steps * classes, steps, classes, blank);
    const edits = editDistance(decoded, reference);
    sums.n++;
    if (edits === 0) sums.correct++;
    sums.edits += edits;
    sums.characters += reference.length;
  }
}

function addBinary(sums: ScoreSums, ...run: ScoredRun): void {
  addScores(sums, run, (score, label) => {
    sums.scores.push(score);
    sums.classes.push(label);
  });
}

function addMultiLabel(sums: ScoreSums, ...run: ScoredRun): void {
  addScores(sums, run, (score, label) => {
    addDecision(sums.atHalf, score >= 0.5, label === 1);
    addDecision(sums.atZero, score >= 0, label === 1);
  });
}

type ScoredRun = readonly [output: EvaluatedTensor, labels: EvaluatedTensor, from: number, count: number];

/** One score for each label; labels below 0 are not scored. */
function addScores(
  sums: ScoreSums,
  [output, labels, from, count]: ScoredRun,
  add: (score: number, label: number) => void,
): void {
  const values = floatElements(output);
  for (let i = 0; i < count; i++) {
    const label = Number(labels.data[from + i]);
    if (label < 0) {
      sums.unscored++;
      continue;
    }
    const score = values[i] as number;
    sums.n++;
    if (score < 0 || score > 1) sums.logits = true;
    add(score, label);
  }
}

function addDecision(counts: LabelCounts, said: boolean, holds: boolean): void {
  if (said === holds) counts.correct++;
  if (said && holds) counts.truePositive++;
  else if (said) counts.falsePositive++;
  else if (holds) counts.falseNegative++;
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
