import { describe, expect, it } from 'vitest';
import { type MetricWish, metricChoices } from '../../src/evaluate/choose-metric.js';
import { editDistance } from '../../src/evaluate/edit-distance.js';
import type { EvaluatedTensor } from '../../src/evaluate/host-numbers.js';
import { compareMetrics, settleChoice } from '../../src/evaluate/label-metrics.js';
import { LabelScorer } from '../../src/evaluate/label-scorer.js';
import { labelTraits } from '../../src/evaluate/label-traits.js';
import { pairedDifference, proportion } from '../../src/evaluate/proportion.js';
import { rocAuc } from '../../src/evaluate/roc-auc.js';
import { DataType } from '../../src/tensor/dtype.js';
import { float32ToFloat16 } from '../../src/tensor/float16.js';
import { createRandom } from '../../src/tensor/random.js';

const float = (dims: number[], values: number[]): EvaluatedTensor => ({
  dataType: DataType.FLOAT,
  dims,
  data: Float32Array.from(values),
});
const ints = (dims: number[], values: number[]): EvaluatedTensor => ({
  dataType: DataType.INT32,
  dims,
  data: Int32Array.from(values),
});

/** Scores one output in one run and gives metric → value. */
function score(
  outputs: Record<string, EvaluatedTensor>,
  labels: EvaluatedTensor,
  other = outputs,
  wish: MetricWish = {},
) {
  const rows = labels.dims[0] ?? 0;
  const choices = metricChoices(new Map(Object.entries(outputs)), labelTraits(labels), rows, wish);
  if (typeof choices === 'string') return choices;
  const [first, ...others] = choices.map((choice) => {
    const [a, b] = [new LabelScorer(choice), new LabelScorer(choice)];
    a.observe({ output: outputs[choice.output] as EvaluatedTensor, labels, firstRow: 0, rows });
    b.observe({ output: other[choice.output] as EvaluatedTensor, labels, firstRow: 0, rows });
    return { choice, a: a.result(), b: b.result() };
  });
  if (!first) throw new Error('no choice and no reason');
  const { choice, a, b } = settleChoice([first, ...others]);
  return compareMetrics(choice, a, b);
}
const summary = (result: ReturnType<typeof score>) =>
  typeof result === 'string' ? result : result.map((m) => [m.metric, m.output, m.a.value, m.a.n]);

describe('the difference of two shares of the same trials', () => {
  it('is the interval of Bonett and Price', () => {
    // By hand: 4 better and 12 worse of 100, one more of each.
    const half = (1.959963984540054 * Math.sqrt(18 - 64 / 102)) / 102;
    const { low, high } = pairedDifference(4, 12, 100);
    expect([low, high]).toEqual([expect.closeTo(-8 / 102 - half, 12), expect.closeTo(-8 / 102 + half, 12)]);
  });

  it('is narrow where hardly anything flipped, never nothing, and turns with the models', () => {
    const none = pairedDifference(0, 0, 1000);
    expect(none.low).toBeLessThan(0);
    expect(none.high).toBeLessThan(0.004);
    const [there, back] = [pairedDifference(3, 9, 200), pairedDifference(9, 3, 200)];
    expect(there.low).toBeCloseTo(-back.high, 12);
    expect(pairedDifference(0, 2, 2).low).toBe(-1);
  });

  it('holds the truth in about 95 of 100 cases, also where few flip', () => {
    for (const [better, worse] of [
      [0.01, 0.03],
      [0.1, 0.1],
      [0, 0.05],
    ] as const) {
      const random = createRandom(7);
      const runs = 2000;
      let held = 0;
      for (let run = 0; run < runs; run++) {
        const counts = [0, 0];
        for (let i = 0; i < 200; i++) {
          const draw = random.float();
          if (draw < better) counts[0] = (counts[0] ?? 0) + 1;
          else if (draw < better + worse) counts[1] = (counts[1] ?? 0) + 1;
        }
        const { low, high } = pairedDifference(counts[0] ?? 0, counts[1] ?? 0, 200);
        if (low <= better - worse && better - worse <= high) held++;
      }
      expect(held / runs).toBeGreaterThan(0.93);
    }
  });
});

describe('a proportion', () => {
  it('has the Wilson interval', () => {
    const { low, high, value } = proportion(1517, 2000);
    expect(value).toBe(0.7585);
    expect(low).toBeCloseTo(0.739259, 6);
    expect(high).toBeCloseTo(0.77675, 6);
    expect(proportion(0, 10)).toMatchObject({ value: 0, low: 0 });
    expect(proportion(10, 10)).toMatchObject({ value: 1, high: 1 });
    expect(proportion(0, 0)).toMatchObject({ value: Number.NaN, low: 0, high: 1 });
  });
});

