/** What one process, or one connection, measured without a break, in the order in which requests were sent. */
export interface Segment {
  /** When each request started (in an open loop: was to start), in ms since the start of the segment. */
  readonly startMs: Float64Array;
  /** From that start to the end of the response, in ms. */
  readonly latencyMs: Float64Array;
  /** Open loop only: from the time at which it was really sent, in ms. */
  readonly serviceMs?: Float64Array;
  /** How long the segment lasted, in ms. */
  readonly wallMs: number;
  /** Which fresh process (round) it belongs to, from 0. Streams of one round share the number. */
  readonly round: number;
  /** Stream within the round, from 0. */
  readonly stream: number;
  /** Requests that failed: they count as over every budget. */
  readonly failures: number;
}

/** Segments by round, in the order of rounds. */
export function roundsOf(segments: readonly Segment[]): readonly (readonly Segment[])[] {
  const rounds = new Map<number, Segment[]>();
  for (const segment of segments) {
    const round = rounds.get(segment.round);
    if (round === undefined) rounds.set(segment.round, [segment]);
    else round.push(segment);
  }
  return [...rounds].sort(([a], [b]) => a - b).map(([, round]) => round);
}
