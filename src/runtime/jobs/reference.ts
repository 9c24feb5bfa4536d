import { ServeOptError } from '../../errors.js';
import { edgeFeeds } from '../../samples/edge-feeds.js';
import type { SampleReader } from '../../samples/sample-reader.js';
import { tensorBytes } from '../../samples/tensor-bytes.js';
import type { Feeds, SampleSource, ValueSpec } from '../../samples/types.js';
import type { ChildSession, JobContext, ReportProgress } from '../job.js';
import type { ReferenceRun } from '../reference.js';

export interface ReferenceParams {
  /** Session of the original. */
  readonly session: number;
  /** Synthetic samples, and real ones; read one at a time. */
  readonly sources: readonly SampleSource[];
  readonly inputs: readonly ValueSpec[];
  /** At most this many samples of each source. */
  readonly samples: number;
  /** False leaves edge cases out. */
  readonly edges: boolean;
  /** Time after which no more edge cases are tried. */
  readonly maxMs: number;
}

export interface ReferenceResult {
  readonly reference: number;
  /** Samples and edge cases that the original ran on. */
  readonly samples: number;
  readonly edges: number;
  /** What ONNX Runtime said where the original did not run; the first time. */
  readonly why?: string;
  readonly warnings: readonly string[];
}

export interface NoiseParams {
  readonly reference: number;
  /** Session of the original, optimized by ONNX Runtime. */
  readonly session: number;
  /** False leaves edge cases out. */
  readonly edges: boolean;
}

export interface NoiseResult {
  /** Runs of the reference that do not run here. */
  readonly failed: number;
  /** What ONNX Runtime said to the first of them. */
  readonly why?: string;
}

/** What a run on a sample is, beside an edge case. */
const SAMPLE = { edge: false, exactOnly: false, extreme: false } as const;

/** Most bytes of inputs and outputs that are kept; what comes after is not compared. */
const KEPT_BYTES = 192 * 1024 * 1024;

/**
 * Runs the original on samples and edge cases and keeps what it gives. Inputs that it does not run on do not count.
 * @throws what opening a source throws
 */
export async function referenceJob(
  context: JobContext,
  { session: id, sources, inputs, samples, edges, maxMs }: ReferenceParams,
  progress: ReportProgress,
): Promise<ReferenceResult> {
  const session = context.session(id);
  const recorder = new Recorder(session);
  const warnings: string[] = [];
  const end = performance.now() + maxMs;
  for (const source of sources) {
    const reader = await context.openSamples(source, inputs);
    warnings.push(...(reader.warnings ?? []));
    const kind = source.kind === 'data' ? 'sample' : 'synthetic sample';
    try {
      const count = Math.min(samples, reader.count);
      for (let sample = 0; sample < count; sample++) {
        // One of each source is a must.
        if (sample > 0 && performance.now() > end) break;
        const label = `${kind} ${sample + 1}`;
        const feeds = await readWithinMemory(reader, sample);
        if (!feeds) break;
        await recorder.run({ ...SAMPLE, label, feeds });
        progress({ done: recorder.runs.length, total: 0 });
      }
    } finally {
      await reader.close?.();
    }
  }
  const counted = recorder.runs.length;
  if (counted === 0 && recorder.overLimit) throw recorder.overLimit;
  // The second sample has no size of 1 where sizes are open.
  const base = recorder.runs[1] ?? recorder.runs[0];
  for (const edgeCase of base && edges ? edgeFeeds(base.feeds, inputs) : []) {
    if (performance.now() > end) break;
    await recorder.run({ ...edgeCase, edge: true });
    progress({ done: recorder.runs.length, total: 0 });
  }
  return {
    reference: context.keepReference({ runs: recorder.runs }),
    samples: counted,
    edges: recorder.runs.length - counted,
    ...(recorder.why === undefined ? {} : { why: recorder.why }),
    warnings,
  };
}

/** A sample; undefined where a later one, whose open sizes are larger, would take too much memory. @throws SO2105 for the first */
async function readWithinMemory(reader: SampleReader, sample: number): Promise<Feeds | undefined> {
  try {
    return await reader.read(sample, Math.min(reader.block ?? 1, reader.count - sample));
  } catch (error) {
    if (sample > 0 && error instanceof ServeOptError && error.code === 'SO2105') return undefined;
    throw error;
  }
}

/** Runs a session and keeps inputs and outputs of what ran. */
class Recorder {
  readonly runs: ReferenceRun[] = [];
  why: string | undefined;
  /** Why there was too little memory, where there was. */
  overLimit: ServeOptError | undefined;
  readonly #session: ChildSession;
  #bytes = 0;

  constructor(session: ChildSession) {
    this.#session = session;
  }

  async run(run: Omit<ReferenceRun, 'outputs' | 'noisy' | 'failsOptimized'>): Promise<void> {
    if (this.#bytes > KEPT_BYTES) return;
    try {
      const outputs = await this.#session.run(run.feeds);
      this.#bytes += tensorBytes(run.feeds) + tensorBytes(outputs);
      this.runs.push({ ...run, outputs, noisy: new Map(), failsOptimized: false });
    } catch (error) {
      if (!isOfInputs(error)) throw error;
      this.why ??= error.message;
      if (error.code === 'SO2105') this.overLimit ??= error;
    }
  }
}

/** Runs the original as ONNX Runtime optimizes it: what it differs by from itself is no fault of a result. */
export async function noiseJob(
  context: JobContext,
  { reference, session: id, edges }: NoiseParams,
  progress: ReportProgress,
): Promise<NoiseResult> {
  const session = context.session(id);
  const { runs } = context.reference(reference);
  let failed = 0;
  let why: string | undefined;
  for (const [index, run] of runs.entries()) {
    if (run.edge && !edges) continue;
    progress({ done: index, total: runs.length });
    try {
      run.noisy = await session.run(run.feeds);
    } catch (error) {
      if (!isOfInputs(error)) throw error;
      run.failsOptimized = true;
      failed++;
      why ??= error.message;
    }
  }
  return { failed, ...(why === undefined ? {} : { why }) };
}

/** Errors that a model may give on some inputs and not on others: it does not run, or not in the memory that it may take. */
function isOfInputs(error: unknown): error is ServeOptError {
  return error instanceof ServeOptError && (error.code === 'SO5002' || error.code === 'SO2105');
}
