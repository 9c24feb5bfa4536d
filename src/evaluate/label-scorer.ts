import type { Accumulator } from './accumulator.js';
import { type MetricChoice, rowDims } from './choose-metric.js';
import { blankOf, decodeCtc } from './ctc.js';
import { type DecisionCounts, Decisions } from './decisions.js';
import { type ErrorFigures, ErrorSums } from './error-sums.js';
import { type EvaluatedTensor, floatElements, largestClasses } from './host-numbers.js';
import { decodeLabels } from './label-traits.js';
import { NextTokenLoss, type NextTokenSums } from './perplexity.js';
import { SequenceEdits, type SequenceErrors } from './sequence-edits.js';

/** One run of one model. */
export interface ScoredRun {
  /** The chosen output, `rows` rows. */
  readonly output: EvaluatedTensor;
  /** All labels; those of this run begin at row `firstRow`. */
  readonly labels: EvaluatedTensor;
  readonly firstRow: number;
  readonly rows: number;
}

/** What a scorer counted. Which fields say something depends on the kind of the metric. */
export interface ScoreSums {
  readonly n: number;
  readonly correct: number;
  /** Labels below 0 that were not scored. */
  readonly unscored: number;
  /** Labels below 0 of `accuracy`, which are classes where a model answers such numbers: how many, and how many right. */
  readonly negative: number;
  readonly negativeCorrect: number;
  readonly answersNegative: boolean;
  readonly sequences: SequenceErrors;
  readonly errors: ErrorFigures;
  readonly nextTokens: NextTokenSums;
  /** Of independent labels, at 0.5 for probabilities and at 0 for logits, which one score beyond 0 and 1 shows. */
  readonly atHalf: DecisionCounts;
  readonly atZero: DecisionCounts;
  readonly logits: boolean;
  /** Scores and labels of binary classification, all of them: the area under the curve needs their order. */
  readonly scores: readonly number[];
  readonly classes: readonly number[];
}

/** Adds up a label metric of one model over many runs; `compareMetrics` makes metrics of a pair. */
export class LabelScorer implements Accumulator<ScoredRun, ScoreSums> {
  readonly #choice: MetricChoice;
  readonly #sequences = new SequenceEdits();
  readonly #errors = new ErrorSums();
  readonly #nextTokens = new NextTokenLoss();
  readonly #atHalf = new Decisions();
  readonly #atZero = new Decisions();
  readonly #scores: number[] = [];
  readonly #classes: number[] = [];
  readonly #counts = { n: 0, correct: 0, unscored: 0, negative: 0, negativeCorrect: 0 };
  #answersNegative = false;
  #logits = false;
  #blank: number | undefined;
  #given: EvaluatedTensor | undefined;
  #decoded: EvaluatedTensor | undefined;

  /** @param ctcBlank the class that means "nothing"; found in the first run where absent */
  constructor(choice: MetricChoice, ctcBlank?: number) {
    this.#choice = choice;
    this.#blank = ctcBlank;
  }

