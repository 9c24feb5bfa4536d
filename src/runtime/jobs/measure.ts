import process from 'node:process';
import { arrivalTimes } from '../../bench/arrivals.js';
import { sameShapes, sampleFeeds } from '../../samples/sample-feeds.js';
import { tensorBytes } from '../../samples/tensor-bytes.js';
import type { Feeds } from '../../samples/types.js';
import { createRandom } from '../../tensor/random.js';
import type { ChildState } from '../child-state.js';
import type {
  MeasureAdvanceParams,
  MeasureAdvanceResult,
  MeasureStartParams,
  MeasureStartResult,
  MeasureWarmUpParams,
  MeasureWarmUpResult,
} from '../protocol.js';
import { MeasureLoop } from '../timing/measure-loop.js';
import { WARM_UP } from '../timing/warm-up.js';

/**
 * Begins a measurement of a session: prepares a few samples and times the first run. Inputs are converted outside the
 * clock. Errors as `sampleFeeds` and `ChildSession.prepare`; SO5002 when the run fails.
 */
export async function measureStartJob(state: ChildState, params: MeasureStartParams): Promise<MeasureStartResult> {
  const feeds = await sampleFeeds(state, params);
  const session = state.session(params.session);
  const { openLoop } = params;
  const loop = new MeasureLoop(
    feeds.map((sample) => session.prepare(sample)),
    {
      window: sameShapes(feeds) ? WARM_UP.window : Math.max(WARM_UP.window, feeds.length),
      ...(openLoop && {
        arrivals: arrivalTimes(openLoop.ratePerSecond, openLoop.arrivals, createRandom(openLoop.seed)),
      }),
    },
  );
  const firstRunMs = await loop.time();
  return {
    measurement: state.keepMeasurement(params.session, loop),
    inputs: [...(feeds[0] as Feeds)].map(([name, { dataType, dims }]) => ({ name, dataType, dims })),
    samples: feeds.length,
    inputBytes: feeds.reduce((sum, sample) => sum + tensorBytes(sample), 0),
    firstRunMs,
  };
}

/** Runs until times are steady. @throws SO5002 */
export async function measureWarmUpJob(state: ChildState, params: MeasureWarmUpParams): Promise<MeasureWarmUpResult> {
  const { runs, ms, settled } = await state.measurement(params.measurement).warmUp(params.maxMs);
  return { runs, ms, settled };
}

/** Measures for a while. A failing run's error comes with the call after the part that it ended. @throws SO5002 */
export async function measureAdvanceJob(
  state: ChildState,
  { measurement, maxMs, maxRuns }: MeasureAdvanceParams,
): Promise<MeasureAdvanceResult> {
  const loop = state.measurement(measurement);
  const switchesBefore = process.resourceUsage().involuntaryContextSwitches;
  const cpuBefore = process.cpuUsage();
  const part = await loop.advance(maxMs, maxRuns);
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    ...part,
    cpuMs: (user + system) / 1000,
    involuntarySwitches: process.resourceUsage().involuntaryContextSwitches - switchesBefore,
  };
}
