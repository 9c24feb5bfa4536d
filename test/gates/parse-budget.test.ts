import { describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { METRICS, metricNames } from '../../src/gates/metrics.js';
import { checkBudgets, parseBudget, parseBudgets, shorthandBudgets } from '../../src/gates/parse-budget.js';
import { parseDecibels, parseDuration, parseShare } from '../../src/gates/units.js';

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ServeOptError) return `${error.code} ${error.message}: ${error.why} | ${error.hint}`;
    throw error;
  }
  throw new Error('it was taken');
}

describe('parseBudget', () => {
  it.each([
    ['p99=10ms', { metric: 'p99', limit: 10, unit: 'ms', test: 'quantile', probability: 0.99, wants: 'low' }],
    ['p99.9=1.5s', { metric: 'p99.9', limit: 1500, probability: 0.999 }],
    ['p50=250us', { metric: 'p50', limit: 0.25, probability: 0.5 }],
    ['p95 = 2 ms', { metric: 'p95', limit: 2, text: '2 ms' }],
    ['throughput=200/s', { metric: 'throughput', limit: 200, unit: '/s', wants: 'high' }],
    ['throughput=600/min', { limit: 10 }],
    ['size=25MB', { limit: 25_000_000, unit: 'bytes', test: 'fact' }],
    ['size=25MiB', { limit: 25 * 2 ** 20 }],
    ['memory=300KB', { limit: 300_000 }],
    ['cold-start=500ms', { limit: 500, test: 'cold-start' }],
    ['failures=1%', { limit: 0.01, unit: 'ratio' }],
    ['failures=0', { limit: 0 }],
    ['first-token=200ms', { test: 'quantile', probability: 0.99 }],
    ['accuracy=0.75', { metric: 'accuracy', limit: 0.75, unit: 'ratio', wants: 'high', test: 'samples' }],
    ['accuracy=75%', { limit: 0.75, text: '75%' }],
    ['accuracy=1', { limit: 1 }],
    ['drop=1%', { limit: 0.01, unit: 'ratio', wants: 'low', test: 'samples' }],
    ['drop=0', { limit: 0 }],
    ['drop=0.7%', { limit: 0.007 }],
    ['accuracy=93.2%', { limit: 0.932 }],
    ['agreement=98 %', { limit: 0.98, text: '98 %', wants: 'high' }],
    ['sqnr=30dB', { limit: 30, unit: 'dB', wants: 'high', test: 'samples' }],
    ['sqnr=30', { limit: 30 }],
    ['sqnr=0dB', { limit: 0 }],
    ['speed-up=1.5x', { limit: 1.5, unit: 'x', wants: 'high', test: 'ratio' }],
    ['speed-up=1.5', { limit: 1.5 }],
    ['macs=300M', { limit: 300e6, unit: 'count', wants: 'low', test: 'fact' }],
    ['macs=1.2G', { limit: 1.2e9 }],
    ['params=2M', { limit: 2e6, unit: 'count' }],
    ['params=7B', { limit: 7e9 }],
    ['params=500', { limit: 500 }],
  ])('reads %s', (text, expected) => {
    expect(parseBudget(text)).toMatchObject(expected);
  });

  it.each([
    ['p99', 'write --budget p99=10ms'],
    ['=10ms', 'it must be a metric and a limit'],
    ['p99=10', 'a unit is missing'],
    ['p99=10MB', '"MB" is not a unit of p99'],
    ['p99=abc', '"abc" is not a number'],
    ['p99=-1ms', 'is not a number'],
    ['p99=0ms', 'the limit must be above 0'],
    ['p100=1ms', 'unknown metric "p100"'],
    ['p0=1ms', 'unknown metric "p0"'],
    ['throughptu=1/s', 'did you mean "throughput"?'],
    ['latency=1ms', 'metrics are p50'],
    ['throughput=200ms', '"ms" is not a unit of throughput'],
    ['size=10constructor', '"constructor" is not a unit'],
    ['__proto__=1ms', 'unknown metric'],
    ['toString=1ms', 'unknown metric'],
    ['acuracy=0.9', 'did you mean "accuracy"? | write --budget accuracy=0.75'],
    ['speedup=2x', 'did you mean "speed-up"?'],
    ['drop=1', 'it must be a share below 1 | write --budget drop=1%'],
    ['drop=100%', 'it must be a share below 1'],
    ['drop=-1%', '"-1%" is not a number with a unit'],
    ['accuracy=75', 'it must be a share of at most 1 | write --budget accuracy=75%'],
    ['accuracy=101%', 'it must be a share of at most 1'],
    ['agreement=2x', '"x" is not a unit of agreement'],
    ['sqnr=30%', '"%" is not a unit of sqnr'],
    ['speed-up=20%', '"%" is not a unit of speed-up'],
    ['speed-up=0x', 'the limit must be above 0'],
    ['macs=0', 'the limit must be above 0'],
    ['params=2MB', '"MB" is not a unit of params: it takes k, K, M, G, B, T'],
    ['macs=1e9', '"e9" is not a unit of macs'],
  ])('refuses %s in words', (text, expected) => {
    const words = refusal(() => parseBudget(text));
    expect(words).toContain('SO1006');
    expect(words).toContain(expected);
  });
});

