import type { Accumulator } from '../accumulator.js';
import { f1 } from '../decisions.js';
import { type Proportion, pairedDifference, proportion } from '../proportion.js';

/** What both models predict for a labelled row. */
export interface LabelledPrediction {
  readonly label: number;
  readonly teacher: number;
  readonly student: number;
}

/** One class, of the rows that are of it. */
export interface ClassDelta {
  readonly label: number;
  /** Share of its rows that each model has right, with 95 % intervals. */
  readonly teacher: Proportion;
  readonly student: Proportion;
  /** Student less teacher, with the interval of the pairs. */
  readonly difference: number;
  readonly differenceLow: number;
  readonly differenceHigh: number;
  readonly f1Teacher: number;
  readonly f1Student: number;
}

/** Rows of a class that a model takes for another. */
export interface ConfusionCell {
  readonly label: number;
  readonly predicted: number;
  readonly teacher: number;
  readonly student: number;
}

/** Rows by label and prediction, for all classes or for those whose confusions changed most. */
export interface ConfusionTable {
  /** In rising order, at most 16. */
  readonly classes: readonly number[];
  /** Classes that labels and predictions name. */
  readonly of: number;
  /** Rows of the label `classes[i]` that the model takes for `classes[j]`. */
  readonly teacher: readonly (readonly number[])[];
  readonly student: readonly (readonly number[])[];
}

/** F1 of a model over classes. */
export interface F1Scores {
  /** Mean over the classes that labels or predictions name. */
  readonly macro: number;
  /** Of all rows together, which is the share right. */
  readonly micro: number;
  /** Mean over classes, weighted by their rows. */
  readonly weighted: number;
}

export interface ClassCountsResult {
  readonly classes: readonly ClassDelta[];
  /** Cells off the diagonal that changed most, at most 200. */
  readonly confusion: readonly ConfusionCell[];
  readonly table: ConfusionTable;
  readonly f1: readonly [teacher: F1Scores, student: F1Scores];
}

/** Counts for a class. */
interface ClassTally {
  rows: number;
  rightTeacher: number;
  rightStudent: number;
  better: number;
  worse: number;
  predictedTeacher: number;
  predictedStudent: number;
}

/** Counts labels and predictions by class: what changed for each class, and which classes are confused more or less. */
export class ClassCounts implements Accumulator<LabelledPrediction, ClassCountsResult> {
  readonly #classes: Map<number, ClassTally> = new Map();
  /** By `label * 2^26 + predicted`: rows of the teacher times 2^26, and those of the student. One number a cell, as there may be many. */
  readonly #cells: Map<number, number> = new Map();

  observe({ label, teacher, student }: LabelledPrediction): void {
    this.#tally(teacher).predictedTeacher++;
    this.#tally(student).predictedStudent++;
    const tally = this.#tally(label);
    tally.rows++;
    const [rightTeacher, rightStudent] = [teacher === label, student === label];
    if (rightTeacher) tally.rightTeacher++;
    if (rightStudent) tally.rightStudent++;
    if (rightTeacher && !rightStudent) tally.worse++;
    if (rightStudent && !rightTeacher) tally.better++;
    if (!rightTeacher) this.#raise(label * KEY + teacher, KEY);
    if (!rightStudent) this.#raise(label * KEY + student, 1);
  }

