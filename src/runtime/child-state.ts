import { bug } from '../errors.js';
import type { Reference } from '../evaluate/verify-job.js';
import { seededReader } from './feeds.js';
import type { JobContext, SampleReader } from './job.js';
import { importOnnxRuntime, type OnnxRuntime } from './onnx-runtime.js';
import { Session } from './session.js';
import { sliceReader } from './slice-reader.js';
import type { MeasureLoop } from './timing/measure-loop.js';
import type { SampleSource, SessionOptions, ValueSpec } from './types.js';

/** Everything the child process holds: ONNX Runtime once it is needed; sessions, references and measurements by number. */
export class ChildState implements JobContext {
  readonly #sessions = new Map<number, Session>();
  readonly #references = new Map<number, Reference>();
  readonly #measurements = new Map<number, { readonly session: number; readonly loop: MeasureLoop }>();
  readonly #memoryBytes: number;
  #nextId = 1;
  #libraryMs = 0;
  #ort: Promise<OnnxRuntime> | undefined;

  /** @param memoryBytes what this process may take; no limit when absent */
  constructor(memoryBytes: number = Number.POSITIVE_INFINITY) {
    this.#memoryBytes = memoryBytes;
  }

  /** ONNX Runtime itself. @throws SO5004 */
  onnxRuntime(): Promise<OnnxRuntime> {
    this.#ort ??= this.#importTimed();
    return this.#ort;
  }

  /** What loading ONNX Runtime took; 0 before. */
  get libraryMs(): number {
    return this.#libraryMs;
  }

  async #importTimed(): Promise<OnnxRuntime> {
    const start = performance.now();
    const ort = await importOnnxRuntime();
    this.#libraryMs = performance.now() - start;
    return ort;
  }

  async load(path: string, options?: SessionOptions): Promise<{ readonly id: number; readonly session: Session }> {
    const session = await Session.create(await this.onnxRuntime(), path, options, this.#memoryBytes);
    const id = this.#nextId++;
    this.#sessions.set(id, session);
    return { id, session };
  }

  session(id: number): Session {
    const session = this.#sessions.get(id);
    if (!session) throw bug(`there is no session ${id} in the ONNX Runtime process`);
    return session;
  }

  async release(id: number): Promise<void> {
    const session = this.session(id);
    this.#sessions.delete(id);
    for (const [measurement, entry] of this.#measurements) {
      if (entry.session === id) this.#measurements.delete(measurement);
    }
    await session.release();
  }

  keepReference(reference: Reference): number {
    const id = this.#nextId++;
    this.#references.set(id, reference);
    return id;
  }

  reference(id: number): Reference {
    const reference = this.#references.get(id);
    if (!reference) throw bug(`there is no reference ${id} in the ONNX Runtime process`);
    return reference;
  }

  /** Keeps a measurement as long as its session; the number it is known by. */
  keepMeasurement(session: number, loop: MeasureLoop): number {
    const id = this.#nextId++;
    this.#measurements.set(id, { session, loop });
    return id;
  }

  /** @throws SO9001 for an unknown number. */
  measurement(id: number): MeasureLoop {
    const entry = this.#measurements.get(id);
    if (!entry) throw bug(`there is no measurement ${id} in the ONNX Runtime process`);
    return entry.loop;
  }

  async openSamples(source: SampleSource, inputs: readonly ValueSpec[]): Promise<SampleReader> {
    if (source.kind === 'seeded')
      return seededReader(source.seed, source.count, inputs, { ...source, memoryBytes: this.#memoryBytes });
    // Loaded when needed: the readers bring a ZIP and a CSV library along.
    const { openDataset } = await import('./dataset/open-dataset.js');
    return sliceReader(await openDataset(source.path, inputs), source.first, source.count);
  }
}