describe('the area under the ROC curve', () => {
  it('counts pairs in the right order, ties half', () => {
    expect(rocAuc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(rocAuc([1, 1, 1, 1], [0, 1, 0, 1])).toBe(0.5);
    expect(rocAuc([0, 1, 1, 2], [0, 0, 1, 1])).toBe(0.875);
    expect(rocAuc([1, 2, Number.NEGATIVE_INFINITY], [1, 1, 0])).toBe(1);
    expect(rocAuc([1, 2], [1, 1])).toBeNaN();
    expect(rocAuc([1, Number.NaN], [1, 0])).toBeNaN();
  });

  it('equals the count over all pairs', () => {
    const scores = Array.from({ length: 200 }, (_, i) => (i * 37) % 23);
    const labels = scores.map((_, i) => (i * 7) % 3 === 0);
    let wins = 0;
    let pairs = 0;
    for (const [i, p] of scores.entries()) {
      for (const [j, q] of scores.entries()) {
        if (!labels[i] || labels[j]) continue;
        pairs++;
        wins += p > q ? 1 : p === q ? 0.5 : 0;
      }
    }
    expect(rocAuc(scores, labels.map(Number))).toBeCloseTo(wins / pairs, 12);
  });
});

describe('the edit distance', () => {
  it('counts insertions, deletions and replacements', () => {
    const letters = (text: string) => [...text].map((c) => c.charCodeAt(0));
    expect(editDistance(letters('kitten'), letters('sitting'))).toBe(3);
    expect(editDistance([], [1, 2])).toBe(2);
    expect(editDistance([1, 2, 3], [])).toBe(3);
    expect(editDistance([1, 2, 3], [1, 2, 3])).toBe(0);
  });
});

describe('the metric', () => {
  const labels = ints([4], [0, 1, 2, -1]);

  it('is accuracy where an output holds the answer, before any scores', () => {
    const answer: EvaluatedTensor = { dataType: DataType.INT64, dims: [4], data: BigInt64Array.of(0n, 1n, 1n, 2n) };
    const outputs = { probabilities: float([4, 3], new Array(12).fill(0)), label: answer };
    expect(summary(score(outputs, labels))).toEqual([['accuracy', 'label', 2 / 3, 3]]);
    const names: EvaluatedTensor = { dataType: DataType.STRING, dims: [2], data: ['a', 'b'] };
    const text: EvaluatedTensor = { dataType: DataType.STRING, dims: [2], data: ['a', 'c'] };
    expect(summary(score({ name: names }, text))).toEqual([['accuracy', 'name', 0.5, 2]]);
  });

  it('is top-1 accuracy of the output with the fewest classes that cover the labels', () => {
    const logits = float([4, 3], [9, 0, 0, 0, 9, 0, 9, 0, 0, 9, 9, 9]);
    const outputs = {
      embedding: float([4, 5], new Array(20).fill(1)),
      two: float([4, 2], new Array(8).fill(0)),
      logits,
    };
    const result = score(outputs, labels, { ...outputs, logits: float([4, 3], [9, 0, 0, 0, 9, 0, 0, 0, 9, 9, 9, 9]) });
    expect(summary(result)).toEqual([['top-1 accuracy', 'logits', 2 / 3, 3]]);
    expect(result).toMatchObject([{ b: { value: 1, n: 3 }, difference: 1 - 2 / 3, higherIsBetter: true }]);
  });

  it('reads 16-bit floats', () => {
    const bits = new Uint16Array(6);
    float32ToFloat16(Float32Array.of(-1, 2, 0, 3, -2, -1), bits);
    const half: EvaluatedTensor = { dataType: DataType.FLOAT16, dims: [2, 3], data: bits };
    expect(summary(score({ half }, ints([2], [1, 2])))).toEqual([['top-1 accuracy', 'half', 0.5, 2]]);
  });

  it('is the area under the ROC curve for one score and labels 0 and 1', () => {
    const binary = ints([4], [0, 0, 1, 1]);
    for (const dims of [[4], [4, 1]])
      expect(summary(score({ p: float(dims, [0.1, 0.4, 0.35, 0.8]) }, binary))).toEqual([
        ['ROC AUC', 'p', 0.75, 4],
        ['accuracy at 0.5', 'p', 0.75, 4],
      ]);
    expect(summary(score({ logit: float([4], [-3, -1, 0.2, 4]) }, binary))).toMatchObject([
      ['ROC AUC', 'logit', 1, 4],
      ['accuracy at 0', 'logit', 1, 4],
    ]);
  });

  it('is CTC decoding for steps of scores and lists of labels', () => {
    // Steps: 1 1 _ 1 2 → "1 1 2"; _ _ 2 2 _ → "2".
    const oneHot = [1, 1, 0, 1, 2, 0, 0, 2, 2, 0].flatMap((c) => [0, 1, 2].map((k) => (k === c ? 1 : 0)));
    const outputs = { p: float([2, 5, 3], oneHot) };
    expect(summary(score(outputs, ints([2, 3], [1, 1, 2, 2, 1, -1])))).toEqual([
      ['exact sequence match', 'p', 0.5, 2],
      ['character error rate', 'p', 1 / 5, 5],
    ]);
    // One label for each position: no decoding.
    expect(summary(score(outputs, ints([2, 5], [1, 1, 0, 1, 1, 0, -1, -1, -1, -1])))).toEqual([
      ['top-1 accuracy', 'p', 5 / 6, 6],
    ]);
  });

  it('is the error for numbers', () => {
    const numbers: EvaluatedTensor = { dataType: DataType.DOUBLE, dims: [2], data: Float64Array.of(1.5, 2.5) };
    expect(summary(score({ y: float([2, 1], [1, 4]) }, numbers))).toEqual([
      ['mean absolute error', 'y', 1, 2],
      ['root mean square error', 'y', Math.sqrt(1.25), 2],
    ]);
  });

  it('is none, with the reason, where no output fits', () => {
    expect(score({ hidden: float([4, 5, 6], new Array(120).fill(0)) }, labels)).toMatch(/no output fits labels/);
    expect(score({ few: float([4, 2], new Array(8).fill(0)) }, labels)).toMatch(/no output fits/);
  });
});
