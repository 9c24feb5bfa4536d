import type { TransformStepReport } from '../ir/transform.js';
import type { RewriteOutcome } from '../passes/engine/run-rewrites.js';

/**
 * What each pass of a pipeline did, in the order in which they first did something, as if one had followed the other:
 * they take turns in truth, so only the first count of nodes and the last are ever seen.
 */
export function summarizePasses(outcome: RewriteOutcome, nodesBefore: number): TransformStepReport[] {
  const byPass = new Map<string, { changed: number; nodesDelta: number }>();
  for (const { pass, nodesDelta } of outcome.applied) {
    const row = byPass.get(pass) ?? { changed: 0, nodesDelta: 0 };
    row.changed++;
    row.nodesDelta += nodesDelta;
    byPass.set(pass, row);
  }
  let nodes = nodesBefore;
  return [...byPass].map(([name, { changed, nodesDelta }]) => {
    const before = nodes;
    nodes += nodesDelta;
    const refusals = outcome.refusals.filter(({ pass }) => pass === name);
    return { name, changed, durationMs: 0, nodesBefore: before, nodesAfter: nodes, refusals, notes: [] };
  });
}
