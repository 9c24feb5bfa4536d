import { tensorBytes } from '../samples/tensor-bytes.js';
import type { HostTensor } from '../samples/types.js';

/** A run over some samples of a source, and what of it later steps start from. */
export interface KeptRun {
  readonly start: number;
  readonly count: number;
  /** The last step that has seen these samples. */
  step: number;
  /** By key; undefined where there was no room, or what was computed took too much. */
  values: ReadonlyMap<string, HostTensor> | undefined;
}

/** Runs over a source, in order. */
export interface RunsOfSource {
  /** Samples that a run takes at least. */
  readonly least: number;
  readonly list: KeptRun[];
}

/**
 * What runs of a network gave at one place of it, so that later steps go on from there. Lives in the child process between jobs; holds at
 * most `maxBytes`, and of samples beyond that nothing.
 */
export class KeptRuns {
  readonly #maxBytes: number;
  readonly #sources: Map<number, RunsOfSource> = new Map();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Undefined before there was a run. */
  of(source: number): RunsOfSource | undefined {
    return this.#sources.get(source);
  }

  begin(source: number, runs: RunsOfSource): RunsOfSource {
    this.#sources.set(source, runs);
    return runs;
  }

  /** Puts values in the place of those that a run had, where there is room. */
  keep(run: KeptRun, values: ReadonlyMap<string, HostTensor> | undefined): void {
    this.#bytes -= run.values ? tensorBytes(run.values) : 0;
    const bytes = values ? tensorBytes(values) : 0;
    run.values = values && this.#bytes + bytes <= this.#maxBytes ? values : undefined;
    this.#bytes += run.values ? bytes : 0;
  }
}
