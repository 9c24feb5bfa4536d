import { describe, expect, it } from 'vitest';
import {
  formatLatency,
  formatLatencyParts,
  formatLatencyRange,
  formatMetricRange,
  formatMetricValue,
  formatRateRange,
} from '../../src/report/bench-format.js';
import {
  mainConfiguration,
  ratioChange,
  regressionStory,
  scenarioSentence,
  verdictReasons,
} from '../../src/report/bench-words.js';
import { budgetStory } from '../../src/report/budget-words.js';
import { formatRate } from '../../src/report/format.js';
import { percentileName } from '../../src/report/percentile-name.js';
import { GATED, PLAIN, SWEPT } from './bench-reports.js';

describe('formatLatency', () => {
  it.each([
    [0, '0.00 µs'],
    [0.00004, '0.04 µs'],
    [0.1301, '130 µs'],
    [0.99949, '999 µs'],
    [0.99951, '1.00 ms'],
    [4.2, '4.20 ms'],
    [9.996, '10.0 ms'],
    [42.64, '42.6 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [12_345, '12.3 s'],
    [125_000, '2 min 5 s'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatLatency(ms)).toBe(text);
  });
});

describe('ranges and parts', () => {
  it('share a unit where they can', () => {
    expect(formatLatencyRange(4.18, 4.3)).toBe('4.18–4.30 ms');
    expect(formatLatencyRange(0.98, 1.02)).toBe('980 µs–1.02 ms');
    expect(formatLatencyRange(4.18, undefined)).toBe('≥ 4.18 ms');
    expect(
      formatLatencyParts([
        { name: 'a', ms: 62.4 },
        { name: 'b', ms: 1.94 },
        { name: 'c', ms: 0.02 },
      ]),
    ).toBe('a 62, b 1.9, c 0.02 ms');
  });

  it('are written in the unit of their metric', () => {
    expect(formatRate(0.5241)).toBe('0.524/s');
    expect(formatRate(12_345.6)).toBe('12,346/s');
    expect(formatRateRange(236.2, 240.1)).toBe('236–240/s');
    expect(formatMetricValue(25_100_000, 'bytes')).toBe('25.1 MB');
    expect(formatMetricValue(0.012, 'ratio')).toBe('1.2 %');
    expect(formatMetricRange(1e6, 2e6, 'bytes')).toBe('1.00 MB–2.00 MB');
    expect(formatMetricRange(undefined, 2, 'ms')).toBe('≤ 2.00 ms');
    expect(formatMetricRange(undefined, undefined, 'ms')).toBeUndefined();
  });

  it.each([
    [0.5, 'p50'],
    [0.999, 'p99.9'],
    [0.9999, 'p99.99'],
    [0.29, 'p29'],
  ])('names the quantile of %d', (probability, name) => {
    expect(percentileName(probability)).toBe(name);
  });
});

describe('sentences', () => {
  it.each([
    [1.101, '+10.1 %'],
    [0.958, '−4.2 %'],
    [1.0001, '±0 %'],
    [2.5, '+150 %'],
    [Number.NaN, '–'],
  ])('a ratio of %d is a change of %s', (ratio, change) => {
    expect(ratioChange(ratio)).toBe(change);
  });

  it('say what a closed and an open loop mean', () => {
    expect(scenarioSentence({ ...PLAIN, scenario: { kind: 'multi-stream', streams: 4 } })).toMatch(
      /^4 streams at once, .* exclude queueing$/,
    );
    expect(scenarioSentence({ ...PLAIN, scenario: { kind: 'offline' } })).toContain('only throughput counts');
    expect(scenarioSentence({ ...PLAIN, scenario: { kind: 'server', ratePerSecond: 50, arrivals: 'constant' } })).toBe(
      '50/s at equal gaps; open loop, latency from the time a request was due',
    );
  });

  it('tell the story of a gate once', () => {
    expect(GATED.budgets.map(budgetStory)).toEqual([
      'measured 12.5 ms (95 %: 11.9–13.1 ms); 31 of 1,000 runs over; at least 2.1 % with 95 % confidence, 1 % allowed',
      'measured 238/s (95 %: 231–244/s); at least 231/s with 95 % confidence',
      '0 of 1,000 runs over; needs 2,995 runs',
      'measured 25.1 MB',
    ]);
    const [regression] = GATED.regressions;
    expect(regression && regressionStory(regression)).toBe(
      'latency +10.1 % (95 %: +9.4 to +10.9 %); 10.1 % slower (95 %: 9.4-10.9 %); noise 0.8 %, counts from 3 %',
    );
  });

  it('give the reasons of a verdict', () => {
    const [first] = GATED.budgets;
    const one = first === undefined ? [] : [{ ...first, verdict: 'pass' as const }];
    expect(verdictReasons({ ...GATED, budgets: one, regressions: [] })).toBe('the budget is met');
    const twice = [...GATED.regressions, ...GATED.regressions].map((each, index) =>
      index === 0 ? { ...each, verdict: 'not-comparable' as const } : each,
    );
    expect(verdictReasons({ ...GATED, budgets: [], regressions: twice })).toBe(
      '1 of 2 slower than the baseline, 1 of 2 not comparable with the baseline',
    );
    expect(verdictReasons(PLAIN)).toBe('');
  });

  it('are about the suggested configuration where there is room for one', () => {
    expect(mainConfiguration(SWEPT)?.label).toBe('2 threads batch=8');
    expect(mainConfiguration(PLAIN)?.label).toBe('model.onnx');
    expect(mainConfiguration({ ...PLAIN, configurations: [] })).toBeUndefined();
  });
});
