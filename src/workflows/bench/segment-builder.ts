import { concatenate } from '../../bench/concatenate.js';
import type { Segment } from '../../bench/segment.js';
import type { MeasureAdvanceResult } from '../../runtime/protocol.js';

/** A segment as its parts come in. */
export class SegmentBuilder {
  readonly #round: number;
  readonly #stream: number;
  readonly #parts: MeasureAdvanceResult[] = [];

  constructor(round: number, stream: number) {
    this.#round = round;
    this.#stream = stream;
  }

  add(part: MeasureAdvanceResult): void {
    this.#parts.push(part);
  }

  /** Undefined when nothing was measured. */
  finish(): Segment | undefined {
    if (this.#parts.every(({ latencyMs }) => latencyMs.length === 0)) return undefined;
    const openLoop = this.#parts.every(({ serviceMs }) => serviceMs !== undefined);
    return {
      startMs: concatenate(this.#parts.map(({ startMs }) => startMs)),
      latencyMs: concatenate(this.#parts.map(({ latencyMs }) => latencyMs)),
      ...(openLoop
        ? { serviceMs: concatenate(this.#parts.flatMap(({ serviceMs }) => (serviceMs ? [serviceMs] : []))) }
        : {}),
      wallMs: this.#parts.reduce((sum, { wallMs }) => sum + wallMs, 0),
      round: this.#round,
      stream: this.#stream,
      failures: 0,
    };
  }
}
