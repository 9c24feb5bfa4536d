import { describe, expect, it } from 'vitest';
import type { Segment } from '../../src/bench/segment.js';
import { lagOneAutocorrelation, summarizeLatency, thin, thinAll } from '../../src/bench/summarize.js';
import { createRandom } from '../../src/tensor/random.js';
import { SOURCES, type Source, segmentOf } from './sources.js';

function measured(name: string, rounds: number, runs: number, seed = 1): Segment[] {
  return Array.from({ length: rounds }, (_, round) => {
    const latencyMs = new Float64Array(runs);
    (SOURCES[name] as Source)(createRandom(seed, round), latencyMs);
    return segmentOf(latencyMs, round);
  });
}

describe('summarizeLatency', () => {
  it('pools rounds and streams, and tells processes apart', () => {
    const stream = { ...segmentOf(Float64Array.of(7, 8, 9), 1), stream: 1 };
    const report = summarizeLatency([
      segmentOf(Float64Array.of(3, 1, 2), 0, 2),
      segmentOf(Float64Array.of(4, 5, 6), 1, 1),
      stream,
    ]);
    expect(report).toMatchObject({ runs: 9, failures: 3, minMs: 1, meanMs: 5, maxMs: 9 });
    expect(report.quantiles[0]).toMatchObject({ probability: 0.5, ms: 5 });
    expect(report.quantiles.map(({ ms }) => ms !== undefined)).toEqual([true, false, false, false, false]);
    expect(report.processes).toEqual([
      { runs: 3, p50Ms: 2 },
      { runs: 6, p50Ms: 6 },
    ]);
  });

  it('leaves samples as they were', () => {
    const segments = [segmentOf(Float64Array.of(3, 1, 2), 0)];
    summarizeLatency(segments);
    expect([...(segments[0]?.latencyMs ?? [])]).toEqual([3, 1, 2]);
  });

  it('counts independent runs as what they are', () => {
    const { autocorrelation, effectiveRuns, stable, quantiles } = summarizeLatency(measured('log-normal', 5, 1000));
    expect(Math.abs(autocorrelation)).toBeLessThan(0.05);
    expect(effectiveRuns).toBeGreaterThan(4000);
    expect(stable).toBe(true);
    for (const { ms = 0, lowMs = 0, highMs = 0 } of quantiles) {
      expect(lowMs).toBeLessThan(ms);
      expect(highMs).toBeGreaterThan(ms);
    }
  });

  it('sees bursts, and processes that differ', () => {
    const serial = summarizeLatency(measured('AR(1)', 5, 2000));
    expect(serial.autocorrelation).toBeGreaterThan(0.5);
    expect(serial.effectiveRuns).toBeLessThan(4000);
    const bursts = summarizeLatency(measured('bursts', 5, 2000));
    expect(bursts.effectiveRuns).toBeLessThan(5000);
    const sessions = summarizeLatency(measured('sessions ±5 %', 8, 1000));
    expect(Math.abs(sessions.autocorrelation)).toBeLessThan(0.05);
    expect(sessions.effectiveRuns).toBeLessThan(1000);
  });

  it('counts outliers by fences and removes none', () => {
    const latencyMs = Float64Array.from({ length: 101 }, (_, i) => 100 + (i % 11));
    // Quartiles 102 and 108: fences at 117 and 126.
    latencyMs.set([117, 118, 126, 127, 500], 40);
    const { outliers, runs, maxMs } = summarizeLatency([segmentOf(latencyMs, 0)]);
    expect(outliers).toEqual({ mild: 2, severe: 2 });
    expect([runs, maxMs]).toEqual([101, 500]);
  });

  it('is unstable where the last windows disagree, and where there are next to no runs', () => {
    const steps = (...levels: number[]) => levels.map((ms, round) => segmentOf(new Float64Array(50).fill(ms), round));
    expect(summarizeLatency(steps(9, 5, 5, 5, 5)).stable).toBe(true);
    expect(summarizeLatency(steps(5, 5, 5, 5, 6)).stable).toBe(false);
    expect(summarizeLatency([segmentOf(Float64Array.of(1, 1), 0)]).stable).toBe(false);
  });

  it('answers for nothing at all', () => {
    const report = summarizeLatency([segmentOf(new Float64Array(), 0, 4)]);
    expect(report).toMatchObject({
      runs: 0,
      failures: 4,
      effectiveRuns: 0,
      autocorrelation: 0,
      stable: false,
      processes: [],
    });
    expect(report.quantiles.every(({ ms, why }) => ms === undefined && why !== undefined)).toBe(true);
  });
});

describe('lagOneAutocorrelation', () => {
  it('is that of the process, not of differences between segments', () => {
    const random = createRandom(3);
    const latencyMs = new Float64Array(20_000);
    let state = 0;
    for (let i = 0; i < latencyMs.length; i++) {
      state = 0.6 * state + 0.8 * random.normal();
      latencyMs[i] = state;
    }
    expect(lagOneAutocorrelation([{ latencyMs }])).toBeCloseTo(0.6, 1);
    const flat = [1, 2].map((ms) => ({ latencyMs: new Float64Array(100).fill(ms) }));
    expect(lagOneAutocorrelation(flat)).toBe(0);
  });
});

describe('thin', () => {
  it('keeps every n-th request, at most so many', () => {
    const segment = {
      ...segmentOf(
        Float64Array.from({ length: 10 }, (_, i) => i + 1),
        2,
      ),
      stream: 1,
    };
    expect(thin(segment, 100)).toMatchObject({
      round: 2,
      stream: 1,
      every: 1,
      latencyMs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    });
    expect(thin(segment, 4)).toMatchObject({ every: 3, latencyMs: [1, 4, 7, 10], startMs: [0, 6, 21, 45] });
    expect(thin(segment, 0)).toMatchObject({ every: 10, latencyMs: [1] });
    expect(thin(segmentOf(new Float64Array(), 0), 4)).toMatchObject({ every: 1, latencyMs: [] });
  });
});

describe('thinAll', () => {
  it('keeps less of each where there are many configurations or connections', () => {
    const long = segmentOf(new Float64Array(50_000).fill(1), 0);
    const kept = (segments: readonly Segment[], configurations: number): number =>
      thinAll(segments, configurations).reduce((sum, { latencyMs }) => sum + latencyMs.length, 0);
    expect(kept([long], 1)).toBeGreaterThan(10_000);
    expect(kept([long], 1)).toBeLessThanOrEqual(20_000);
    expect(kept([long], 500)).toBeLessThanOrEqual(800);
    const connections = Array.from({ length: 1000 }, () => segmentOf(new Float64Array(100).fill(1), 0));
    expect(kept(connections, 500)).toBeLessThanOrEqual(10_000);
  });
});
