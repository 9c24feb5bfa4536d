/** What is said of a comparison: NaN first, lost channels, gates; and that samples go in batches only where that changes nothing. */
import { describe, expect, it } from 'vitest';
import type { ComparisonResult } from '../../src/evaluate/comparison.js';
import type { EvaluatedTensor } from '../../src/evaluate/host-numbers.js';
import { OutputDifferences } from '../../src/evaluate/output-difference.js';
import type { BudgetReport } from '../../src/gates/budget-report.js';
import { type ShorthandGates, shorthandBudgets } from '../../src/gates/parse-budget.js';
import { judgeResult } from '../../src/gates/result-gates.js';
import { agreementOf } from '../../src/report/comparison-words.js';
import { reportJson } from '../../src/report/json.js';
import { latencyPhrase } from '../../src/report/latency-words.js';
import { fittingBatch } from '../../src/runtime/batches.js';
import type { ChildSession } from '../../src/runtime/job.js';
import type { SampleReader } from '../../src/samples/sample-reader.js';
import type { Feeds, HostTensor } from '../../src/samples/types.js';
import { DataType } from '../../src/tensor/dtype.js';
import { judge, judgeComparison } from '../../src/workflows/comparison-warnings.js';

const float = (dims: number[], values: number[]): EvaluatedTensor => ({
  dataType: DataType.FLOAT,
  dims,
  data: Float32Array.from(values),
});

function compared(name: string, runs: readonly (readonly [EvaluatedTensor, EvaluatedTensor])[]): ComparisonResult {
  const difference = new OutputDifferences(name);
  for (const [a, b] of runs) difference.observe({ a: a, b: b });
  return {
    source: { kind: 'seeded', seed: 0 },
    samples: runs.length,
    outputs: [difference.result()],
    unmatched: { a: [], b: [] },
    warnings: [],
  };
}

