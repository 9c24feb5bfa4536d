import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { ProfileReport } from '../../report/bench-types.js';
import type { ChildState } from '../child-state.js';
import { readProfile } from '../profile-reader.js';
import type { ProfileParams } from '../protocol.js';
import { Session } from '../session.js';
import { sampleFeeds } from './sample-feeds.js';

/** Runs that are left out: the first allocate, tune and compile. */
const WARM_UP_RUNS = 3;
const FILE_PREFIX = 'profile';

/**
 * Runs a model with ONNX Runtime's profiler on, in a session of its own: where nodes ran and what they took. Times are
 * of kernels as their execution provider saw them; a GPU's may be only the time to start them. Profiling itself costs
 * time, so these are no latencies.
 * @throws SO5001, SO5002, SO5005, and as `sampleFeeds`
 */
export async function profileJob(state: ChildState, params: ProfileParams): Promise<ProfileReport> {
  const feeds = await sampleFeeds(state, params);
  const session = await Session.create(await state.onnxRuntime(), params.path, {
    ...params.options,
    profilePrefix: join(params.folder, FILE_PREFIX),
  });
  let done = 0;
  try {
    const runs = feeds.map((sample) => session.prepare(sample));
    const end = performance.now() + params.maxMs;
    const wanted = WARM_UP_RUNS + params.runs;
    while (done < wanted && (done <= WARM_UP_RUNS || performance.now() < end)) {
      await runs[done % runs.length]?.();
      done++;
    }
  } finally {
    session.endProfiling();
    await session.release();
  }
  // The name has a date in it, which nobody tells.
  const file = (await readdir(params.folder)).find((name) => name.startsWith(FILE_PREFIX) && name.endsWith('.json'));
  if (file === undefined) throw new ServeOptError('SO5002', 'ONNX Runtime wrote no profile');
  return readProfile(join(params.folder, file), { warmUpRuns: WARM_UP_RUNS });
}
