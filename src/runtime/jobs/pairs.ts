import { sampleFeeds } from '../../samples/sample-feeds.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { PairsParams, PairsResult } from '../protocol.js';
import { BlockSubject, timeInTurns } from '../timing/block-subject.js';

/**
 * Times sessions of the same inputs in turns (`timeInTurns`), until each has `minBlocks` blocks or time is up. `runs`
 * counts those of one session. Errors as `measureStart`.
 */
export async function pairsJob(
  context: JobContext,
  params: PairsParams,
  progress: ReportProgress,
): Promise<PairsResult> {
  const feeds = await sampleFeeds(context, params);
  const subjects = params.sessions.map((id) => {
    const session = context.session(id);
    return new BlockSubject(feeds.map((sample) => session.prepare(sample)));
  });
  await timeInTurns(subjects, {
    maxMs: params.maxMs,
    blocks: () => params.minBlocks,
    onBlock: (done, total) => progress({ done, total }),
  });
  return {
    blockMediansMs: subjects.map(({ blockMediansMs }) => Float64Array.from(blockMediansMs)),
    runs: subjects[0]?.timesMs.length ?? 0,
  };
}
