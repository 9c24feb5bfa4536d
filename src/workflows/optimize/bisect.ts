import type { AppliedRewrite } from '../../passes/engine/run-rewrites.js';
import type { DroppedRewriteReport } from '../../report/types.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { Stages } from '../stages.js';
import { idOf, type Optimized, type Pipeline } from './pipeline.js';
import { Trials } from './trials.js';
import type { CheckDepth, Verdict, Verifier } from './verifier.js';

/** So many wrong rewrites of one pass, and it is left out whole. */
const MOST_OF_A_PASS = 3;
/** So many wrong rewrites, and the model is handed over as it was. */
const MOST_ROUNDS = 12;

/** What came of looking for wrong rewrites. */
export interface Repaired {
  /** The rest of the result; undefined when the search was given up. */
  readonly optimized: Optimized | undefined;
  readonly dropped: readonly DroppedRewriteReport[];
  /** Why nothing can be said, for example that the original does not give the same twice. */
  readonly unstable?: string;
}

/** Everything a check of one limit needs. */
export interface RepairContext {
  readonly pipeline: Pipeline;
  readonly verifier: Verifier;
  readonly stages: Stages;
  /** True when all these passes keep outputs bit for bit. */
  readonly isExact: (optimized: Optimized) => boolean;
}

/**
 * Finds the rewrites that make a result wrong, by halving: with the first k changes it is right, with the first k + 1 it is
 * not. Leaves each out and starts again, until the result is right.
 */
export async function repair(context: RepairContext, failed: Optimized, verdict: Verdict): Promise<Repaired> {
  return withWorkFolder(async (folder) => {
    const { pipeline, verifier, stages } = context;
    const trials = new Trials(folder);
    const judge = (optimized: Optimized, depth: CheckDepth): Promise<Verdict> =>
      trials.try(optimized.model, async (path) => {
        stages.advance(trials.count, 0);
        const judged = await verifier.check(path, context.isExact(optimized), depth);
        if (judged.session !== undefined) await verifier.release(judged.session);
        return judged;
      });
    const dropped: DroppedRewriteReport[] = [];
    let [current, currentVerdict] = [failed, verdict];
    const untouched = await judge(await pipeline.run({ limit: 0 }), verdict.depth);
    if (untouched.wrong !== undefined)
      return { optimized: undefined, dropped, unstable: `the original does not agree with itself: ${untouched.wrong}` };
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const { applied } = current.outcome;
      const { depth } = currentVerdict;
      const guilty = await firstWrong(applied, async (limit) => {
        const { wrong } = await judge(await pipeline.run({ limit }), depth);
        return wrong !== undefined;
      });
      if (!guilty) return { optimized: undefined, dropped };
      dropped.push(leaveOut(pipeline, guilty, dropped, currentVerdict.wrong ?? ''));
      const next = await pipeline.runWithinBudget();
      if (!next) return { optimized: undefined, dropped };
      current = next;
      currentVerdict = await judge(current, 'optimized');
      if (currentVerdict.wrong === undefined) return { optimized: current, dropped };
    }
    return { optimized: undefined, dropped };
  });
}

/** The first change with which the result is wrong, found in log₂ n runs; undefined when there are none. */
async function firstWrong(
  applied: readonly AppliedRewrite[],
  isWrong: (limit: number) => Promise<boolean>,
): Promise<AppliedRewrite | undefined> {
  let right = 0;
  let wrong = applied.length;
  while (wrong - right > 1) {
    const middle = right + Math.floor((wrong - right) / 2);
    if (await isWrong(middle)) wrong = middle;
    else right = middle;
  }
  return applied[wrong - 1];
}

function leaveOut(
  pipeline: Pipeline,
  guilty: AppliedRewrite,
  before: readonly DroppedRewriteReport[],
  reason: string,
): DroppedRewriteReport {
  const { pass, nodes } = guilty;
  if (before.filter((each) => each.pass === pass).length + 1 >= MOST_OF_A_PASS) {
    pipeline.drop(pass);
    return { pass, reason };
  }
  const id = idOf(guilty);
  pipeline.forbid(id);
  return { pass, node: id.label, ...(nodes[0] ? { opType: nodes[0].opType } : {}), reason };
}
