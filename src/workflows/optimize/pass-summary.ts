import type { TransformStepReport } from '../../ir/transform.js';
import type { AppliedRewrite, RewriteOutcome } from '../../passes/engine/run-rewrites.js';

/** What the rewrites of one pass came to. */
export interface PassTotals {
  readonly rewrites: number;
  readonly nodesDelta: number;
  readonly bytesDelta: number;
}

/** The totals of each pass, in the order in which they first did something. */
export function totalsByPass(applied: readonly AppliedRewrite[]): Map<string, PassTotals> {
  const totals = new Map<string, PassTotals>();
  for (const { pass, nodesDelta, bytesDelta } of applied) {
    const before = totals.get(pass) ?? { rewrites: 0, nodesDelta: 0, bytesDelta: 0 };
    totals.set(pass, {
      rewrites: before.rewrites + 1,
      nodesDelta: before.nodesDelta + nodesDelta,
      bytesDelta: before.bytesDelta + bytesDelta,
    });
  }
  return totals;
}

/**
 * What each pass of a pipeline did, in the order in which they first did something, as if one had followed the other:
 * they take turns in truth, so only the first count of nodes and the last are ever seen.
 */
export function summarizePasses(outcome: RewriteOutcome, nodesBefore: number): TransformStepReport[] {
  let nodes = nodesBefore;
  return [...totalsByPass(outcome.applied)].map(([name, { rewrites, nodesDelta }]) => {
    const before = nodes;
    nodes += nodesDelta;
    const refusals = outcome.refusals.filter(({ pass }) => pass === name);
    return { name, changed: rewrites, durationMs: 0, nodesBefore: before, nodesAfter: nodes, refusals, notes: [] };
  });
}
