import type { Segment } from '../../bench/segment.js';

interface Stretch {
  /** From the start of the load, without pauses. */
  readonly from: number;
  wallMs: number;
  failures: number;
  readonly rows: { readonly start: number; readonly latency: number; readonly service: number }[];
}

/**
 * Segments of an open loop. What a stretch of the load tells also holds requests that were to start in the one before, when
 * they ended late: each goes to its own, so that slow ones at the end of a stretch are not lost or told twice.
 */
export class OpenLoopSegments {
  readonly #stretches: Stretch[] = [];
  #end = 0;

  /** Takes what ended in a further stretch; one without time of its own only brings in late answers. */
  add({ startMs, latencyMs, serviceMs, wallMs, failures }: Segment): void {
    if (wallMs > 0 || this.#stretches.length === 0) {
      this.#stretches.push({ from: this.#end, wallMs, failures: 0, rows: [] });
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
    return this.#stretches.map(({ from, wallMs, failures, rows }, round) => {
      rows.sort((a, b) => a.start - b.start);
      return {
        startMs: Float64Array.from(rows, ({ start }) => Math.max(0, start - from)),
        latencyMs: Float64Array.from(rows, ({ latency }) => latency),
        serviceMs: Float64Array.from(rows, ({ service }) => service),
        wallMs,
        round,
        stream: 0,
        failures,
      };
    });
  }
}