  merge(other: ClassCounts): void {
    for (const [label, tally] of other.#classes) {
      const own = this.#tally(label);
      for (const key of Object.keys(own) as (keyof ClassTally)[]) own[key] += tally[key];
    }
    for (const [key, counts] of other.#cells) this.#raise(key, counts);
  }

  result(): ClassCountsResult {
    const sorted = [...this.#classes].sort(([a], [b]) => a - b);
    const classes = sorted.flatMap(([label, tally]) => (tally.rows === 0 ? [] : [classDelta(label, tally)]));
    const change = (counts: number): number => Math.abs((counts % KEY) - Math.floor(counts / KEY));
    const confusion = [...this.#cells]
      .sort(([a, countsA], [b, countsB]) => change(countsB) - change(countsA) || a - b)
      .slice(0, MOST_CONFUSIONS)
      .map(([key, counts]) => ({
        label: Math.floor(key / KEY),
        predicted: key % KEY,
        teacher: Math.floor(counts / KEY),
        student: counts % KEY,
      }));
    const tallies = sorted.map(([, tally]) => tally);
    return {
      classes,
      confusion,
      table: this.#table(),
      f1: [
        f1Scores(tallies, (t) => [t.rightTeacher, t.predictedTeacher]),
        f1Scores(tallies, (t) => [t.rightStudent, t.predictedStudent]),
      ],
    };
  }

  #table(): ConfusionTable {
    const changed = new Map<number, number>([...this.#classes.keys()].map((label) => [label, 0]));
    for (const [key, counts] of this.#cells) {
      const change = Math.abs((counts % KEY) - Math.floor(counts / KEY));
      for (const label of [Math.floor(key / KEY), key % KEY])
        changed.set(label, (changed.get(label) as number) + change);
    }
    // Where not all have room, those without a change would only hide the others.
    const classes = [...changed]
      .filter(([, change]) => change > 0 || changed.size <= MOST_IN_TABLE)
      .sort(([a, changeA], [b, changeB]) => changeB - changeA || a - b)
      .slice(0, MOST_IN_TABLE)
      .map(([label]) => label)
      .sort((a, b) => a - b);
    const rows = (side: 'Teacher' | 'Student') =>
      classes.map((label) => classes.map((predicted) => this.#count(label, predicted, side)));
    return { classes, of: changed.size, teacher: rows('Teacher'), student: rows('Student') };
  }

  #count(label: number, predicted: number, side: 'Teacher' | 'Student'): number {
    if (label === predicted) return this.#classes.get(label)?.[`right${side}`] ?? 0;
    const counts = this.#cells.get(label * KEY + predicted) ?? 0;
    return side === 'Teacher' ? Math.floor(counts / KEY) : counts % KEY;
  }

  #tally(label: number): ClassTally {
    let tally = this.#classes.get(label);
    if (!tally) {
      tally = {
        rows: 0,
        rightTeacher: 0,
        rightStudent: 0,
        better: 0,
        worse: 0,
        predictedTeacher: 0,
        predictedStudent: 0,
      };
      this.#classes.set(label, tally);
    }
    return tally;
  }

  #raise(key: number, by: number): void {
    this.#cells.set(key, (this.#cells.get(key) ?? 0) + by);
  }
}

/** Cells that a result has: of a thousand classes there are hundreds of thousands. */
const MOST_CONFUSIONS = 200;

/** Classes of the table: as many as a drawing has room for. */
const MOST_IN_TABLE = 16;

/** More classes than any model has; the product of two stays a safe integer. */
const KEY = 2 ** 26;

function classDelta(label: number, tally: ClassTally): ClassDelta {
  const { rows, rightTeacher, rightStudent, better, worse } = tally;
  const { low, high } = pairedDifference(better, worse, rows);
  return {
    label,
    teacher: proportion(rightTeacher, rows),
    student: proportion(rightStudent, rows),
    difference: (rightStudent - rightTeacher) / rows,
    differenceLow: low,
    differenceHigh: high,
    f1Teacher: f1({ truePositive: rightTeacher, said: tally.predictedTeacher, held: rows }, 0),
    f1Student: f1({ truePositive: rightStudent, said: tally.predictedStudent, held: rows }, 0),
  };
}

function f1Scores(
  tallies: readonly ClassTally[],
  of: (tally: ClassTally) => readonly [right: number, predicted: number],
): F1Scores {
  let [macro, named, weighted, rows, rightOfAll] = [0, 0, 0, 0, 0];
  for (const tally of tallies) {
    const [right, predicted] = of(tally);
    // As scikit-learn does, a class counts where a label or a prediction of this model names it.
    if (tally.rows === 0 && predicted === 0) continue;
    const ofClass = f1({ truePositive: right, said: predicted, held: tally.rows }, 0);
    macro += ofClass;
    named++;
    weighted += ofClass * tally.rows;
    rows += tally.rows;
    rightOfAll += right;
  }
  return { macro: macro / named, micro: rightOfAll / rows, weighted: weighted / rows };
}
