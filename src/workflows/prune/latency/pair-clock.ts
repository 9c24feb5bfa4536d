import type { Model } from '../../../ir/model.js';
import { SESSIONS, withOptions } from '../../../runtime/session-options.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import type { SampleSource } from '../../../samples/types.js';
import { inputSpecs } from '../../../samples/value-specs.js';
import type { PruneOptions } from '../../options.js';
import type { ModelRun } from '../../produce/model-run.js';
import { CandidateFiles } from '../../workbench/candidate-files.js';
import { sessionOptions } from '../../workbench/execution-session.js';
import { fitSource } from '../../workbench/fit-source.js';
import { measureLatency } from '../../workbench/measure-latency.js';
import { withSession } from '../../workbench/with-session.js';
import type { PairedTime } from './search-latency.js';

const LIMITS = { minRuns: 120, maxMs: 4000 } as const;

/** Times candidates beside the original, in turns. @param source samples of which the first shape is timed */
export function pairClock(
  run: ModelRun<PruneOptions>,
  source: SampleSource,
): (candidate: Model) => Promise<PairedTime> {
  const { model, path, options, runtime } = run;
  const session = withOptions(SESSIONS.timed, sessionOptions(options));
  const inputs = inputSpecs(model);
  return async (candidate) =>
    withWorkFolder(async (folder) => {
      const host = await runtime.host();
      const file = await new CandidateFiles(folder).write(candidate);
      return withSession(host, path, session, (a) =>
        withSession(host, file, session, async (b) => {
          const fitted = await fitSource(host, a, inputs, source);
          const usable = typeof fitted === 'string' ? source : fitted;
          const { ratio, p50MsA } = await measureLatency(host, [a, b], usable, inputs, { ...options, ...LIMITS });
          return { ratio, originalMs: p50MsA };
        }),
      );
    });
}
