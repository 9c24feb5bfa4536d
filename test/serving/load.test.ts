import { describe, expect, it } from 'vitest';
import { arrivalTimes } from '../../src/bench/arrivals.js';
import { quantileNearestRank } from '../../src/bench/quantiles.js';
import { Load, type LoadPart, type Outcome, type Worker } from '../../src/serving/load.js';
import { createRandom } from '../../src/tensor/random.js';
import { SimulatedClock } from './simulated-clock.js';

const GOOD: Outcome = { status: '200', ok: true };
const BAD: Outcome = { status: '500', ok: false };

/** Lanes whose requests take `serviceMs(index, now)` and end as `outcome(index)` says. */
function workers(
  clock: SimulatedClock,
  serviceMs: (index: number, now: number) => number,
  outcome: (index: number) => Outcome = () => GOOD,
): { readonly open: () => Worker; readonly opened: () => number; readonly closed: () => number } {
  let opened = 0;
  let closed = 0;
  return {
    opened: () => opened,
    closed: () => closed,
    open: () => {
      opened++;
      let stop: (() => void) | undefined;
      return {
        send: (index, timeoutMs) =>
          new Promise((resolve) => {
            const ms = serviceMs(index, clock.now());
            const late = ms > timeoutMs;
            const result = late ? { status: 'timeout', ok: false } : outcome(index);
            const cancel = clock.wait(Math.min(ms, timeoutMs), () => resolve(() => result));
            stop = () => {
              cancel();
              resolve(() => ({ status: 'closed', ok: false }));
            };
          }),
        close: () => {
          closed++;
          stop?.();
        },
      };
    },
  };
}

function latencies(...parts: LoadPart[]): Float64Array {
  return Float64Array.from(parts.flatMap(({ segments }) => segments.flatMap(({ latencyMs }) => [...latencyMs])));
}

describe('closed loop', () => {
  it('keeps a request under way on every connection', async () => {
    const clock = new SimulatedClock();
    const { open, opened } = workers(clock, () => 10);
    const load = new Load({ clock, openWorker: open, connections: 4, timeoutMs: 1000 });
    const part = await clock.run(load.advance(100));
    expect(opened()).toBe(4);
    expect(part.segments.map(({ stream }) => stream)).toEqual([0, 1, 2, 3]);
    for (const { startMs, latencyMs, wallMs, failures } of part.segments) {
      expect([...startMs]).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
      expect(new Set(latencyMs)).toEqual(new Set([10]));
      expect({ wallMs, failures }).toEqual({ wallMs: 100, failures: 0 });
    }
    expect(part.statuses).toEqual(new Map([['200', 40]]));
  });

  it('waits for responses at the end of a window, and goes on with the next on the same connections', async () => {
    const clock = new SimulatedClock();
    const { open, opened } = workers(clock, () => 30);
    const load = new Load({ clock, openWorker: open, connections: 2, timeoutMs: 1000 });
    const first = await clock.run(load.advance(100));
    expect(first.segments[0]?.wallMs).toBe(120);
    await clock.run(clock.later(500, undefined));
    const second = await clock.run(load.advance(100));
    expect([...(second.segments[1]?.startMs ?? [])]).toEqual([0, 30, 60, 90]);
    expect(second.segments[0]?.round).toBe(1);
    expect(opened()).toBe(2);
  });

  it('counts failures apart from latencies', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(
      clock,
      (index) => (index % 3 === 0 ? 1 : 10),
      (index) => (index % 3 === 0 ? BAD : GOOD),
    );
    const load = new Load({ clock, openWorker: open, connections: 1, timeoutMs: 1000 });
    const part = await clock.run(load.advance(210));
    expect(new Set(latencies(part))).toEqual(new Set([10]));
    expect(part.segments[0]?.failures).toBe(part.statuses.get('500'));
    expect(part.statuses).toEqual(
      new Map([
        ['500', 10],
        ['200', 20],
      ]),
    );
  });

  it('counts what takes too long as a timeout', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(clock, (index) => (index === 1 ? Number.POSITIVE_INFINITY : 10));
    const load = new Load({ clock, openWorker: open, connections: 1, timeoutMs: 50 });
    const part = await clock.run(load.advance(100));
    expect(part.statuses).toEqual(
      new Map([
        ['200', 5],
        ['timeout', 1],
      ]),
    );
    expect(part.segments[0]?.failures).toBe(1);
  });

  it('stops after so many requests', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(clock, () => 10);
    const load = new Load({ clock, openWorker: open, connections: 3, timeoutMs: 1000 });
    const part = await clock.run(load.advance(10_000, 10));
    expect(latencies(part).length).toBe(10);
    expect(part.segments[0]?.wallMs).toBe(40);
  });

  it('pauses before it asks a dead server again', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(
      clock,
      () => 1,
      () => ({ status: 'unreachable', ok: false, unreachable: true }),
    );
    const load = new Load({ clock, openWorker: open, connections: 1, timeoutMs: 1000 });
    const part = await clock.run(load.advance(510));
    expect(part.segments[0]?.failures).toBe(10);
  });

  it('ends at once when aborted, with what was measured', async () => {
    const clock = new SimulatedClock();
    const { open, closed } = workers(clock, (index) => (index < 5 ? 10 : Number.POSITIVE_INFINITY));
    const load = new Load({ clock, openWorker: open, connections: 1, timeoutMs: Number.MAX_VALUE });
    clock.wait(80, () => load.abort());
    const part = await clock.run(load.advance(10_000));
    expect(clock.now()).toBe(80);
    expect(part.aborted).toBe(true);
    expect(part.statuses).toEqual(new Map([['200', 5]]));
    expect(closed()).toBe(1);
    expect((await clock.run(load.finish())).statuses.size).toBe(0);
  });
});

