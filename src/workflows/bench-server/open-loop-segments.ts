import type { Segment } from '../../bench/segment.js';

interface Row {
  readonly start: number;
  readonly latency: number;
  readonly service: number;
}

interface Window {
  /** From the start of the load, without pauses. */
  readonly from: number;
  /** What is known so far, in the order in which requests were to start. */
  segment: Segment;
  /** What came in since. */
  rows: Row[];
  failures: number;
}

/**
 * Segments of an open loop. What a window of the load reports also holds requests that were to start in the one before, when
 * they ended late: each goes to its own, so that slow ones at the end of a window are not lost or counted twice. A window
 * that nothing was added to keeps its segment: gates ask for all of them again and again.
 */
export class OpenLoopSegments {
  readonly #windows: Window[] = [];
  #end = 0;

  /** Takes what ended in a further window; one with no time of its own only adds late responses. */
  add({ startMs, latencyMs, serviceMs, wallMs, failures }: Segment): void {
    if (wallMs > 0 || this.#windows.length === 0) {
      const segment = emptySegment(wallMs, this.#windows.length);
      this.#windows.push({ from: this.#end, segment, rows: [], failures: 0 });
      this.#end += wallMs;
    }
    const last = this.#windows.at(-1) as Window;
    last.failures += failures;
    for (const [index, start] of startMs.entries()) {
      const latency = latencyMs[index] as number;
      this.#windowOf(start).rows.push({ start, latency, service: serviceMs?.[index] ?? latency });
    }
  }

  #windowOf(start: number): Window {
    let at = this.#windows.length - 1;
    while (at > 0 && start < (this.#windows[at] as Window).from) at--;
    return this.#windows[at] as Window;
  }

  /** One segment per window, in the order in which requests were to start. */
  segments(): Segment[] {
    return this.#windows.map((window) => {
      const { segment, rows, failures, from } = window;
      if (rows.length > 0 || failures !== segment.failures) {
        window.segment = merged(segment, rows, from, failures);
        window.rows = [];
      }
      return window.segment;
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