  observe({ output, labels, firstRow, rows }: ScoredRun): void {
    const dims = rowDims(output.dims, rows);
    if (!dims) return;
    const { kind, coding, ignored, axis = -1 } = this.#choice;
    if (this.#given !== labels || this.#decoded === undefined) {
      this.#given = labels;
      this.#decoded = decodeLabels(labels, coding, ignored);
    }
    const decoded = this.#decoded;
    const width = decoded.data.length / (labels.dims[0] ?? 1);
    const from = firstRow * width;
    const count = rows * width;
    switch (kind) {
      case 'accuracy':
        this.#addEqual(output, decoded, from, count);
        break;
      case 'top-1':
        this.#addTop1(output, axis, decoded, from, count);
        break;
      case 'ctc':
        this.#addSequences(output, dims, decoded, from, width);
        break;
      case 'auc':
        this.#addScores(output, decoded, from, count, (score, label) => {
          this.#scores.push(score);
          this.#classes.push(label);
        });
        break;
      case 'multi-label':
        this.#addScores(output, decoded, from, count, (score, label) => {
          this.#atHalf.observe({ says: score >= 0.5, holds: label === 1 });
          this.#atZero.observe({ says: score >= 0, holds: label === 1 });
        });
        break;
      case 'perplexity':
        this.#addNextTokens(output, dims, decoded, firstRow, width);
        break;
      case 'error': {
        this.#counts.n += count;
        const wanted = Float64Array.from({ length: count }, (_, i) => Number(decoded.data[from + i]));
        this.#errors.observe({ a: wanted, b: floatElements(output) });
        break;
      }
    }
  }

  merge(other: LabelScorer): void {
    const counts = this.#counts;
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += other.#counts[key];
    this.#sequences.merge(other.#sequences);
    this.#errors.merge(other.#errors);
    this.#nextTokens.merge(other.#nextTokens);
    this.#atHalf.merge(other.#atHalf);
    this.#atZero.merge(other.#atZero);
    for (const score of other.#scores) this.#scores.push(score);
    for (const label of other.#classes) this.#classes.push(label);
    this.#answersNegative ||= other.#answersNegative;
    this.#logits ||= other.#logits;
    this.#blank ??= other.#blank;
  }

  result(): ScoreSums {
    return {
      ...this.#counts,
      answersNegative: this.#answersNegative,
      sequences: this.#sequences.result(),
      errors: this.#errors.result(),
      nextTokens: this.#nextTokens.result(),
      atHalf: this.#atHalf.result(),
      atZero: this.#atZero.result(),
      logits: this.#logits,
      scores: this.#scores,
      classes: this.#classes,
    };
  }

  #addEqual(output: EvaluatedTensor, labels: EvaluatedTensor, from: number, count: number): void {
    const counts = this.#counts;
    for (let i = 0; i < count; i++) {
      const label = labels.data[from + i];
      const answer = output.data[i];
      if (typeof label === 'string') {
        counts.n++;
        if (answer === label) counts.correct++;
        continue;
      }
      // Labels of −1 and +1 are 0 and 1 here, whichever of both the model gives.
      const given = this.#choice.coding === 'signs' ? (Number(answer) > 0 ? 1 : 0) : Number(answer);
      const right = given === Number(label);
      if (given < 0) this.#answersNegative = true;
      if (Number(label) < 0) {
        counts.negative++;
        if (right) counts.negativeCorrect++;
      } else {
        counts.n++;
        if (right) counts.correct++;
      }
    }
  }

  /** Classes along `axis`; labels have the other dims in their order. */
  #addTop1(output: EvaluatedTensor, axis: number, labels: EvaluatedTensor, from: number, count: number): void {
    const best = largestClasses(floatElements(output), output.dims, axis);
    const counts = this.#counts;
    for (let i = 0; i < count; i++) {
      const label = Number(labels.data[from + i]);
      if (label < 0) {
        counts.unscored++;
        continue;
      }
      counts.n++;
      if (best[i] === label) counts.correct++;
    }
  }

  #addSequences(
    output: EvaluatedTensor,
    [rows = 0, steps = 0, classes = 0]: readonly number[],
    labels: EvaluatedTensor,
    from: number,
    width: number,
  ): void {
    const values = floatElements(output);
    this.#blank ??= blankOf(values, classes, labels);
    const blank = this.#blank;
    for (let row = 0; row < rows; row++) {
      const wanted: number[] = [];
      for (let i = 0; i < width; i++) {
        const label = Number(labels.data[from + row * width + i]);
        if (label < 0) break;
        // Rows may also be filled up with the blank, which no text holds.
        if (label !== blank) wanted.push(label);
      }
      this.#sequences.observe({ wanted, given: decodeCtc(values, row * steps * classes, steps, classes, blank) });
    }
  }

  #addNextTokens(
    output: EvaluatedTensor,
    [rows = 0, steps = 0, vocabulary = 0]: readonly number[],
    labels: EvaluatedTensor,
    firstRow: number,
    width: number,
  ): void {
    const label = (row: number, step: number): number => Number(labels.data[(firstRow + row) * width + step] ?? -1);
    this.#nextTokens.observe({ values: floatElements(output), rows, steps, vocabulary, label });
  }

  /** One score for each label; labels below 0 are not scored. */
  #addScores(
    output: EvaluatedTensor,
    labels: EvaluatedTensor,
    from: number,
    count: number,
    add: (score: number, label: number) => void,
  ): void {
    const values = floatElements(output);
    for (let i = 0; i < count; i++) {
      const label = Number(labels.data[from + i]);
      if (label < 0) {
        this.#counts.unscored++;
        continue;
      }
      const score = values[i] as number;
      this.#counts.n++;
      if (score < 0 || score > 1) this.#logits = true;
      add(score, label);
    }
  }
}
