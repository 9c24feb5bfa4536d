import type { Segment } from './segment.js';
import { roundsOf } from './segment.js';

/** Requests in the order in which they ended. */
interface Ended {
  readonly endMs: Float64Array;
  readonly latencyMs: Float64Array;
}

/** What was merged before, by the first segment of each round and how many there are: looks at the same rounds come often. */
const known = new WeakMap<Segment, { readonly streams: number; readonly merged: Segment }>();

/**
 * The streams of each round as one, requests in the order in which they ended: what held all of them up at once stands side by
 * side then. Undefined where no round has several streams. Streams of a round share a clock, and each is in order.
 */
export function mergeByEnd(segments: readonly Segment[]): readonly Segment[] | undefined {
  const rounds = roundsOf(segments);
  return rounds.some(({ length }) => length > 1) ? rounds.map(mergeRound) : undefined;
}

function mergeRound(round: readonly Segment[]): Segment {
  const [first] = round;
  if (!first || round.length === 1) return first as Segment;
  const before = known.get(first);
  if (before?.streams === round.length) return before.merged;
  let parts = round.map(ended);
  while (parts.length > 1) parts = pairs(parts);
  const { endMs, latencyMs } = parts[0] as Ended;
  const merged: Segment = {
    startMs: endMs.map((end, i) => end - (latencyMs[i] as number)),
    latencyMs,
    wallMs: Math.max(...round.map(({ wallMs }) => wallMs)),
    round: first.round,
    stream: 0,
    failures: round.reduce((sum, { failures }) => sum + failures, 0),
  };
  known.set(first, { streams: round.length, merged });
  return merged;
}

function ended({ startMs, latencyMs }: Segment): Ended {
  return { endMs: startMs.map((start, i) => start + (latencyMs[i] as number)), latencyMs };
}

/** Each two as one. */
function pairs(parts: readonly Ended[]): Ended[] {
  const joined: Ended[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const [a, b] = [parts[i] as Ended, parts[i + 1]];
    joined.push(b ? mergeTwo(a, b) : a);
  }
  return joined;
}

function mergeTwo(a: Ended, b: Ended): Ended {
  const length = a.endMs.length + b.endMs.length;
  const endMs = new Float64Array(length);
  const latencyMs = new Float64Array(length);
  let [i, j] = [0, 0];
  for (let at = 0; at < length; at++) {
    const fromA = j >= b.endMs.length || (i < a.endMs.length && (a.endMs[i] as number) <= (b.endMs[j] as number));
    const from = fromA ? a : b;
    const index = fromA ? i++ : j++;
    endMs[at] = from.endMs[index] as number;
    latencyMs[at] = from.latencyMs[index] as number;
  }
  return { endMs, latencyMs };
}
