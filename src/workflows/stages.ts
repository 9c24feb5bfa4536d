import { ServeOptError } from '../errors.js';
import type { WorkflowContext } from './options.js';

/** Progress events of a run: one stage at a time. */
export class Stages {
  readonly #options: WorkflowContext;
  #stage = '';

  constructor(options: WorkflowContext) {
    this.#options = options;
  }

  start(stage: string, total?: number): void {
    if (this.#options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
    this.#stage = stage;
    this.#options.onProgress?.({ kind: 'start', stage, ...(total === undefined ? {} : { total }) });
  }

  advance(done: number, total: number): void {
    this.#options.onProgress?.({ kind: 'advance', stage: this.#stage, done, total });
  }

  /** How far the stage is, from 0 to 1. */
  fraction(fraction: number): void {
    this.#options.onProgress?.({ kind: 'fraction', stage: this.#stage, fraction });
  }

  end(detail?: string): void {
    this.#options.onProgress?.({ kind: 'end', stage: this.#stage, ...(detail === undefined ? {} : { detail }) });
  }

  /** Ends a stage that wrote a file. */
  endWriting(sizeBytes: number): void {
    this.#options.onProgress?.({ kind: 'end', stage: this.#stage, sizeBytes });
  }

  /** Signal and progress for a workflow that runs as a stage of this one. */
  context(stage: string): { signal?: AbortSignal; onProgress?: NonNullable<WorkflowContext['onProgress']> } {
    const { signal, onProgress } = this.#options;
    return {
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onProgress: (event) => onProgress('stage' in event ? { ...event, stage } : event) } : {}),
    };
  }
}
