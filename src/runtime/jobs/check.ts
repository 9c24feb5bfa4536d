import { ServeOptError } from '../../errors.js';
import { checkOutput, type OutputAgreement, type Tolerance, whyTypesDiffer } from '../../evaluate/equality.js';
import type { HostTensor } from '../../samples/types.js';
import type { ChildSession, JobContext, ReportProgress } from '../job.js';
import type { ReferenceRun } from '../reference.js';

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
