import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { sampleFeeds } from '../../samples/sample-feeds.js';
import type { ChildState } from '../child-state.js';
import type { ProfileReport } from '../profile.js';
import { readProfile } from '../profile-reader.js';
import type { ProfileParams } from '../protocol.js';
import { Session } from '../session.js';

/** Runs that are left out, since they allocate, tune and compile: so many, in so much of the time; one at least. */
const WARM_UP = { runs: 3, share: 0.3 } as const;
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
  const start = performance.now();
  let warmUpRuns = 0;
  try {
    const runs = feeds.map((sample) => session.prepare(sample));
    let done = 0;
    const run = (): Promise<unknown> | undefined => runs[done++ % runs.length]?.();
    const isWithin = (ms: number): boolean => performance.now() - start < ms;
    for (; warmUpRuns === 0 || (warmUpRuns < WARM_UP.runs && isWithin(params.maxMs * WARM_UP.share)); warmUpRuns++) {
      await run();
    }
    for (let counted = 0; counted === 0 || (counted < params.runs && isWithin(params.maxMs)); counted++) await run();
  } finally {
    session.endProfiling();
    await session.release();
  }
  // The name has a date in it, which nobody tells.
  const file = (await readdir(params.folder)).find((name) => name.startsWith(FILE_PREFIX) && name.endsWith('.json'));
  if (file === undefined) throw new ServeOptError('SO5002', 'ONNX Runtime wrote no profile');
  const path = join(params.folder, file);
  const most = params.mostNodes === undefined ? {} : { mostNodes: params.mostNodes };
  const report = await readProfile(path, { warmUpRuns, ...most });
  // A model of loops can fill the profile while it warms up.
  return report.runs > 0 && report.providers.length > 0 ? report : readProfile(path, { warmUpRuns: 0, ...most });
}