/** What `--max-loss` and `--min-sqnr` come to. */
function judgeGates(
  gates: ShorthandGates,
  comparison: ComparisonResult,
  accuracy?: ComparisonResult,
): readonly BudgetReport[] {
  const cost = () => ({ macs: 0, uncounted: 0, sizes: [], parameters: 0 });
  return judgeResult(shorthandBudgets(gates), { name: 'b.onnx', sizeBytes: 1, cost, comparison, accuracy });
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

it('is not held against random numbers how far apart they are', () => {
  const far = compared('y', [[float([1, 3], [1, 2, 3]), float([1, 3], [-3, 1, 9])]]);
  const comparison = { ...far, outputs: far.outputs.map((output) => ({ ...output, random: true as const })) };
  const words = ['Output "y" depends on random numbers: differences in its values are meaningless.'];
  expect(judge({ comparison, accuracy: undefined }, 'keep layers in FP32')).toEqual(words);
  expect(judgeComparison(comparison)).toEqual(words);
});

describe('a result that is not a number', () => {
  it.each([
    ['B alone', [1, 2, 3], [nan, nan, inf], 'every value of B is NaN or infinite'],
    ['A alone', [nan, nan, nan], [1, 2, 3], 'every value of A is NaN or infinite'],
    ['both', [nan, nan, inf], [nan, nan, inf], 'every value of A and of B is NaN or infinite'],
    ['each where the other is not', [nan, 1, nan], [1, nan, 2], 'no value is finite in both'],
  ])('in %s cannot be compared, which is said first', (_name, a, b, why) => {
    const comparison = compared('y', [[float([1, 3], a), float([1, 3], b)]]);
    expect(comparison.outputs[0]).toMatchObject({ incomparable: why });
    expect(comparison.outputs[0]).not.toHaveProperty('sqnrDb');
    expect(judge({ comparison, accuracy: undefined }, 'keep layers in FP32')[0]).toContain(
      `Not comparable: output "y" cannot be compared: ${why}`,
    );
    expect(agreementOf(comparison)?.value).toBe('not comparable');
    expect(judgeGates({ minSqnr: 1, maxLoss: 0.5 }, comparison).map(({ verdict }) => verdict)).toEqual([
      'fail',
      'fail',
    ]);
  });

  it('in a part is told, keeps no gate, and no row of it agrees', () => {
    const difference = new OutputDifferences('y', { kind: 'scores', axis: -1, exclusive: true, because: 'of a test' });
    difference.observe({ a: float([2, 2], [1, 2, 2, 1]), b: float([2, 2], [nan, 2, 2, 1]) });
    const output = difference.result();
    expect(output).toMatchObject({ nonFinite: { a: 0, b: 1, lost: 1 }, top1Agreement: { value: 0.5, n: 2 } });
    const comparison = { ...compared('y', []), outputs: [output] };
    expect(judgeComparison(comparison)[0]).toMatch(/^Not comparable: .*1 value is NaN or infinite where A has numbers/);
    expect(judgeGates({ minSqnr: 1 }, comparison)).toMatchObject([{ metric: 'sqnr', verdict: 'fail' }]);
  });

  it('counts decisions where all probabilities of a sample may hold', () => {
    const difference = new OutputDifferences('y', { kind: 'scores', axis: -1, exclusive: false, because: 'of a test' });
    difference.observe({ a: float([2, 2], [0.8, 0.9, 0.1, 0.2]), b: float([2, 2], [0.9, 0.8, 0.2, 0.1]) });
    const output = difference.result();
    expect(output).toMatchObject({ measure: { kind: 'decisions' }, sameDecisions: { value: 1 } });
    const comparison = { ...compared('y', []), outputs: [output] };
    expect(agreementOf(comparison)).toMatchObject({ value: '100 %', what: 'on the same side of 0.5' });
    expect(judgeComparison(comparison).join()).not.toContain('same class');
  });

  it('is null in JSON, or absent; infinity is a text', () => {
    expect(JSON.parse(reportJson({ nan, inf, low: -inf, none: undefined, one: 1 }))).toEqual({
      nan: null,
      inf: 'Infinity',
      low: '-Infinity',
      one: 1,
    });
  });
});

describe('the worst channel', () => {
  /** Four boxes near, a score that is gone: [1, 5, 2] and [1, 2, 5]. */
  const boxes = [10, 20, 30, 40];
  const rows = (lost: boolean): number[] => [...boxes, lost ? 0 : 0.9];

  it.each([
    ['the last axis', [1, 2, 5], [...rows(false), ...rows(false)], [...rows(true), ...rows(true)], 2],
    [
      'the second axis',
      [1, 5, 2],
      rows(false).flatMap((value) => [value, value]),
      rows(true).flatMap((value) => [value, value]),
      1,
    ],
    ['the last axis of a matrix', [2, 5], [...rows(false), ...rows(false)], [...rows(true), ...rows(true)], 1],
  ])('is found on %s and warned of', (_name, dims, a, b, axis) => {
    const comparison = compared('y', [
      [float(dims, a), float(dims, b)],
      [float(dims, a), float(dims, b)],
    ]);
    expect(comparison.outputs[0]?.worstChannel).toEqual({ axis, index: 4, channels: 5, sqnrDb: 0 });
    expect(comparison.outputs[0]?.sqnrDb).toBeGreaterThan(30);
    expect(judge({ comparison, accuracy: undefined }, 'keep layers in FP32')).toEqual([
      expect.stringMatching(/^A channel of output "y" is lost: index 4 of 5 on axis \d has an SQNR of 0\.0 dB/),
    ]);
  });

  it('is none where nothing differs, along an axis of changing length, or where all are as noisy', () => {
    const same = float([1, 2], [1, 2]);
    expect(compared('y', [[same, same]]).outputs[0]?.worstChannel).toBeUndefined();
    const changing = compared('y', [
      [float([1, 2], [1, 2]), float([1, 2], [1, 1])],
      [float([1, 3], [1, 2, 3]), float([1, 3], [1, 2, 2])],
    ]);
    expect(changing.outputs[0]?.worstChannel).toBeUndefined();
    const noisy = compared('y', [[float([1, 2], [1, 1]), float([1, 2], [1.05, 0.95])]]);
    expect(judgeComparison(noisy)).toEqual([]);
  });

  it('without a signal is held against the others', () => {
    const dead = compared('y', [[float([1, 2], [10, 0]), float([1, 2], [10, 0.001])]]);
    expect(dead.outputs[0]?.worstChannel).toMatchObject({ index: 1, sqnrDb: expect.closeTo(76.99, 1) });
    expect(judgeComparison(dead)).toEqual([]);
  });
});

describe('gates', () => {
  const comparison = compared('y', [[float([1, 2], [1, 2]), float([1, 2], [1.1, 2])]]);
  const metric = (a: number, b: number, higherIsBetter: boolean): ComparisonResult => ({
    ...comparison,
    metrics: [
      {
        metric: higherIsBetter ? 'top-1 accuracy' : 'mean absolute error',
        output: 'y',
        higherIsBetter,
        a: { value: a, n: 100 },
        b: { value: b, n: 100 },
        difference: b - a,
        explanation: 'of a test',
      },
    ],
  });

  it.each([
    [0.9, 0.895, true, 'pass'],
    [0.9, 0.88, true, 'fail'],
    [0.9, 0.95, true, 'pass'],
    [2, 2.01, false, 'pass'],
    [2, 2.1, false, 'fail'],
    [0, 0, false, 'pass'],
    [0, 0.1, false, 'fail'],
  ] as const)('of a loss: %f to %f, higher is better: %s', (a, b, higher, verdict) => {
    expect(judgeGates({ maxLoss: 0.01 }, comparison, metric(a, b, higher))).toMatchObject([{ verdict }]);
  });

  it('of noise, and of what there is nothing for', () => {
    expect(judgeGates({ minSqnr: 20 }, comparison)).toMatchObject([{ verdict: 'pass', measured: expect.any(Number) }]);
    expect(judgeGates({ minSqnr: 40 }, comparison)).toMatchObject([{ verdict: 'fail' }]);
    expect(judgeGates({ maxLoss: 0.1 }, comparison)).toMatchObject([
      { verdict: 'fail', why: 'there are no labels to score' },
    ]);
    expect(judgeGates({}, comparison)).toEqual([]);
  });
});

describe('a ratio of latencies', () => {
  const latency = { p50MsA: 10, p50MsB: 9.9, runs: 60, batchSize: 1 };
  it.each([
    [{ ratio: 0.99, ratioLow: 0.985, ratioHigh: 0.995 }, 'no clear difference'],
    [{ ratio: 1.01, ratioLow: 1.005, ratioHigh: 1.02 }, 'no clear difference'],
    [{ ratio: 0.5, ratioLow: 0.4, ratioHigh: 1.1 }, 'no clear difference'],
    [{ ratio: 0.5, ratioLow: 0.4, ratioHigh: 0.625 }, '2× faster (95 %: 1.6–2.5)'],
    [{ ratio: 0.87, ratioLow: 0.71, ratioHigh: 0.88, p50MsB: 12 }, 'no clear difference'],
    [{ ratio: 1.2, ratioLow: 1.1, ratioHigh: 1.3 }, 'no clear difference'],
    [{ ratio: 4.57, runs: 1 }, '4.57× slower in 1 run, too few for an interval'],
  ])('%j is said as "%s"', (ratio, words) => {
    expect(latencyPhrase({ ...latency, ...ratio })).toBe(words);
  });
});

describe('samples of a run', () => {
  const tensor = (dims: number[], values: number[]): HostTensor => ({
    dataType: DataType.FLOAT,
    dims,
    data: Float32Array.from(values),
  });
  const reader = (batchable: boolean, block?: number): SampleReader => ({
    count: 40,
    labels: undefined,
    batchable,
    ...(block === undefined ? {} : { block }),
    read: (start, count) =>
      new Map([
        [
          'x',
          tensor(
            [count, 1],
            Array.from({ length: count }, (_, i) => start + i + 1),
          ),
        ],
      ]),
  });
  const session = (of: (values: readonly number[]) => number[]): ChildSession => ({
    inputNames: ['x'],
    outputNames: ['y'],
    run: async (feeds: Feeds) => {
      const values = [...((feeds.get('x') as HostTensor).data as Float32Array)];
      const result = of(values);
      return new Map([['y', tensor([result.length, 1], result)]]);
    },
    prepare: () => async () => undefined,
  });
  const run = (each: ChildSession, feeds: Feeds) => each.run(feeds);
  const plain = session((values) => values.map((value) => 2 * value));

  it('are several where each comes out as alone', async () => {
    expect(await fittingBatch([plain, plain], reader(true), run)).toBe(8);
  });

  it.each([
    ['a scale of the whole run', session((values) => values.map((value) => value / Math.max(...values)))],
    ['a sum over the run', session((values) => [values.reduce((sum, value) => sum + value, 0)])],
  ])('are one where a model has %s', async (_name, mixing) => {
    expect(await fittingBatch([plain, mixing], reader(true), run)).toBe(1);
    expect(await fittingBatch([mixing, plain], reader(true), run)).toBe(1);
  });

  it('are one where the data does not stack, and a block where the model fixes it', async () => {
    expect(await fittingBatch([plain, plain], reader(false), run)).toBe(1);
    expect(await fittingBatch([plain, plain], reader(false, 4), run)).toBe(4);
  });
});
