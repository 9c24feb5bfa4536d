import type { Accumulator } from './accumulator.js';
import { type MetricChoice, rowDims } from './choose-metric.js';
import { blankOf, decodeCtc } from './ctc.js';
import { Flips } from './flips.js';
import { type EvaluatedTensor, floatElements, largestClasses } from './host-numbers.js';
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

/** One run of both models. */
export interface AnsweredRun {
  readonly a: EvaluatedTensor;
  readonly b: EvaluatedTensor;
  /** All labels; those of this run begin at row `firstRow`. */
  readonly labels: EvaluatedTensor;
  readonly firstRow: number;
  readonly rows: number;
}

/** Of the answers that changed: how many were right before and are wrong now, and the other way round. */
export interface AnswerFlips {
  /** Right in A, wrong in B. */
  readonly worse: number;
  /** Wrong in A, right in B. */
  readonly better: number;
}

export interface AnswersResult {
  readonly changed: ChangedAnswers;
  readonly flips: AnswerFlips;
}

type Answer = number | bigint | string;
type Found = (answer: ChangedAnswer) => void;

/** Finds the answers of a run that differ. */
type Finder = (run: AnsweredRun, found: Found) => void;

/** Collects where the answers of two models to the same labelled samples differ. Labels below 0 are neither scored nor listed. */
export class ChangedAnswersCollector implements Accumulator<AnsweredRun, AnswersResult> {
  readonly #choice: MetricChoice;
  readonly #find: Finder | undefined;
  readonly #firstSample: number;
  readonly #flips = new Flips();
  /** Of binary scores all: the class is 1 from the threshold on, which depends on whether any score is no probability. */
  readonly #scores: BinaryScore[] = [];
  #first: ChangedAnswer[] = [];
  #count = 0;
  #given: EvaluatedTensor | undefined;
  #decoded: EvaluatedTensor | undefined;

  /**
   * A collector for outputs that give answers; undefined for those that give numbers, which all change, and for independent labels.
   * @param firstSample index in the data of what the first label is for
   * @param ctcBlank class that means "nothing"; found in the first run where absent
   */
  static of(choice: MetricChoice, firstSample: number, ctcBlank?: number): ChangedAnswersCollector | undefined {
    const { kind, axis = -1 } = choice;
    switch (kind) {
      case 'accuracy':
        return new ChangedAnswersCollector(
          choice,
          firstSample,
          byLabel(firstSample, ({ data }) => data),
        );
      case 'top-1':
        return new ChangedAnswersCollector(
          choice,
          firstSample,
          byLabel(firstSample, (output) => largestClasses(floatElements(output), output.dims, axis)),
        );
      case 'ctc':
        return new ChangedAnswersCollector(choice, firstSample, byRow(firstSample, ctcBlank));
      case 'auc':
        return new ChangedAnswersCollector(choice, firstSample, undefined);
      default:
        return undefined;
    }
  }

  private constructor(choice: MetricChoice, firstSample: number, find: Finder | undefined) {
    this.#choice = choice;
    this.#firstSample = firstSample;
    this.#find = find;
  }

  observe(run: AnsweredRun): void {
    const { labels } = run;
    if (this.#given !== labels || !this.#decoded) {
      this.#given = labels;
      const { coding, ignored } = this.#choice;
      this.#decoded = { ...decodeLabels(labels, coding, ignored), dims: [labels.dims[0] ?? 1] };
    }
    const decoded = { ...run, labels: this.#decoded };
    if (this.#find) this.#find(decoded, (answer) => this.#add(answer));
    else this.#addScores(decoded);
  }

  merge(other: ChangedAnswersCollector): void {
    this.#flips.merge(other.#flips);
    this.#count += other.#count;
    this.#first = [...this.#first, ...other.#first]
      .sort((x, y) => x.sample - y.sample || (x.position ?? 0) - (y.position ?? 0))
      .slice(0, MOST_CHANGED_ANSWERS);
    for (const score of other.#scores) this.#scores.push(score);
  }

  result(): AnswersResult {
    if (!this.#find && this.#scores.length > 0) return this.#ofScores();
    const { lost, gained } = this.#flips.result();
    return { changed: { count: this.#count, first: this.#first }, flips: { worse: lost, better: gained } };
  }

  #add(answer: ChangedAnswer): void {
    this.#count++;
    this.#flips.observe({ teacher: answer.a === answer.label, student: answer.b === answer.label });
    if (this.#first.length < MOST_CHANGED_ANSWERS) this.#first.push(answer);
  }

  #addScores({ a, b, labels, firstRow, rows }: AnsweredRun): void {
    const [valuesA, valuesB] = [floatElements(a), floatElements(b)];
    for (let row = 0; row < rows; row++) {
      const label = labels.data[firstRow + row];
      const [scoreA, scoreB] = [valuesA[row], valuesB[row]];
      if (scoreA === undefined || scoreB === undefined || !isScored(label)) continue;
      this.#scores.push({ sample: this.#firstSample + firstRow + row, label: String(label), a: scoreA, b: scoreB });
    }
  }

  #ofScores(): AnswersResult {
    const threshold = this.#scores.some(({ a }) => a < 0 || a > 1) ? 0 : 0.5;
    const answer = (score: number): string => (score >= threshold ? '1' : '0');
    const found = new ChangedAnswersCollector(this.#choice, this.#firstSample, () => {});
    for (const { sample, label, a, b } of this.#scores)
      if (answer(a) !== answer(b)) found.#add({ sample, label, a: answer(a), b: answer(b) });
    return found.result();
  }
}

interface BinaryScore {
  readonly sample: number;
  readonly label: string;
  readonly a: number;
  readonly b: number;
}

function isScored(label: unknown): boolean {
  return typeof label === 'string' || Number(label) >= 0;
}

/** One answer for each label. */
function byLabel(firstSample: number, answersOf: (output: EvaluatedTensor) => ArrayLike<Answer>): Finder {
  return ({ a, b, labels, firstRow, rows }, found) => {
    const width = labels.data.length / (labels.dims[0] ?? 1);
    const [answersA, answersB] = [answersOf(a), answersOf(b)];
    for (let i = 0; i < rows * width; i++) {
      const label = labels.data[firstRow * width + i];
      const [answerA, answerB] = [answersA[i], answersB[i]];
      if (answerA === undefined || answerB === undefined || !isScored(label)) continue;
      // One model may give 32-bit integers where the other gives 64.
      if (answerA === answerB || String(answerA) === String(answerB)) continue;
      found({
        sample: firstSample + firstRow + Math.floor(i / width),
        ...(width > 1 ? { position: i % width } : {}),
        label: String(label),
        a: String(answerA),
        b: String(answerB),
      });
    }
  };
}

/** One sequence for each row. */
function byRow(firstSample: number, ctcBlank: number | undefined): Finder {
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
  return ({ a, b, labels, firstRow, rows }, found) => {
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
      found({ sample: firstSample + firstRow + row, label: text, a: answerA, b: answerB });
    }
  };
}
