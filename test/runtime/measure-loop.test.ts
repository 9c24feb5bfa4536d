import { describe, expect, it } from 'vitest';
import { arrivalTimes } from '../../src/bench/arrivals.js';
import { median, quantileNearestRank } from '../../src/bench/quantiles.js';
import type { ArrivalProcess } from '../../src/bench/scenario.js';
import { BLOCKS, BlockSubject, timeInTurns } from '../../src/runtime/timing/block-subject.js';
import { type Clock, SYSTEM_CLOCK } from '../../src/runtime/timing/clock.js';
import { MeasureLoop, type Run } from '../../src/runtime/timing/measure-loop.js';
import { NumberSeries } from '../../src/runtime/timing/number-series.js';
import { createRandom } from '../../src/tensor/random.js';

/** Time that passes only when somebody says so. */
class SimulatedClock implements Clock {
  ms = 1000;

  now(): number {
    return this.ms;
  }

  waitUntil(ms: number): void {
    this.ms = Math.max(this.ms, ms);
  }

  rest(ms: number): void {
    this.ms += ms;
  }

  /** Runs that take so long, in turn. */
  runs(...milliseconds: number[]): Run[] {
    return milliseconds.map((ms) => async () => {
      this.ms += ms;
    });
  }
}

describe('an open loop', () => {
  /** Answers in 1 ms, but stands still for the first 100 ms of every second. */
  function stallingServer(clock: SimulatedClock): Run {
    return async () => {
      const intoSecond = clock.ms % 1000;
      if (intoSecond < 100) clock.ms += 100 - intoSecond;
      clock.ms += 1;
    };
  }

  it.each<ArrivalProcess>(['constant', 'poisson'])(
    'counts from when requests were to start: stalls of 100 ms a second show in p99 (%s)',
    async (process) => {
      const clock = new SimulatedClock();
      const arrivals = arrivalTimes(100, process, createRandom(5));
      const loop = new MeasureLoop([stallingServer(clock)], { clock, arrivals });
      const latencies: number[] = [];
      const services: number[] = [];
      for (let part = 0; part < 120; part++) {
        const { latencyMs, serviceMs } = await loop.advance(500);
        latencies.push(...latencyMs);
        services.push(...(serviceMs ?? []));
      }
      expect(latencies.length).toBeGreaterThan(5500);
      expect(quantileNearestRank(latencies, 0.99)).toBeGreaterThan(88);
      expect(quantileNearestRank(latencies, 0.99)).toBeLessThan(115);
      // What a closed loop would have said: one request a second is slow, which p98 does not see.
      expect(quantileNearestRank(services, 0.98)).toBeCloseTo(1, 6);
    },
  );

  it('tells each start as it was scheduled, whatever was late', async () => {
    const clock = new SimulatedClock();
    const loop = new MeasureLoop(clock.runs(25), { clock, arrivals: arrivalTimes(100, 'constant', createRandom(1)) });
    const { startMs, latencyMs, serviceMs, wallMs } = await loop.advance(100);
    expect([...startMs]).toEqual([0, 10, 20, 30]);
    expect([...latencyMs]).toEqual([25, 40, 55, 70]);
    expect([...(serviceMs ?? [])]).toEqual([25, 25, 25, 25]);
    expect(wallMs).toBe(100);
  });

  it('goes on where it was: time between two parts is no queue, a backlog stays one', async () => {
    const clock = new SimulatedClock();
    const loop = new MeasureLoop(clock.runs(25), { clock, arrivals: arrivalTimes(100, 'constant', createRandom(1)) });
    await loop.advance(100);
    clock.ms += 60_000;
    const { startMs, latencyMs, behindMs } = await loop.advance(50);
    expect([...startMs]).toEqual([40, 50]);
    expect([...latencyMs]).toEqual([85, 100]);
    // 150 ms have passed, and the request of 60 ms is still to be sent.
    expect(behindMs).toBe(90);
  });

  it('waits for the end of a part although nothing comes any more, so that the rate is true', async () => {
    const clock = new SimulatedClock();
    const loop = new MeasureLoop(clock.runs(1), { clock, arrivals: arrivalTimes(10, 'constant', createRandom(1)) });
    const first = await loop.advance(250);
    expect([...first.startMs]).toEqual([0, 100, 200]);
    expect(first.wallMs).toBe(250);
    const second = await loop.advance(250);
    expect([...second.startMs]).toEqual([300, 400]);
    expect(second.wallMs).toBe(250);
    expect(second.behindMs).toBe(0);
  });

  it('waits for one request at least', async () => {
    const clock = new SimulatedClock();
    const loop = new MeasureLoop(clock.runs(1), { clock, arrivals: arrivalTimes(0.1, 'constant', createRandom(1)) });
    expect([...(await loop.advance(250)).startMs]).toEqual([0]);
    expect([...(await loop.advance(250)).startMs]).toEqual([10_000]);
  });

  it('stops after so many requests without waiting for more', async () => {
    const clock = new SimulatedClock();
    const loop = new MeasureLoop(clock.runs(1), { clock, arrivals: arrivalTimes(10, 'constant', createRandom(1)) });
    const { startMs, wallMs } = await loop.advance(1000, 3);
    expect([...startMs]).toEqual([0, 100, 200]);
    expect(wallMs).toBe(201);
  });

  it('is never early on the real clock', async () => {
    const until = SYSTEM_CLOCK.now() + 8;
    await SYSTEM_CLOCK.waitUntil(until);
    expect(SYSTEM_CLOCK.now()).toBeGreaterThanOrEqual(until);
  });
});

