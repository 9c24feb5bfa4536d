import type { AppliedRewrite } from '../../passes/engine/run-rewrites.js';
import type { DroppedRewriteReport } from '../../report/types.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { Stages } from '../stages.js';
import { CandidateFiles } from '../workbench/candidate-files.js';
import { idOf, type Optimized, type Pipeline } from './pipeline.js';
import type { CheckDepth, Verdict, Verifier } from './verifier.js';

/** So many wrong rewrites of one pass, and it is left out whole; one that only rounds otherwise ends where it went too far. */
const MOST_OF_A_PASS = 3;
/** So many wrong rewrites, and what was right before the last of them is all that is kept. */
const MOST_ROUNDS = 12;
/** After so long no more halves are tried: what is known to be right by then is kept. */
const SEARCH_MS = 30_000;
/** So many halves of one result are tried in any case: slow machines should keep something, too. */
const LEAST_HALVES = 4;

/** What came of looking for wrong rewrites. */
export interface Repaired {
  /** The rest of the result; undefined when the search was given up. */
  readonly optimized: Optimized | undefined;
  readonly dropped: readonly DroppedRewriteReport[];
  /** Where the search ended early: how many of the rewrites of the last result, from the first on, were kept. */
  readonly kept?: { readonly first: number; readonly of: number };
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
  /** How many operations in a row became one, at most; default 1. */
  readonly inARow?: (optimized: Optimized) => number;
  /** True for a pass that keeps outputs but for rounding: many right changes of it may be wrong together. */
  readonly isRounding: (pass: string) => boolean;
  /** Milliseconds after which the search ends with what it has; default 30 s. */
  readonly searchMs?: number;
}

/**
 * Finds the rewrites that make a result wrong, by halving: with the first k changes it is right, with the first k + 1 it is
 * not. Leaves each out and starts again, until the result is right. Where that takes too long, or there are too many, the
 * changes that are known to be right, from the first on, are kept and the rest left out.
 */
export async function repair(context: RepairContext, failed: Optimized, verdict: Verdict): Promise<Repaired> {
  return withWorkFolder(async (folder) => {
    const { pipeline, verifier, stages } = context;
    const deadline = performance.now() + (context.searchMs ?? SEARCH_MS);
    const isLate = (): boolean => performance.now() > deadline;
    const candidates = new CandidateFiles(folder);
    const judge = (optimized: Optimized, depth: CheckDepth): Promise<Verdict> =>
      candidates.try(optimized.model, async (path) => {
        stages.advance(candidates.count, 0);
        const judged = await verifier.check(path, context.isExact(optimized), depth, context.inARow?.(optimized));
        if (judged.session !== undefined) await verifier.release(judged.session);
        return judged;
      });
    const dropped: DroppedRewriteReport[] = [];
    let [current, currentVerdict] = [failed, verdict];
    const untouched = await judge(await pipeline.run({ limit: 0 }), verdict.depth);
    if (untouched.wrong !== undefined)
      return { optimized: undefined, dropped, unstable: `two runs of the original differ: ${untouched.wrong}` };
    for (let round = 1; ; round++) {
      const { applied } = current.outcome;
      const { depth } = currentVerdict;
      const halved = await halve(applied.length, isLate, async (limit) => {
        const { wrong } = await judge(await pipeline.run({ limit }), depth);
        return wrong !== undefined;
      });
      const guilty = halved.isFound ? applied[halved.right] : undefined;
      if (halved.isFound && !guilty) return { optimized: undefined, dropped };
      if (!guilty || round >= MOST_ROUNDS || (round > 1 && isLate())) {
        const kept = { first: halved.right, of: applied.length };
        if (halved.right === 0) return { optimized: undefined, dropped, kept };
        pipeline.endAfter(halved.right);
        return { optimized: await pipeline.run(), dropped, kept };
      }
      dropped.push(leaveOut(context, applied, halved.right, dropped, currentVerdict.wrong ?? ''));
      const next = await pipeline.runWithinBudget();
      if (!next) return { optimized: undefined, dropped };
      current = next;
      currentVerdict = await judge(current, 'optimized');
      if (currentVerdict.wrong === undefined) return { optimized: current, dropped };
    }
  });
}

interface Halved {
  /** With so many changes the result is right. */
  readonly right: number;
  /** Whether it is wrong with the next one; false when the search ended before that was known. */
  readonly isFound: boolean;
}

/** Finds the first change with which the result is wrong, in log₂ n runs or as many as there is time for. */
async function halve(
  count: number,
  isLate: () => boolean,
  isWrong: (limit: number) => Promise<boolean>,
): Promise<Halved> {
  let right = 0;
  let wrong = count;
  for (let tried = 0; wrong - right > 1; tried++) {
    if (tried >= LEAST_HALVES && isLate()) return { right, isFound: false };
    const middle = right + Math.floor((wrong - right) / 2);
    if (await isWrong(middle)) wrong = middle;
    else right = middle;
  }
  return { right, isFound: true };
}

function leaveOut(
  { pipeline, isRounding }: RepairContext,
  applied: readonly AppliedRewrite[],
  index: number,
  before: readonly DroppedRewriteReport[],
  reason: string,
): DroppedRewriteReport {
  const guilty = applied[index] as AppliedRewrite;
  const { pass, nodes } = guilty;
  const id = idOf(guilty);
  const place = { pass, node: id.label, ...(nodes[0] ? { opType: nodes[0].opType } : {}) };
  const earlier = before.filter((each) => each.pass === pass).length + 1;
  if (earlier < MOST_OF_A_PASS) {
    pipeline.forbid(id);
    return { ...place, reason };
  }
  const right = applied.slice(0, index).filter((each) => each.pass === pass).length;
  if (earlier === MOST_OF_A_PASS && right > 0 && isRounding(pass)) {
    pipeline.endPassAfter(pass, right);
    return { ...place, reason: `${reason}; its later rewrites were left out, too` };
  }
  pipeline.drop(pass);
  return { pass, reason };
}
