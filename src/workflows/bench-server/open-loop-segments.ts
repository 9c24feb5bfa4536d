import type { Segment } from '../../bench/segment.js';

interface Row {
  readonly start: number;
  readonly latency: number;
  readonly service: number;
}

interface Stretch {
  /** From the start of the load, without pauses. */
  readonly from: number;
  /** What is known so far, in the order in which requests were to start. */
  segment: Segment;
  /** What came in since. */
  rows: Row[];
  failures: number;
}

/**
 * Segments of an open loop. What a stretch of the load tells also holds requests that were to start in the one before, when
 * they ended late: each goes to its own, so that slow ones at the end of a stretch are not lost or told twice. A stretch
 * that nothing was added to keeps its segment: gates ask for all of them again and again.
 */
export class OpenLoopSegments {
  readonly #stretches: Stretch[] = [];
  #end = 0;

  /** Takes what ended in a further stretch; one without time of its own only brings in late answers. */
  add({ startMs, latencyMs, serviceMs, wallMs, failures }: Segment): void {
    if (wallMs > 0 || this.#stretches.length === 0) {
      const segment = emptySegment(wallMs, this.#stretches.length);
      this.#stretches.push({ from: this.#end, segment, rows: [], failures: 0 });
      this.#end += wallMs;
    }
    const last = this.#stretches.at(-1) as Stretch;
    last.failures += failures;
    for (const [index, start] of startMs.entries()) {
      const latency = latencyMs[index] as number;
      this.#stretchOf(start).rows.push({ start, latency, service: serviceMs?.[index] ?? latency });
    }
  }

  #stretchOf(start: number): Stretch {
    let at = this.#stretches.length - 1;
    while (at > 0 && start < (this.#stretches[at] as Stretch).from) at--;
    return this.#stretches[at] as Stretch;
  }

  /** One segment a stretch, in the order in which requests were to start. */
  segments(): Segment[] {
    return this.#stretches.map((stretch) => {
      const { segment, rows, failures, from } = stretch;
      if (rows.length > 0 || failures !== segment.failures) {
        stretch.segment = merged(segment, rows, from, failures);
        stretch.rows = [];
      }
      return stretch.segment;
    });
  }
}

function emptySegment(wallMs: number, round: number): Segment {
  const none = new Float64Array();
  return { startMs: none, latencyMs: none, serviceMs: none, wallMs, round, stream: 0, failures: 0 };
}

function merged(segment: Segment, added: readonly Row[], from: number, failures: number): Segment {
  const { startMs, latencyMs, serviceMs } = segment;
  const rows = added.map(({ start, ...times }) => ({ start: Math.max(0, start - from), ...times }));
  for (const [index, start] of startMs.entries()) {
    const latency = latencyMs[index] as number;
    rows.push({ start, latency, service: serviceMs?.[index] ?? latency });
  }
  rows.sort((a, b) => a.start - b.start);
  return {
    ...segment,
    startMs: Float64Array.from(rows, ({ start }) => start),
    latencyMs: Float64Array.from(rows, ({ latency }) => latency),
    serviceMs: Float64Array.from(rows, ({ service }) => service),
    failures,
  };
}
