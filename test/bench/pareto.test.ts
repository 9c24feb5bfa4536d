import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paretoFront, type SweepPoint, suggest } from '../../src/bench/pareto.js';

describe('paretoFront', () => {
  it('holds what nothing else beats', () => {
    expect(
      paretoFront([
        { latencyMs: 1, throughput: 100, memoryBytes: 10 },
        { latencyMs: 2, throughput: 300, memoryBytes: 20 },
        { latencyMs: 3, throughput: 290, memoryBytes: 20 },
        { latencyMs: 3, throughput: 290, memoryBytes: 5 },
      ]),
    ).toEqual([true, true, false, true]);
  });

  it('looks at memory only where all know it, and keeps equals', () => {
    expect(
      paretoFront([
        { latencyMs: 1, throughput: 100 },
        { latencyMs: 1, throughput: 100, memoryBytes: 1 },
        { latencyMs: 2, throughput: 90, memoryBytes: 0 },
      ]),
    ).toEqual([true, true, false]);
    expect(paretoFront([])).toEqual([]);
  });

  it('is never empty, and each point left out is beaten by one of it', () => {
    const point = fc.record({
      latencyMs: fc.integer({ min: 1, max: 6 }),
      throughput: fc.integer({ min: 1, max: 6 }),
      memoryBytes: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 12 }), (points) => {
        const front = paretoFront(points);
        const best = points.filter((_, i) => front[i]);
        expect(best.length).toBeGreaterThan(0);
        for (const [i, each] of points.entries()) {
          const beaten = best.some(
            (other) =>
              other.latencyMs <= each.latencyMs &&
              other.throughput >= each.throughput &&
              other.memoryBytes <= each.memoryBytes &&
              (other.latencyMs < each.latencyMs ||
                other.throughput > each.throughput ||
                other.memoryBytes < each.memoryBytes),
          );
          expect(beaten).toBe(!front[i]);
        }
      }),
    );
  });
});

describe('suggest', () => {
  const points: SweepPoint[] = [
    { threads: 1, latencyMs: 8, throughput: 125, memoryBytes: 100e6 },
    { threads: 2, latencyMs: 5, throughput: 200, memoryBytes: 100e6 },
    { threads: 4, latencyMs: 4.9, throughput: 205, memoryBytes: 130e6 },
    { threads: 2, latencyMs: 39, throughput: 204, memoryBytes: 160e6 },
  ];

  it('takes the cheapest of those near the best throughput', () => {
    expect(suggest(points)).toEqual({
      index: 1,
      why: 'within 2.4 % of the highest throughput with 2 fewer threads, 23 % less memory',
    });
    expect(suggest(points, 'throughput', 0)).toEqual({ index: 2, why: 'highest throughput' });
  });

  it('goes by latency where requests come one at a time', () => {
    expect(suggest(points, 'latency')).toMatchObject({
      index: 1,
      why: expect.stringMatching(/^within 2 % of the lowest/),
    });
  });

  it('takes what there is, and nothing of nothing', () => {
    expect(suggest([{ latencyMs: 3, throughput: 1 }])).toEqual({ index: 0, why: 'highest throughput' });
    expect(suggest([])).toBeUndefined();
    expect(suggest([{ latencyMs: Number.NaN, throughput: Number.NaN }])).toBeUndefined();
  });

  it('takes no difference within the noise for one', () => {
    const twins: SweepPoint[] = [
      {
        threads: 2,
        latencyMs: 0.063,
        latencyRange: [0.06, 0.07],
        throughput: 3127,
        throughputRange: [900, 6600],
        memoryBytes: 5.3e6,
      },
      {
        threads: 2,
        latencyMs: 0.064,
        latencyRange: [0.06, 0.07],
        throughput: 3945,
        throughputRange: [1500, 6000],
        memoryBytes: 4.3e6,
      },
    ];
    expect(suggest(twins, 'latency')?.why).toBe('within 1.6 % of the lowest latency');
    expect(suggest(twins)?.why).toBe('no clear difference from the highest throughput');
    expect(suggest(twins.toReversed(), 'latency')?.why).toBe('within 1.6 % of the lowest latency');
    // The cheaper of two that cannot be told apart, and the best by no clear margin where it is that one.
    const batches: SweepPoint[] = [
      { threads: 1, latencyMs: 0.06, throughput: 6300, throughputRange: [5000, 7500] },
      { threads: 1, latencyMs: 0.42, throughput: 7000, throughputRange: [6500, 7700] },
    ];
    expect(suggest(batches)).toEqual({
      index: 0,
      why: 'no clear difference from the highest throughput with 86 % lower latency',
    });
    expect(suggest(batches, 'latency')).toEqual({ index: 0, why: 'lowest latency' });
    const best: SweepPoint[] = [
      { threads: 1, latencyMs: 1, latencyRange: [0.9, 1.3], throughput: 900, memoryBytes: 5e6 },
      { threads: 2, latencyMs: 1.2, latencyRange: [0.8, 1.4], throughput: 800, memoryBytes: 5e6 },
    ];
    expect(suggest(best, 'latency')).toEqual({ index: 0, why: 'lowest latency, by no clear margin' });
  });

  it('does not hide a large difference behind wide intervals', () => {
    const points: SweepPoint[] = [
      { threads: 1, latencyMs: 1, throughput: 2000, throughputRange: [0, 9000] },
      { threads: 2, latencyMs: 1, throughput: 9000, throughputRange: [0, 40_000] },
    ];
    expect(suggest(points)).toEqual({ index: 1, why: 'highest throughput' });
  });
});
