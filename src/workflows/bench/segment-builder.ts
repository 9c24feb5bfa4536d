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

  get parts(): readonly MeasureAdvanceResult[] {
    return this.#parts;
  }

  /** Undefined when nothing was measured. */
  finish(): Segment | undefined {
    if (this.#parts.every(({ latencyMs }) => latencyMs.length === 0)) return undefined;
    const openLoop = this.#parts.every(({ serviceMs }) => serviceMs !== undefined);
    return {
      startMs: joined(this.#parts.map(({ startMs }) => startMs)),
      latencyMs: joined(this.#parts.map(({ latencyMs }) => latencyMs)),
      ...(openLoop
        ? { serviceMs: joined(this.#parts.flatMap(({ serviceMs }) => (serviceMs ? [serviceMs] : []))) }
        : {}),
      wallMs: this.#parts.reduce((sum, { wallMs }) => sum + wallMs, 0),
      round: this.#round,
      stream: this.#stream,
      failures: 0,
    };
  }
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
