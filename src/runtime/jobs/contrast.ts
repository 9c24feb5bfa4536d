import type { OutputDifference } from '../../evaluate/comparison.js';
import { OutputDifferences } from '../../evaluate/output-difference.js';
import type { JobContext, ReportProgress } from '../job.js';

export interface ContrastParams {
  /** What the original ran on, and gave. */
  readonly reference: number;
  /** Session of the model under test. */
  readonly session: number;
}

/**
 * How far a model is from what the reference gave, output by output: `compare` for one original and many candidates, as
 * the original is not run again. @throws SO5002 where the model does not run
 */
export async function contrastJob(
  context: JobContext,
  { reference, session: id }: ContrastParams,
  progress: ReportProgress,
): Promise<readonly OutputDifference[]> {
  const session = context.session(id);
  const differences = new Map<string, OutputDifferences>();
  const { runs } = context.reference(reference);
  for (const [index, run] of runs.entries()) {
    const outputs = await session.run(run.feeds);
    for (const [name, wanted] of run.outputs) {
      const given = outputs.get(name);
      if (!given) continue;
      let difference = differences.get(name);
      if (!difference) {
        difference = new OutputDifferences(name);
        differences.set(name, difference);
      }
      difference.observe({ a: wanted, b: given });
    }
    progress({ done: index + 1, total: runs.length });
  }
  return [...differences.values()].map((difference) => difference.result());
}
