import type { Node } from '../../ir/node.js';
import { formatBytes } from '../../tensor/byte-size.js';
import type { Footprint } from './footprint.js';

/**
 * Why a run of this footprint needs more than is allowed: which node wants how much. Undefined where it does not.
 * @param limitBytes Infinity for no limit
 */
export function whyTooLarge({ peakBytes, peakNode, largest }: Footprint, limitBytes: number): string | undefined {
  if (peakBytes <= limitBytes) return undefined;
  const limit = `the limit is ${formatBytes(limitBytes)} (--mem)`;
  if (largest && largest.bytes > limitBytes)
    return `${nameOf(largest.node)} would produce ${formatBytes(largest.bytes)} (${largest.typeText}); ${limit}`;
  const where = peakNode ? `, most of all at ${nameOf(peakNode)}` : '';
  const what = largest ? `, of which ${nameOf(largest.node)} produces ${formatBytes(largest.bytes)}` : '';
  return `${formatBytes(peakBytes)} would be needed at once${where}${what}; ${limit}`;
}

/** Why a run of this footprint takes too long to be tried; undefined where it may not. @param mostRuns of nodes */
export function whyTooLong({ runs, longest }: Footprint, mostRuns: number): string | undefined {
  if (runs <= mostRuns || !longest) return undefined;
  const { node, times } = longest;
  return Number.isFinite(times)
    ? `${nameOf(node)} runs its body ${times.toLocaleString('en-US')} times, too many to run`
    : `${nameOf(node)} never ends`;
}

/** `Tile "y"`: the operator, with the node's name or its first output's. */
function nameOf(node: Node): string {
  const name = node.name || (node.outputs.find((value) => value)?.name ?? '');
  return name === '' ? node.opType : `${node.opType} "${name}"`;
}
