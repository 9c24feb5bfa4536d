import { describe, expect, it } from 'vitest';
import { ChangedAnswersCollector, MOST_CHANGED_ANSWERS } from '../../src/evaluate/changed-answers.js';
import type { ScoringKind } from '../../src/evaluate/scoring-kinds.js';
import { DataType } from '../../src/tensor/dtype.js';

const floats = (dims: readonly number[], values: readonly number[]) => ({
  dataType: DataType.FLOAT,
  dims,
  data: Float32Array.from(values),
});
const integers = (dims: readonly number[], values: readonly number[]) => ({
  dataType: DataType.INT64,
  dims,
  data: BigInt64Array.from(values, BigInt),
});
const collector = (kind: ScoringKind, first = 0) =>
  ChangedAnswersCollector.of({ kind, coding: 'classes', output: 'y', explanation: '' }, first, 0);

describe('changed answers', () => {
  it('are the largest scores that differ, with the index in the data', () => {
    const changes = collector('top-1', 100);
    const labels = integers([4], [0, 1, 1, -1]);
    changes?.observe({
      a: floats([2, 2], [2, 1, 1, 2]),
      b: floats([2, 2], [1, 2, 1, 2]),
      labels,
      firstRow: 0,
      rows: 2,
    });
    changes?.observe({
      a: floats([2, 2], [2, 1, 2, 1]),
      b: floats([2, 2], [1, 2, 1, 2]),
      labels,
      firstRow: 2,
      rows: 2,
    });
    // The last label is not scored.
    expect(changes?.result().changed).toEqual({
      count: 2,
      first: [
        { sample: 100, label: '0', a: '0', b: '1' },
        { sample: 102, label: '1', a: '0', b: '1' },
      ],
    });
  });

  it('say which of several labels', () => {
    const changes = collector('top-1');
    const labels = integers([1, 3], [1, 0, 1]);
    changes?.observe({
      a: floats([1, 3, 2], [0, 1, 1, 0, 0, 1]),
      b: floats([1, 3, 2], [0, 1, 1, 0, 1, 0]),
      labels,
      firstRow: 0,
      rows: 1,
    });
    expect(changes?.result().changed.first).toEqual([{ sample: 0, position: 2, label: '1', a: '1', b: '0' }]);
  });

  it('are given answers of any type', () => {
    const changes = collector('accuracy');
    const narrow = { dataType: DataType.INT32, dims: [3], data: Int32Array.from([1, 2, 4]) };
    changes?.observe({
      a: integers([3], [1, 2, 3]),
      b: narrow,
      labels: integers([3], [1, 1, 1]),
      firstRow: 0,
      rows: 3,
    });
    expect(changes?.result().changed).toEqual({ count: 1, first: [{ sample: 2, label: '1', a: '3', b: '4' }] });
  });

  it('are sequences of CTC outputs', () => {
    const changes = collector('ctc');
    const a = floats([1, 3, 3], [0, 1, 0, 1, 0, 0, 0, 0, 1]);
    const b = floats([1, 3, 3], [0, 1, 0, 1, 0, 0, 1, 0, 0]);
    changes?.observe({ a, b, labels: integers([1, 3], [1, 2, -1]), firstRow: 0, rows: 1 });
    expect(changes?.result().changed.first).toEqual([{ sample: 0, label: '1 2', a: '1 2', b: '1' }]);
  });

  it('are classes of one score at 0.5, or at 0 for logits of the first model', () => {
    const probabilities = collector('auc');
    probabilities?.observe({
      a: floats([3], [0.4, 0.6, 0.7]),
      b: floats([3], [0.6, 0.7, 0.4]),
      labels: integers([3], [1, 1, 0]),
      firstRow: 0,
      rows: 3,
    });
    expect(probabilities?.result().changed.first).toEqual([
      { sample: 0, label: '1', a: '0', b: '1' },
      { sample: 2, label: '0', a: '1', b: '0' },
    ]);
    const logits = collector('auc');
    logits?.observe({
      a: floats([2], [-3, 0.2]),
      b: floats([2], [0.1, 0.4]),
      labels: integers([2], [0, 0]),
      firstRow: 0,
      rows: 2,
    });
    expect(logits?.result().changed.first).toEqual([{ sample: 0, label: '0', a: '0', b: '1' }]);
  });

  it('are counted beyond those that are listed, and are none of a regression', () => {
    const changes = collector('top-1');
    const rows = MOST_CHANGED_ANSWERS + 5;
    const scores = (first: number) => floats([rows, 2], Array.from({ length: rows }, () => [first, 1 - first]).flat());
    changes?.observe({
      a: scores(1),
      b: scores(0),
      labels: integers([rows], new Array<number>(rows).fill(0)),
      firstRow: 0,
      rows,
    });
    expect(changes?.result().changed.count).toBe(rows);
    expect(changes?.result().changed.first.length).toBe(MOST_CHANGED_ANSWERS);
    expect(collector('error')).toBeUndefined();
  });
});