describe('open loop', () => {
  /** Stalls for the first 100 ms of every second; responses that fall into it come at its end. */
  const stalling = (_: number, now: number): number => {
    const into = now % 1000;
    return into < 100 ? 100 - into + 1 : 1;
  };

  it.each(['constant', 'poisson'] as const)(
    'sees a stall of 100 ms a second (%s): no coordinated omission',
    async (process) => {
      const clock = new SimulatedClock();
      const { open } = workers(clock, stalling);
      const arrivals = arrivalTimes(100, process, createRandom(3));
      const load = new Load({ clock, openWorker: open, connections: 64, timeoutMs: 10_000, arrivals });
      const part = await clock.run(load.advance(60_000));
      const all = latencies(part, await clock.run(load.finish()));
      expect(quantileNearestRank(all, 0.5)).toBeCloseTo(1, 9);
      expect(quantileNearestRank(all, 0.99)).toBeGreaterThan(85);
      expect(quantileNearestRank(all, 0.99)).toBeLessThan(102);

      // A closed loop on one connection is blind to it: it has only one request in each stall.
      const blind = workers(clock, stalling);
      const closed = new Load({ clock, openWorker: blind.open, connections: 1, timeoutMs: 10_000 });
      expect(quantileNearestRank(latencies(await clock.run(closed.advance(60_000))), 0.99)).toBeCloseTo(1, 9);
    },
  );

  it('sees the stall with a single connection too: the queue is on the clock', async () => {
    const clock = new SimulatedClock();
    const { open, opened } = workers(clock, stalling);
    const arrivals = arrivalTimes(100, 'constant', createRandom(3));
    const load = new Load({ clock, openWorker: open, connections: 1, timeoutMs: 10_000, arrivals });
    const part = await clock.run(load.advance(20_000));
    expect(opened()).toBe(1);
    expect(quantileNearestRank(latencies(part), 0.99)).toBeGreaterThan(85);
    expect(part.longestQueue).toBeGreaterThan(5);
    // Sent late but answered fast: service time and latency differ.
    const { serviceMs, latencyMs } = part.segments[0] ?? {};
    const waits = Array.from(latencyMs ?? [], (ms, index) => ms - (serviceMs?.[index] ?? Number.NaN));
    expect(Math.max(...waits)).toBeGreaterThan(50);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0);
  });

  it('sends every request at its time, whatever the server does', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(clock, () => 35);
    const arrivals = arrivalTimes(100, 'constant', createRandom(1));
    const load = new Load({ clock, openWorker: open, connections: 64, timeoutMs: 1000, arrivals });
    const part = await clock.run(load.advance(1000));
    const rest = await clock.run(load.finish());
    const starts = [...part.segments, ...rest.segments].flatMap(({ startMs }) => [...startMs]);
    expect(starts).toEqual(Array.from({ length: 100 }, (_, index) => expect.closeTo(index * 10, 6)));
    expect(new Set(latencies(part, rest))).toEqual(new Set([expect.closeTo(35, 6)]));
    expect(rest.segments[0]?.wallMs).toBe(0);
  });

  it('goes on in the next window as if there had been no pause', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(clock, () => 25);
    const load = new Load({
      clock,
      openWorker: open,
      connections: 64,
      timeoutMs: 1000,
      arrivals: arrivalTimes(100, 'constant', createRandom(1)),
    });
    const first = await clock.run(load.advance(105));
    await clock.run(clock.later(777, undefined));
    const second = await clock.run(load.advance(105));
    const rest = await clock.run(load.finish());
    const starts = [first, second, rest].flatMap(({ segments }) => [...(segments[0]?.startMs ?? [])]);
    expect(starts.sort((a, b) => a - b)).toEqual(
      Array.from({ length: 21 }, (_, index) => expect.closeTo(index * 10, 6)),
    );
    expect(new Set(latencies(first, second, rest))).toEqual(new Set([expect.closeTo(25, 6)]));
  });

  it('counts from after the warm-up', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(clock, () => 25);
    const arrivals = arrivalTimes(100, 'constant', createRandom(1));
    const load = new Load({ clock, openWorker: open, connections: 64, timeoutMs: 1000, arrivals });
    await clock.run(load.advance(500));
    await clock.run(load.restart());
    const part = await clock.run(load.advance(100));
    const rest = await clock.run(load.finish());
    const starts = [part, rest].flatMap(({ segments }) => [...(segments[0]?.startMs ?? [])]);
    expect(starts).toEqual(Array.from({ length: 10 }, (_, index) => expect.closeTo(index * 10, 6)));
    expect(part.segments[0]?.round).toBe(0);
  });

  it('gives up requests that waited too long for a connection', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(clock, () => 100);
    const arrivals = arrivalTimes(100, 'constant', createRandom(1));
    const load = new Load({ clock, openWorker: open, connections: 1, timeoutMs: 300, arrivals });
    const part = await clock.run(load.advance(2000));
    const rest = await clock.run(load.finish());
    const count = (status: string): number => (part.statuses.get(status) ?? 0) + (rest.statuses.get(status) ?? 0);
    expect(count('200') + count('timeout before a connection was free')).toBe(200);
    expect(count('200')).toBeGreaterThan(20);
    expect(Math.max(...latencies(part, rest))).toBeLessThanOrEqual(400);
  });

  it('ends at once when aborted', async () => {
    const clock = new SimulatedClock();
    const { open } = workers(clock, () => Number.POSITIVE_INFINITY);
    const arrivals = arrivalTimes(100, 'poisson', createRandom(1));
    const load = new Load({ clock, openWorker: open, connections: 8, timeoutMs: Number.MAX_VALUE, arrivals });
    clock.wait(500, () => load.abort());
    const part = await clock.run(load.advance(60_000));
    expect(clock.now()).toBe(500);
    expect(part).toMatchObject({ aborted: true, statuses: new Map() });
    expect(await load.advance(60_000)).toMatchObject({ aborted: true, statuses: new Map() });
  });
});
