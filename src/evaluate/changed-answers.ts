import { type MetricChoice, rowDims } from './choose-metric.js';
import { blankOf, decodeCtc } from './ctc.js';
import { argMax, type EvaluatedTensor, floatElements } from './host-numbers.js';
import { decodeLabels } from './label-traits.js';

/** A labelled sample to which two models give different answers. Answers and labels as text: a class, or classes in a row. */
export interface ChangedAnswer {
  /** Index in the data, from 0. */
  readonly sample: number;
  /** Which of several labels of the sample, from 0. */
  readonly position?: number;
  readonly label: string;
  readonly a: string;
  readonly b: string;
}

/** Where the answers of two models differ. */
export interface ChangedAnswers {
  readonly count: number;
  /** The first of them in the order of the data, at most `MOST_CHANGED_ANSWERS`. */
  readonly first: readonly ChangedAnswer[];
}

/** So many changed answers are listed; all are counted. */
export const MOST_CHANGED_ANSWERS = 20;

/** Collects where the answers of two models to the same labelled samples differ. */
export interface ChangedAnswersCollector {
  /** Adds one run of both models: `rows` rows of the chosen output, whose labels begin at row `firstRow` of all labels. */
  add(a: EvaluatedTensor, b: EvaluatedTensor, labels: EvaluatedTensor, firstRow: number, rows: number): void;
  result(): ChangedAnswers;
  /** Of the answers that changed: how many were right before and are wrong now, and the other way round. */
  flips(): AnswerFlips;
}

/** Answers of which one model gives the right one and the other does not. */
export interface AnswerFlips {
  /** Right in A, wrong in B. */
  readonly worse: number;
  /** Wrong in A, right in B. */
  readonly better: number;
}

/**
 * A collector for outputs that give answers; undefined for those that give numbers, which all change, and for independent labels.
 * Labels below 0 are not scored and not listed.
 * @param firstSample index in the data of what the first label is for
 * @param ctcBlank class that means "nothing"; found in the first run where absent
 */
export function collectChangedAnswers(
  choice: MetricChoice,
  firstSample: number,
  ctcBlank?: number,
): ChangedAnswersCollector | undefined {
  const collector = collectorOf(choice, firstSample, ctcBlank);
  if (!collector) return undefined;
  let given: EvaluatedTensor | undefined;
  let decoded: EvaluatedTensor | undefined;
  return {
    add(a, b, labels, firstRow, rows) {
      if (given !== labels || !decoded) {
        given = labels;
        decoded = { ...decodeLabels(labels, choice.coding, choice.ignored), dims: [labels.dims[0] ?? 1] };
      }
      collector.add(a, b, decoded, firstRow, rows);
    },
    result: () => collector.result(),
    flips: () => collector.flips(),
  };
}

function collectorOf(
  { kind, axis = -1 }: MetricChoice,
  firstSample: number,
  ctcBlank: number | undefined,
): ChangedAnswersCollector | undefined {
  switch (kind) {
    case 'accuracy':
      return answersByLabel(firstSample, ({ data }) => data);
    case 'top-1':
      return answersByLabel(firstSample, (output, labels) => largestClasses(output, labels, axis));
    case 'ctc':
      return answersByRow(firstSample, ctcBlank);
    case 'auc':
      return binaryAnswers(firstSample);
    default:
      return undefined;
  }
}

type Answer = number | bigint | string;

/** Counts all and keeps the first. */
class Changes {
  #count = 0;
  #worse = 0;
  #better = 0;
  readonly #first: ChangedAnswer[] = [];