describe('the budgets of a command', () => {
  it.each([
    ['bench', ['p99=10ms', 'throughput=1/s', 'size=1MB', 'memory=1MB', 'cold-start=1s', 'failures=1%']],
    ['bench --url', ['p50=10ms', 'throughput=1/s', 'first-token=1s', 'tokens=1/s', 'failures=1%']],
    ['compare', ['accuracy=0.9', 'drop=1%', 'agreement=1', 'sqnr=9', 'size=1B', 'speed-up=1x', 'macs=1', 'params=1']],
    ['quantize', ['accuracy=0.9', 'drop=1%', 'agreement=1', 'sqnr=9', 'size=1B', 'speed-up=1x', 'macs=1', 'params=1']],
    ['optimize', ['size=1B', 'speed-up=1x', 'macs=1', 'params=1']],
  ] as const)('of %s are %j', (command, texts) => {
    expect(parseBudgets(texts, command)).toEqual(texts.map(parseBudget));
    expect(() => checkBudgets(texts.map(parseBudget), command)).not.toThrow();
    const taken = texts.map((text) => text.replace(/=.*/, ''));
    for (const name of Object.keys(METRICS)) {
      if (!taken.includes(name)) expect(metricNames(command)).not.toContain(name);
    }
  });

  it.each([
    [
      'quantize',
      'p99=10ms',
      'quantize does not measure p99: bench, bench --url, tensorrt and bench --engine measure it',
    ],
    ['bench', 'drop=1%', 'bench does not measure drop: compare, quantize, prune and distill measure it'],
    ['bench', 'tokens=1/s', 'bench does not measure tokens: bench --url measures it'],
    ['bench --url', 'memory=1MB', 'bench --url does not measure memory: bench and distill measure it'],
    [
      'optimize',
      'agreement=0.9',
      'compare, quantize, prune and distill measure it | optimize takes size, speed-up, macs, params',
    ],
    ['compare', 'cold-start=1s', 'compare does not measure cold-start'],
    ['quantize', 'throughput=1/s', 'bench, bench --url, tensorrt and bench --engine measure it'],
  ] as const)('%s refuses %s and names who takes it', (command, text, expected) => {
    expect(refusal(() => parseBudgets([text], command))).toContain(expected);
    expect(refusal(() => checkBudgets([parseBudget(text)], command))).toContain(expected);
  });

  it('suggest what the command takes', () => {
    expect(refusal(() => parseBudgets(['accuracyy=1'], 'quantize'))).toContain('did you mean "accuracy"?');
    expect(refusal(() => parseBudgets(['nothing=1'], 'optimize'))).toContain(
      'metrics are size, speed-up, macs, params | write --budget size=25MB',
    );
  });

  it('have an example each that can be read', () => {
    for (const [name, { example }] of Object.entries(METRICS)) {
      expect(parseBudget(`${name}=${example}`)).toMatchObject({ metric: name, text: example });
    }
  });
});

describe('shorthand', () => {
  it('stands for the same budgets as the grammar', () => {
    expect(shorthandBudgets({ maxLoss: 0.01, minSqnr: 30 })).toEqual(['drop=1%', 'sqnr=30dB'].map(parseBudget));
    expect(shorthandBudgets({ maxLoss: 0.055 })).toEqual([parseBudget('drop=5.5%')]);
    expect(shorthandBudgets({})).toEqual([]);
  });

  it('is read with its unit', () => {
    expect(['30', '30dB', '0.5 db'].map((text) => parseDecibels(text, '-'))).toEqual([30, 30, 0.5]);
    expect(refusal(() => parseDecibels('loud', '--min-sqnr'))).toContain('write --min-sqnr 30');
  });
});

describe('times and shares', () => {
  it('are read with their units', () => {
    expect([parseDuration('2s', '-'), parseDuration('500ms', '-'), parseDuration('1.5 min', '-')]).toEqual([
      2000, 500, 90_000,
    ]);
    expect([parseShare('3%', '-'), parseShare('0.05', '-'), parseShare('0', '-')]).toEqual([0.03, 0.05, 0]);
  });

  it.each(['2', '0s', 's', '-1s', '1h', '1 toString'])('refuses the time "%s"', (text) => {
    expect(refusal(() => parseDuration(text, '--max-time'))).toContain('of --max-time is not allowed');
  });

  it.each([
    ['5', 'with a unit', 'write --max-time 5s'],
    ['0ms', 'above 0', 'write --max-time 60s'],
    ['1h', 'ms, s or min', 'write --max-time 60s'],
  ])('says what is wrong with the time "%s"', (text, why, hint) => {
    expect(() => parseDuration(text, '--max-time')).toThrow(
      expect.objectContaining({ why: expect.stringContaining(why), hint }),
    );
  });

  it.each(['100%', '1', 'x', '-1%', ''])('refuses the share "%s"', (text) => {
    expect(refusal(() => parseShare(text, '--min-effect'))).toContain('of --min-effect is not allowed');
  });
});
