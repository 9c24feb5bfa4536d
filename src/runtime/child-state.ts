import { bug } from '../errors.js';
import type { DataReading } from '../samples/data-reading.js';
import type { SampleReader } from '../samples/sample-reader.js';
import { seededReader } from '../samples/seeded-reader.js';
import { sizedDataInputs, sizedInputs } from '../samples/sized-inputs.js';
import { sliceReader } from '../samples/slice-reader.js';
import { withDecoderConfig } from '../samples/tokens/decoder-config.js';
import type { SampleSource, ValueSpec } from '../samples/types.js';
import type { JobContext } from './job.js';
import type { KeptRuns } from './kept-runs.js';
import { importOnnxRuntime, type OnnxRuntime } from './onnx-runtime.js';
import type { Reference } from './reference.js';
import { Session } from './session.js';
import { forTurns, isForTurns } from './session-options.js';
import type { MeasureLoop } from './timing/measure-loop.js';
import type { TrialSamples } from './trial-samples.js';
import type { SessionOptions } from './types.js';

/** A session, and how another one like it is made. */
interface LoadedModel {
  readonly session: Session;
  readonly path: string;
  readonly options: SessionOptions;
  readonly createMs: number;
}

/** Everything the child process holds: ONNX Runtime once it is needed; sessions, references and measurements by number. */
export class ChildState implements JobContext {
  readonly #sessions = new Map<number, LoadedModel>();
  readonly #references = new Map<number, Reference>();
  readonly #trialSamples = new Map<number, TrialSamples>();
  readonly #runs = new Map<number, KeptRuns>();
  readonly #measurements = new Map<number, { readonly session: number; readonly loop: MeasureLoop }>();
  readonly #memoryBytes: number;
  readonly #reading: DataReading;
  #nextId = 1;
  #libraryMs = 0;
  #ort: Promise<OnnxRuntime> | undefined;

  /**
   * @param memoryBytes what this process may take; no limit when absent
   * @param reading how files of samples are read
   */
  constructor(memoryBytes: number = Number.POSITIVE_INFINITY, reading: DataReading = {}) {
    this.#memoryBytes = memoryBytes;
    this.#reading = reading;
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

  /** Makes a session. @returns the number it is known by, and how long it took */
  async load(path: string, options: SessionOptions = {}): Promise<LoadedModel & { readonly id: number }> {
    const id = this.#nextId++;
    return { ...(await this.#make(id, path, options)), id };
  }

  async #make(id: number, path: string, options: SessionOptions): Promise<LoadedModel> {
    const ort = await this.onnxRuntime();
    const start = performance.now();
    const session = await Session.create(ort, path, options, this.#memoryBytes);
    const loaded = { session, path, options, createMs: performance.now() - start };
    this.#sessions.set(id, loaded);
    return loaded;
  }

  session(id: number): Session {
    return this.#loaded(id).session;
  }

  /** How long making a session took, in ms. */
  createMs(id: number): number {
    return this.#loaded(id).createMs;
  }

  /** Whether sessions were made for being timed in turns. */
  areForTurns(ids: readonly number[]): boolean {
    return ids.every((id) => isForTurns(this.#loaded(id).options));
  }

  #loaded(id: number): LoadedModel {
    const loaded = this.#sessions.get(id);
    if (!loaded) throw bug(`no session ${id} in the ONNX Runtime process`);
    return loaded;
  }

  /**
   * Replaces sessions by fresh ones of the same files, made in this order for being timed in turns: where a session comes to
   * lie in memory is drawn anew. All are freed before the first is made. @throws as `load`; the sessions are gone then
   */
  async renewForTurns(ids: readonly number[]): Promise<void> {
    const known = ids.map((id) => ({ id, ...this.#loaded(id) }));
    for (const { id } of known) await this.release(id);
    for (const { id, path, options } of known) await this.#make(id, path, forTurns(options));
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
    if (!reference) throw bug(`no reference ${id} in the ONNX Runtime process`);
    return reference;
  }

  keepTrialSamples(samples: TrialSamples): number {
    const id = this.#nextId++;
    this.#trialSamples.set(id, samples);
    return id;
  }

  trialSamples(id: number): TrialSamples {
    const samples = this.#trialSamples.get(id);
    if (!samples) throw bug(`no trial samples ${id} in the ONNX Runtime process`);
    return samples;
  }

  dropTrialSamples(id: number): void {
    this.#trialSamples.delete(id);
  }

  keepRuns(runs: KeptRuns): number {
    const id = this.#nextId++;
    this.#runs.set(id, runs);
    return id;
  }

  runs(id: number): KeptRuns {
    const runs = this.#runs.get(id);
    if (!runs) throw bug(`no kept runs ${id} in the ONNX Runtime process`);
    return runs;
  }

  dropRuns(id: number): void {
    this.#runs.delete(id);
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
    if (!entry) throw bug(`no measurement ${id} in the ONNX Runtime process`);
    return entry.loop;
  }

  async openSamples(source: SampleSource, declared: readonly ValueSpec[]): Promise<SampleReader> {
    const inputs = withDecoderConfig(declared, this.#reading.decoder);
    if (source.kind === 'seeded')
      return seededReader(source.seed, source.count, sizedInputs(inputs, source.dims), {
        ...source,
        memoryBytes: this.#memoryBytes,
      });
    // Loaded when needed: the readers bring a ZIP and a CSV library along.
    const { openDataset } = await import('../samples/dataset/open-dataset.js');
    return sliceReader(
      await openDataset(source.path, sizedDataInputs(inputs, source.dims), { reading: this.#reading }),
      source.first,
      source.count,
    );
  }
}
