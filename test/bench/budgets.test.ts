import { describe, expect, it } from 'vitest';
import { parseBudget, parseDuration, parseShare } from '../../src/bench/budgets.js';
import { ServeOptError } from '../../src/errors.js';

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
  ])('reads %s', (text, expected) => {
    expect(parseBudget(text)).toMatchObject(expected);
  });

  it.each([
    ['p99', 'write --budget p99=10ms'],
    ['=10ms', 'it is a metric and a limit'],
    ['p99=10', 'a unit is missing'],
    ['p99=10MB', '"MB" is no unit of p99'],
    ['p99=abc', '"abc" is not a number'],
    ['p99=-1ms', 'is not a number'],
    ['p99=0ms', 'the limit must be above 0'],
    ['p100=1ms', 'there is no metric "p100"'],
    ['p0=1ms', 'there is no metric "p0"'],
    ['throughptu=1/s', 'did you mean "throughput"?'],
    ['latency=1ms', 'metrics are p50'],
    ['throughput=200ms', '"ms" is no unit of throughput'],
    ['size=10constructor', '"constructor" is no unit'],
    ['__proto__=1ms', 'there is no metric'],
    ['toString=1ms', 'there is no metric'],
  ])('refuses %s in words', (text, expected) => {
    const words = refusal(() => parseBudget(text));
    expect(words).toContain('SO1006');
    expect(words).toContain(expected);
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
