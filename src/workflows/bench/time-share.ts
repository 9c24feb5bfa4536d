/** A round of a slow start should be worth it. */
const START_SHARE = 3;
/** However long a start takes, after so long it is good to see another process. */
const MOST_MS = 10_000;
/** Each round after the first ones lasts longer, so that starts take less of the time. */
const GROWTH = 1.5;

/**
 * How long round `round` (from 0) measures, in ms: an equal part of the duration first, then longer and longer.
 * @param startMs what a round takes before it measures; nothing for a server, which runs already
 */
export function roundMs(round: number, durationMs: number, processes: number, startMs = 0): number {
  const share = durationMs / processes;
  if (round < processes) return share;
  return Math.min(MOST_MS, Math.max(share, START_SHARE * startMs) * GROWTH ** (round - processes + 1));
}