describe('a closed loop', () => {
  it('starts each run when the one before has ended, takes the samples in turn, and goes on from part to part', async () => {
    const clock = new SimulatedClock();
    const loop = new MeasureLoop(clock.runs(10, 20, 30), { clock });
    const first = await loop.advance(60);
    expect([...first.startMs]).toEqual([0, 10, 30]);
    expect([...first.latencyMs]).toEqual([10, 20, 30]);
    expect(first.serviceMs).toBeUndefined();
    expect(first.wallMs).toBe(60);
    clock.ms += 5000;
    const second = await loop.advance(1);
    expect([...second.startMs]).toEqual([60]);
    expect([...second.latencyMs]).toEqual([10]);
  });

  it('stops after so many runs', async () => {
    const clock = new SimulatedClock();
    const loop = new MeasureLoop(clock.runs(1), { clock });
    expect((await loop.advance(1000, 7)).latencyMs).toHaveLength(7);
  });

  it('gives what was measured before a run failed, and then the error', async () => {
    const clock = new SimulatedClock();
    let done = 0;
    const run = async (): Promise<void> => {
      if (done++ === 3) throw new Error('out of memory');
      clock.ms += 2;
    };
    const loop = new MeasureLoop([run], { clock });
    expect([...(await loop.advance(1000)).latencyMs]).toEqual([2, 2, 2]);
    await expect(loop.advance(1000)).rejects.toThrow('out of memory');
  });

  it('throws the error of the first run at once', async () => {
    const loop = new MeasureLoop([() => Promise.reject(new Error('no kernel'))], { clock: new SimulatedClock() });
    await expect(loop.advance(1000)).rejects.toThrow('no kernel');
  });
});

describe('warming up', () => {
  it('ends when the medians of two windows agree', async () => {
    const clock = new SimulatedClock();
    let ms = 64;
    const run = async (): Promise<void> => {
      clock.ms += ms;
      ms = Math.max(1, ms / 2);
    };
    const { runs, settled, firstRunMs } = await new MeasureLoop([run], { clock }).warmUp(10_000);
    expect(firstRunMs).toBe(64);
    expect(settled).toBe(true);
    // 64, 32, 16, 8, 4, 2, then ones: the window from run 5 on, and the one after it, have the median 1.
    expect(runs).toBe(14);
  });

  it('takes three runs at least, and says when time was up', async () => {
    const clock = new SimulatedClock();
    expect(await new MeasureLoop(clock.runs(700), { clock }).warmUp(1000)).toMatchObject({ runs: 3, settled: false });
  });

  it('can have windows that hold every sample', async () => {
    const clock = new SimulatedClock();
    const loop = new MeasureLoop(clock.runs(1, 1, 1, 1, 1, 9, 9, 9), { clock, window: 8 });
    expect(await loop.warmUp(10_000)).toMatchObject({ runs: 16, settled: true });
  });
});

describe('sessions that take turns', () => {
  it('go A B A, A B A backwards, on one sample a round, each block after a rest and runs that are not timed', async () => {
    const clock = new SimulatedClock();
    const order: string[] = [];
    let endedAt = 0;
    const subject = (name: string, ms: number): BlockSubject =>
      new BlockSubject(
        [0, 1].map((sample) => async () => {
          const rested = clock.ms - endedAt >= BLOCKS.restMs;
          order.push(`${rested ? '|' : ''}${name}${sample}`);
          clock.ms += ms;
          endedAt = clock.ms;
        }),
        clock,
      );
    const subjects = [subject('A', 1), subject('B', 2), subject('C', 1)];
    const { warmUps, blockRuns } = await timeInTurns(subjects, { maxMs: 100_000, blocks: () => 4, clock });
    // The slowest takes 2 ms.
    expect(blockRuns).toBe(BLOCKS.ms / 2);
    const leadIn = BLOCKS.leadInMs / 2;
    const warmUpRuns = warmUps.reduce((sum, { runs }) => sum + runs, 0);
    const [, ...blocks] = order.slice(warmUpRuns).join(' ').split('|');
    expect(blocks.map((block) => block.slice(0, 2)).join(' ')).toBe('A0 B0 C0 C1 B1 A1 A0 B0 C0 C1 B1 A1');
    expect(blocks.every((block) => block.trim().split(' ').length === leadIn + blockRuns)).toBe(true);
    expect(subjects.map(({ timesMs }) => timesMs.length)).toEqual(subjects.map(() => 4 * blockRuns));
    expect(subjects.map(({ blockMediansMs }) => median(blockMediansMs))).toEqual([1, 2, 1]);
  });

  it('has blocks of fewer runs where runs are long, and stops when time is up, after a whole round', async () => {
    const clock = new SimulatedClock();
    const subjects = [new BlockSubject(clock.runs(50), clock), new BlockSubject(clock.runs(50), clock)];
    const { blockRuns } = await timeInTurns(subjects, { maxMs: 1, blocks: () => 100, clock });
    expect(blockRuns).toBe(1);
    expect(subjects.map(({ blockMediansMs }) => blockMediansMs)).toEqual([[50], [50]]);
  });
});

describe('NumberSeries', () => {
  it('keeps everything in order while it grows, and is empty after it was taken', () => {
    const series = new NumberSeries();
    for (let i = 0; i < 5000; i++) series.add(i);
    const taken = series.take();
    expect(taken).toHaveLength(5000);
    expect(taken.every((value, index) => value === index)).toBe(true);
    expect(series.take()).toHaveLength(0);
    series.add(7);
    expect([...series.take()]).toEqual([7]);
  });
});