  add(answer: ChangedAnswer): void {
    this.#count++;
    if (answer.a === answer.label) this.#worse++;
    if (answer.b === answer.label) this.#better++;
    if (this.#first.length < MOST_CHANGED_ANSWERS) this.#first.push(answer);
  }

  result(): ChangedAnswers {
    return { count: this.#count, first: this.#first };
  }

  flips(): AnswerFlips {
    return { worse: this.#worse, better: this.#better };
  }
}

function isScored(label: unknown): boolean {
  return typeof label === 'string' || Number(label) >= 0;
}

/** One answer for each label. */
function answersByLabel(
  firstSample: number,
  answersOf: (output: EvaluatedTensor, labels: number) => ArrayLike<Answer>,
): ChangedAnswersCollector {
  const changes = new Changes();
  return {
    add(a, b, labels, firstRow, rows) {
      const width = labels.data.length / (labels.dims[0] ?? 1);
      const count = rows * width;
      const [answersA, answersB] = [answersOf(a, count), answersOf(b, count)];
      for (let i = 0; i < count; i++) {
        const label = labels.data[firstRow * width + i];
        const [answerA, answerB] = [answersA[i], answersB[i]];
        if (answerA === undefined || answerB === undefined || !isScored(label)) continue;
        // One model may give 32-bit integers where the other gives 64.
        if (answerA === answerB || String(answerA) === String(answerB)) continue;
        changes.add({
          sample: firstSample + firstRow + Math.floor(i / width),
          ...(width > 1 ? { position: i % width } : {}),
          label: String(label),
          a: String(answerA),
          b: String(answerB),
        });
      }
    },
    result: () => changes.result(),
    flips: () => changes.flips(),
  };
}

/** The likeliest class for each of `labels` labels; classes are along `axis`, counted from the end. */
function largestClasses(output: EvaluatedTensor, labels: number, axis: number): Int32Array {
  const values = floatElements(output);
  const { dims } = output;
  const classes = dims.at(axis) ?? 1;
  const stride = dims.slice(dims.length + axis + 1).reduce((product, size) => product * size, 1);
  return Int32Array.from({ length: labels }, (_, i) =>
    argMax(values, Math.floor(i / stride) * classes * stride + (i % stride), classes, stride),
  );
}

/** One sequence for each row. */
function answersByRow(firstSample: number, ctcBlank: number | undefined): ChangedAnswersCollector {
  const changes = new Changes();
  let blank = ctcBlank;
  const decoded = (output: EvaluatedTensor, rows: number, labels: EvaluatedTensor): string[] => {
    const [count = 0, steps = 0, classes = 0] = rowDims(output.dims, rows) ?? [];
    const values = floatElements(output);
    blank ??= blankOf(values, classes, labels);
    const none = blank;
    return Array.from({ length: count }, (_, row) =>
      decodeCtc(values, row * steps * classes, steps, classes, none).join(' '),
    );
  };
  return {
    add(a, b, labels, firstRow, rows) {
      const width = labels.data.length / (labels.dims[0] ?? 1);
      const [answersA, answersB] = [decoded(a, rows, labels), decoded(b, rows, labels)];
      for (let row = 0; row < rows; row++) {
        const [answerA, answerB] = [answersA[row], answersB[row]];
        if (answerA === undefined || answerB === undefined || answerA === answerB) continue;
        const from = (firstRow + row) * width;
        const label = Array.from({ length: width }, (_, i) => labels.data[from + i]);
        const end = label.findIndex((each) => !isScored(each));
        const text = label
          .slice(0, end < 0 ? width : end)
          .filter((each) => Number(each) !== blank)
          .join(' ');
        changes.add({ sample: firstSample + firstRow + row, label: text, a: answerA, b: answerB });
      }
    },
    result: () => changes.result(),
    flips: () => changes.flips(),
  };
}

/** One score a row: the class is 1 from the threshold on, which depends on whether any score is no probability. */
function binaryAnswers(firstSample: number): ChangedAnswersCollector {
  const scores: { readonly sample: number; readonly label: string; readonly a: number; readonly b: number }[] = [];
  const changes = (): Changes => {
    const found = new Changes();
    const threshold = scores.some(({ a }) => a < 0 || a > 1) ? 0 : 0.5;
    const answer = (score: number): string => (score >= threshold ? '1' : '0');
    for (const { sample, label, a, b } of scores)
      if (answer(a) !== answer(b)) found.add({ sample, label, a: answer(a), b: answer(b) });
    return found;
  };
  return {
    add(a, b, labels, firstRow, rows) {
      const [valuesA, valuesB] = [floatElements(a), floatElements(b)];
      for (let row = 0; row < rows; row++) {
        const label = labels.data[firstRow + row];
        const [scoreA, scoreB] = [valuesA[row], valuesB[row]];
        if (scoreA === undefined || scoreB === undefined || !isScored(label)) continue;
        scores.push({ sample: firstSample + firstRow + row, label: String(label), a: scoreA, b: scoreB });
      }
    },
    result: () => changes().result(),
    flips: () => changes().flips(),
  };
}
