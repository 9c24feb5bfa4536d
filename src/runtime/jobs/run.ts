import type { HostTensor } from '../../samples/types.js';
import type { JobContext } from '../job.js';
import type { RunParams } from '../protocol.js';

/** One run; outputs cross back whole. @throws SO4002, SO5002, SO5006 */
export function runJob(context: JobContext, { session, feeds, fetches }: RunParams): Promise<Map<string, HostTensor>> {
  return context.session(session).run(feeds, fetches);
}
