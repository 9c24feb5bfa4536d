/** What budgets of a result come to: each metric, what cannot be measured, and that a looser limit is never worse. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LatencyComparison } from '../../src/bench/results.js';
import type { ComparisonResult, MetricComparison, OutputDifference } from '../../src/evaluate/comparison.js';
import { type BudgetReport, isNearLimit } from '../../src/gates/budget-report.js';
import { type Budget, parseBudget } from '../../src/gates/parse-budget.js';
import { judgeResult, type MeasuredResult } from '../../src/gates/result-gates.js';
import { overall } from '../../src/gates/verdict.js';

const LATENCY: LatencyComparison = {
  p50MsA: 30,
  p50MsB: 20,
  ratio: 2 / 3,
  ratioLow: 0.625,
  ratioHigh: 0.7,
  runs: 60,
  batchSize: 1,
};

const TOP1: MetricComparison = {
  metric: 'top-1 accuracy',
  output: 'y',
  higherIsBetter: true,
  a: { value: 0.8, n: 1000, low: 0.774, high: 0.824 },
  b: { value: 0.785, n: 1000, low: 0.758, high: 0.809 },
  difference: -0.015,
  differenceLow: -0.03,
  differenceHigh: -0.001,
  explanation: 'of a test',
};

const ERROR: MetricComparison = {
  metric: 'mean absolute error',
  output: 'y',
  higherIsBetter: false,
  a: { value: 2, n: 100 },
  b: { value: 2.1, n: 100 },
  difference: 0.1,
  explanation: 'of a test',
};

function output(name: string, more: Partial<OutputDifference> = {}): OutputDifference {
  const types = { dataTypeA: 'float', dataTypeB: 'float' };
  return {
    name,
    ...types,
    elements: 10,
    exactEqual: 0,
    shapeMismatches: 0,
    nonFinite: { a: 0, b: 0, lost: 0 },
    ...more,
  };
}

function comparison(outputs: readonly OutputDifference[], metrics?: readonly MetricComparison[]): ComparisonResult {
  return {
    source: { kind: 'seeded', seed: 0 },
    samples: 64,
    outputs,
    unmatched: { a: [], b: [] },
    warnings: [],
    ...(metrics ? { metrics } : {}),
  };
}

const FINE = output('fine', { sqnrDb: 40, top1Agreement: { value: 1, n: 64, low: 0.94, high: 1 } });
const WORSE = output('worse', { sqnrDb: 25, top1Agreement: { value: 0.96875, n: 64, low: 0.89, high: 0.99 } });

const RESULT: MeasuredResult = {
  name: 'b.onnx',
  sizeBytes: 1_000_000,
  cost: () => ({ macs: 5_000_000, uncounted: 0, sizes: [{ name: 'batch', size: 1 }], parameters: 34_008 }),
  comparison: comparison([FINE, WORSE]),
  accuracy: comparison([FINE], [TOP1]),
  latency: LATENCY,
};

function judged(text: string, result: MeasuredResult = RESULT): BudgetReport {
  const [report, another] = judgeResult([parseBudget(text)], result);
  if (!report || another) throw new Error('not one report');
  return report;
}

describe('a budget of a result', () => {
  it.each([
    ['size=1MB', 'pass', 1e6],
    ['size=999999B', 'fail', 1e6],
    ['params=34008', 'pass', 34_008],
    ['params=34k', 'fail', 34_008],
    ['macs=5M', 'pass', 5e6],
    ['macs=4.9M', 'fail', 5e6],
    ['accuracy=0.78', 'pass', 0.785],
    ['accuracy=0.79', 'fail', 0.785],
    ['drop=1.5%', 'pass', 0.015],
    ['drop=1.49%', 'fail', 0.015],
    ['drop=1%', 'fail', 0.015],
    ['sqnr=25dB', 'pass', 25],
    ['sqnr=26dB', 'fail', 25],
    ['speed-up=1.4x', 'pass', 1.5],
    ['speed-up=1.5x', 'inconclusive', 1.5],
    ['speed-up=1.61x', 'fail', 1.5],
  ] as const)('%s: %s', (text, verdict, measured) => {
    const report = judged(text);
    expect(report).toMatchObject({ configuration: 'b.onnx', verdict, measured: expect.closeTo(measured, 9) });
    expect(report.why).not.toBe('');
  });

  it('of agreement is about the output that agrees least, on labelled samples where there are any', () => {
    expect(judged('agreement=0.99')).toMatchObject({ measured: 1, verdict: 'pass' });
    const held = { ...RESULT, accuracy: undefined };
    expect(judged('agreement=0.96', held)).toMatchObject({ measured: 0.96875, low: 0.89, high: 0.99, verdict: 'pass' });
    const failing = judged('agreement=0.97', held);
    expect(failing).toMatchObject({ verdict: 'fail', why: 'output "worse" has the same class in 62 of 64 rows' });
  });

  it('has the interval of what was measured beside it', () => {
    expect(judged('accuracy=0.5')).toMatchObject({ low: 0.758, high: 0.809 });
    expect(judged('drop=5%')).toMatchObject({ low: 0.001, high: 0.03 });
    expect(judged('speed-up=1x')).toMatchObject({ low: expect.closeTo(1 / 0.7), high: 1.6 });
    expect(judged('size=1GB')).not.toHaveProperty('low');
  });

  it('is near its limit where the interval holds it, whatever the verdict', () => {
    expect(['drop=2%', 'drop=1%', 'accuracy=0.76'].map((text) => isNearLimit(judged(text)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['drop=4%', 'accuracy=0.5', 'size=1MB'].map((text) => isNearLimit(judged(text)))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('of an error is a share of it, and none of accuracy', () => {
    const result = { ...RESULT, accuracy: comparison([FINE], [ERROR]) };
    expect(judged('drop=6%', result)).toMatchObject({ verdict: 'pass', measured: expect.closeTo(0.05, 12) });
    expect(judged('drop=4%', result)).toMatchObject({ verdict: 'fail' });
    expect(judged('accuracy=0.1', result)).toMatchObject({
      verdict: 'fail',
      why: 'the mean absolute error is an error, where lower is better: use the budget drop instead',
    });
  });
});

describe('what cannot be measured', () => {
  const unrun: MeasuredResult = { name: 'b.onnx', sizeBytes: 1, cost: RESULT.cost, notRun: 'input "s" is of strings' };

  it.each(['accuracy=0.1', 'drop=99%', 'agreement=0', 'sqnr=0dB', 'speed-up=0.1x'])(
    'without a run leaves %s open and says why',
    (text) => {
      expect(judged(text, unrun)).toMatchObject({ verdict: 'inconclusive', why: 'input "s" is of strings' });
      expect(judged(text, unrun)).not.toHaveProperty('measured');
    },
  );

  it('does not keep facts from being judged', () => {
    expect(['size=1B', 'macs=5M', 'params=1k'].map((text) => judged(text, unrun).verdict)).toEqual([
      'pass',
      'pass',
      'fail',
    ]);
  });

  it.each(['accuracy=0', 'drop=99%', 'agreement=0', 'sqnr=0dB'])('in broken outputs fails %s', (text) => {
    const broken = output('gone', { incomparable: 'float against int64' });
    const lost = output('lost', { sqnrDb: 90, nonFinite: { a: 0, b: 2, lost: 2 } });
    for (const each of [broken, lost]) {
      expect(judged(text, { ...RESULT, comparison: comparison([FINE, each]) }).verdict).toBe('fail');
      expect(judged(text, { ...RESULT, accuracy: comparison([each], [TOP1]) }).verdict).toBe('fail');
    }
  });

  it('in the outputs that there are fails', () => {
    const bare = { ...RESULT, comparison: comparison([output('i')]), accuracy: undefined };
    expect(judged('sqnr=1dB', bare)).toMatchObject({ verdict: 'fail', why: 'no output is of floats' });
    expect(judged('agreement=0.1', bare)).toMatchObject({ verdict: 'fail', why: 'no output has class scores' });
    expect(judged('accuracy=0.1', bare)).toMatchObject({ verdict: 'fail', why: 'there are no labels to score' });
  });

  it('since it is random is left out', () => {
    const random = output('random', { sqnrDb: 0, top1Agreement: { value: 0, n: 9, low: 0, high: 1 }, random: true });
    const mixed = { ...RESULT, comparison: comparison([FINE, random]), accuracy: undefined };
    expect(judged('sqnr=39dB', mixed)).toMatchObject({ verdict: 'pass', measured: 40 });
    expect(judged('agreement=1', mixed)).toMatchObject({ verdict: 'pass', measured: 1 });
  });

  it('of the multiply-adds can only be more', () => {
    const cost = () => ({ macs: 5_000_000, uncounted: 2, sizes: [], parameters: 1 });
    const result = { ...RESULT, cost };
    expect(judged('macs=6M', result)).toMatchObject({
      verdict: 'inconclusive',
      why: '5,000,000; 2 nodes could not be counted',
    });
    expect(judged('macs=4M', result)).toMatchObject({ verdict: 'fail' });
  });

  it('in an interval of latencies is inconclusive; a result that is the original is as fast as it', () => {
    const { ratioLow: _low, ratioHigh: _high, ...bare } = LATENCY;
    expect(judged('speed-up=0.1x', { ...RESULT, latency: bare })).toMatchObject({
      verdict: 'inconclusive',
      why: 'p50 from 30 to 20 ms; 60 runs are too few for an interval',
    });
    const { latency: _latency, ...unmeasured } = RESULT;
    expect(judged('speed-up=1x', { ...unmeasured, isOriginal: true })).toMatchObject({ measured: 1, verdict: 'pass' });
    expect(judged('speed-up=1.1x', { ...unmeasured, isOriginal: true })).toMatchObject({ verdict: 'fail' });
  });

  it('here at all is left open, and cost is not counted for nothing', () => {
    const neverAsked = () => {
      throw new Error('counted');
    };
    expect(judged('p99=1ms', { ...RESULT, cost: neverAsked })).toMatchObject({ verdict: 'inconclusive' });
    expect(judgeResult([], RESULT)).toEqual([]);
  });
});

describe('a verdict', () => {
  const RANK = { fail: 0, inconclusive: 1, pass: 2 } as const;
  const finite = fc.double({ min: 0.001, max: 2, noNaN: true });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const measured = fc
    .record({ a: share, b: share, ratio: finite, spread: fc.double({ min: 0, max: 0.5, noNaN: true }), sqnr: finite })
    .map(({ a, b, ratio, spread, sqnr }): MeasuredResult => {
      const metric = { ...TOP1, a: { value: a, n: 50 }, b: { value: b, n: 50 }, difference: b - a };
      const worst = output('y', { sqnrDb: 20 * sqnr, top1Agreement: { value: b, n: 50, low: 0, high: 1 } });
      const macs = Math.round(1e6 * sqnr);
      return {
        name: 'b.onnx',
        sizeBytes: macs,
        cost: () => ({ macs, uncounted: macs % 2, sizes: [], parameters: macs }),
        comparison: comparison([worst], [metric]),
        latency: { ...LATENCY, ratio, ratioLow: ratio * (1 - spread), ratioHigh: ratio * (1 + spread) },
      };
    });
  const names = ['size', 'params', 'macs', 'accuracy', 'drop', 'agreement', 'sqnr', 'speed-up'] as const;
  const scale = { size: 2e6, params: 2e6, macs: 2e6, accuracy: 1, drop: 1, agreement: 1, sqnr: 40, 'speed-up': 4 };

  it('is never worse with a looser limit', () => {
    fc.assert(
      fc.property(measured, fc.constantFrom(...names), share, share, (result, name, one, other) => {
        const { unit, wants, test } = parseBudget(`${name}=0.5${name === 'size' ? 'MB' : ''}`);
        const of = (limit: number): number => {
          const budget: Budget = { metric: name, text: 'x', limit: limit * scale[name], unit, wants, test };
          return RANK[judgeResult([budget], result)[0]?.verdict ?? 'fail'];
        };
        const [small, large] = [Math.min(one, other), Math.max(one, other)];
        const [strict, loose] = wants === 'low' ? [small, large] : [large, small];
        expect(of(loose)).toBeGreaterThanOrEqual(of(strict));
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  it.each([
    [[], undefined],
    [['pass'], 'pass'],
    [['pass', 'inconclusive'], 'inconclusive'],
    [['inconclusive', 'fail', 'pass'], 'fail'],
    [['not-comparable'], undefined],
  ] as const)('of %j together is %s', (verdicts, all) => {
    expect(overall(verdicts)).toBe(all);
  });
});
