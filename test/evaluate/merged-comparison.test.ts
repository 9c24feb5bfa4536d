import { describe, expect, it } from 'vitest';
import { ChangedAnswersCollector } from '../../src/evaluate/changed-answers.js';
import type { MetricChoice } from '../../src/evaluate/choose-metric.js';
import type { EvaluatedTensor } from '../../src/evaluate/host-numbers.js';
import { LabelScorer } from '../../src/evaluate/label-scorer.js';
import { OutputDifferences } from '../../src/evaluate/output-difference.js';
import type { ScoringKind } from '../../src/evaluate/scoring-kinds.js';
import { DataType } from '../../src/tensor/dtype.js';
import { createRandom } from '../../src/tensor/random.js';

const ROWS = 12;
const random = createRandom(4);
const floats = (dims: readonly number[]): EvaluatedTensor => ({
  dataType: DataType.FLOAT,
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
});
const [a, b] = [floats([ROWS, 4]), floats([ROWS, 4])];
const rowsOf = ({ dataType, dims, data }: EvaluatedTensor, from: number, to: number): EvaluatedTensor => {
  const width = data.length / (dims[0] ?? 1);
  return {
    dataType,
    dims: [to - from, ...dims.slice(1)],
    data: (data as Float32Array).slice(from * width, to * width),
  };
};

/** One accumulator of all runs, and the merge of one for the first runs with one for the others. */
function both<A extends { merge(other: A): void; result(): unknown }>(
  make: () => A,
  observe: (to: A, from: number, until: number) => void,
): readonly [whole: unknown, merged: unknown] {
  const [whole, first, second] = [make(), make(), make()];
  for (let row = 0; row < ROWS; row += 3) {
    observe(whole, row, row + 3);
    observe(row < 6 ? first : second, row, row + 3);
  }
  first.merge(second);
  return [whole.result(), first.result()];
}

/** The same within rounding. */
function close(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? expect.closeTo(value, 9) : value;
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, close(each)]));
}

describe('accumulators of a comparison', () => {
  it('give the difference of an output whole or merged', () => {
    const meaning = { kind: 'scores', axis: -1, exclusive: true, because: 'of a test' } as const;
    const [whole, merged] = both(
      () => new OutputDifferences('y', meaning),
      (to, from, until) => to.observe({ a: rowsOf(a, from, until), b: rowsOf(b, from, until) }),
    );
    expect(merged).toEqual(close(whole));
    expect(merged).toMatchObject({ elements: ROWS * 4, top1Agreement: { n: ROWS } });
  });

  it.each<readonly [ScoringKind, MetricChoice['coding'], number]>([
    ['top-1', 'classes', 1],
    ['multi-label', 'multi-hot', 4],
    ['auc', 'classes', 1],
    ['error', 'values', 4],
    ['ctc', 'classes', 2],
  ])('score labels by %s whole or merged', (kind, coding, width) => {
    const choice: MetricChoice = { output: 'y', kind, coding, axis: -1, explanation: '' };
    const dims = kind === 'ctc' ? [ROWS, 2, 2] : kind === 'auc' ? [ROWS, 1] : [ROWS, 4];
    const output = floats(dims);
    const other = floats(dims);
    const labels: EvaluatedTensor = {
      dataType: DataType.INT32,
      dims: [ROWS, width],
      data: Int32Array.from({ length: ROWS * width }, (_, i) => i % 2),
    };
    const run = (from: number, until: number) => ({ labels, firstRow: from, rows: until - from });
    const [whole, merged] = both(
      () => new LabelScorer(choice, 0),
      (to, from, until) => to.observe({ output: rowsOf(output, from, until), ...run(from, until) }),
    );
    expect(merged).toEqual(close(whole));
    if (!ChangedAnswersCollector.of(choice, 0)) return;
    const [answers, mergedAnswers] = both(
      () => ChangedAnswersCollector.of(choice, 0, 0) as ChangedAnswersCollector,
      (to, from, until) =>
        to.observe({ a: rowsOf(output, from, until), b: rowsOf(other, from, until), ...run(from, until) }),
    );
    expect(mergedAnswers).toEqual(answers);
  });
});
