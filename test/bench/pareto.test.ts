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
    { threads: 1, latencyMs: 8, throughput: 125, memoryBytes: 100 },
    { threads: 2, latencyMs: 5, throughput: 200, memoryBytes: 100 },
    { threads: 4, latencyMs: 4.9, throughput: 205, memoryBytes: 130 },
    { threads: 2, latencyMs: 39, throughput: 204, memoryBytes: 160 },
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
});
