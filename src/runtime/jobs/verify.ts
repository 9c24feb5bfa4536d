import { ServeOptError } from '../../errors.js';
import type { OutputAgreement } from '../../evaluate/equality.js';
import { checkOutput, type Tolerance, whyTypesDiffer } from '../../evaluate/equality.js';
import { edgeFeeds } from '../../samples/edge-feeds.js';
import type { SampleReader } from '../../samples/sample-reader.js';
import { tensorBytes } from '../../samples/tensor-bytes.js';
import type { Feeds, HostTensor, SampleSource, ValueSpec } from '../../samples/types.js';
import type { ChildSession, JobContext, ReportProgress } from '../job.js';
import type { ReferenceRun } from '../reference.js';

export interface ReferenceParams {
  /** Session of the original. */
  readonly session: number;
  /** Made-up samples, and real ones; read one at a time. */
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

export interface CheckParams {
  readonly reference: number;
  /** Session of the model under test. */
  readonly session: number;
  readonly tolerance: Tolerance;
  /** False runs the samples only. */
  readonly edges: boolean;
  /** The session is optimized by ONNX Runtime: runs that the reference does not stand so are left out. Default false. */
  readonly optimized?: boolean;
  /** Outputs whose values are random: only their types and shapes are compared. */
  readonly random: readonly string[];
}

export interface CheckResult {
  readonly runs: number;
  /** Samples and edge cases that there was no memory for: they were not compared. */
  readonly skipped: { readonly samples: number; readonly edges: number };
  readonly outputs: readonly OutputAgreement[];
  /** The first output that is wrong, and where: the rest was not looked at then. */
  readonly wrong?: string;
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
    const kind = source.kind === 'data' ? 'sample' : 'made-up sample';
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

/** Runs a model on what the reference ran on and compares every output that can be fetched, until one is wrong. */
export async function checkJob(
  context: JobContext,
  { reference, session: id, tolerance, edges, optimized = false, random }: CheckParams,
  progress: ReportProgress,
): Promise<CheckResult> {
  const session = context.session(id);
  const agreements = new Map<string, OutputAgreement>();
  const options = { tolerance, random: new Set(random) };
  const { runs } = context.reference(reference);
  const chosen = runs.filter(
    (run) => !(optimized && run.failsOptimized) && (!run.edge || (edges && (tolerance.exact || !run.exactOnly))),
  );
  let done = 0;
  const skipped = { samples: 0, edges: 0 };
  let overLimit: ServeOptError | undefined;
  for (const run of chosen) {
    try {
      const wrong = await checkRun(session, run, options, agreements);
      done++;
      if (wrong !== undefined) return { runs: done, skipped, outputs: [...agreements.values()], wrong };
    } catch (error) {
      // That there is too little memory is no word on a result.
      if (!(error instanceof ServeOptError) || error.code !== 'SO2105') throw error;
      overLimit ??= error;
      skipped[run.edge ? 'edges' : 'samples']++;
    }
    progress({ done, total: chosen.length });
  }
  if (done === 0 && overLimit) throw overLimit;
  return { runs: done, skipped, outputs: [...agreements.values()] };
}

/** Undefined when all outputs are right, else what is wrong. */
async function checkRun(
  session: ChildSession,
  run: ReferenceRun,
  { tolerance, random }: { readonly tolerance: Tolerance; readonly random: ReadonlySet<string> },
  agreements: Map<string, OutputAgreement>,
): Promise<string | undefined> {
  let outputs: ReadonlyMap<string, HostTensor>;
  try {
    outputs = await session.run(run.feeds);
  } catch (error) {
    if (!(error instanceof ServeOptError) || !(error.code === 'SO5002' || error.code === 'SO4002')) throw error;
    return `on ${run.label} it does not run: ${error.message}`;
  }
  for (const [name, wanted] of run.outputs) {
    const given = outputs.get(name);
    if (!given) return `the output "${name}" is missing`;
    if (random.has(name)) {
      const differs = whyTypesDiffer(wanted, given);
      if (differs !== undefined) return `on ${run.label} the output "${name}" is wrong: ${differs}`;
      continue;
    }
    const check = checkOutput(wanted, given, {
      tolerance,
      edge: run.edge,
      extreme: run.extreme,
      noisy: run.noisy.get(name),
    });
    if (check.wrong !== undefined) return `on ${run.label} the output "${name}" is wrong: ${check.wrong}`;
    const known = agreements.get(name);
    agreements.set(name, {
      name,
      elements: check.elements + (known?.elements ?? 0),
      equal: check.equal + (known?.equal ?? 0),
      worst: {
        abs: Math.max(check.worst.abs, known?.worst.abs ?? 0),
        ofLargest: Math.max(check.worst.ofLargest, known?.worst.ofLargest ?? 0),
      },
    });
  }
  return undefined;
}
