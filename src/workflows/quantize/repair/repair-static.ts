import type { OutputDifference } from '../../../evaluate/comparison.js';
import type { Model } from '../../../ir/model.js';
import { inferTypes } from '../../../ops/infer-types.js';
import { markLayers, unmarkLayers } from '../../../quantize/repair/quantized-layer.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import type { QuantizeRepairReport, RepairStepReport } from '../../../report/repair-types.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import { writeRunnable } from '../../../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../../../runtime/session-options.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import type { SampleSource } from '../../../samples/types.js';
import { inputSpecs } from '../../../samples/value-specs.js';
import type { ExecutionOptions, WorkflowContext } from '../../options.js';
import type { RepairEffort } from '../../repair-effort.js';
import type { Stages } from '../../stages.js';
import { type Contrasts, withContrasts } from '../../workbench/contrasts.js';
import { sessionOptions } from '../../workbench/execution-session.js';
import { correctBiases } from './correct-biases.js';
import { equalizeLayers, smoothQuant } from './equalize-channels.js';
import { judgedModel } from './judged-model.js';
import { isRefusal, layerErrors } from './layer-errors.js';
import { REPAIR_LIMITS, type RepairState, type RepairStep } from './repair-state.js';
import { roundLayers } from './round-layers.js';
import { splitHeads } from './split-heads.js';

/** In this order: what changes channels comes before what makes up for the rounding of what is left. */
const STEPS: readonly RepairStep[] = [splitHeads, equalizeLayers, smoothQuant, roundLayers, correctBiases];

/** Less than this, in dB, is no gain. */
const LEAST_GAIN_DB = 0.02;
/** Fewer calibration samples cannot be parted into some to fit to and some to decide by. */
const LEAST_SAMPLES = 16;
/** Most of what an output counts for: beyond that, nobody sees a difference. */
const MOST_DB = 100;
/** Most time for running the FLOAT model on held-out samples, in ms. */
const REFERENCE_MS = 60_000;

/** What a repair starts from. */
export interface RepairInput {
  /** Prepared, in FLOAT. Not changed. */
  readonly model: Model;
  readonly ranges: RangeMap;
  /** Ranges of a model, measured as those given were. */
  calibrate(model: Model): Promise<RangeMap>;
  /** INT8 of a model, made as it will be delivered. Changes nothing that it is given. */
  quantize(model: Model, ranges: RangeMap): Promise<Model>;
  /** The samples that calibrate. */
  readonly samples: { readonly path: string; readonly first: number; readonly count: number };
  /** Samples that a run of a model with a fixed batch size takes. Default 1. */
  readonly block?: number;
}

/** What a repair came to: a FLOAT model and ranges to quantize it with. */
export interface Repaired {
  readonly model: Model;
  readonly ranges: RangeMap;
  /** The same network before its weights were rounded and its biases corrected; absent where neither was done. */
  readonly reference?: Model;
  readonly report: QuantizeRepairReport | undefined;
}

/**
 * Makes a FLOAT model lose less when it is quantized: each step changes weights or scales of channels, the result is quantized and run on
 * samples that the step did not see, and it is kept where the error of the outputs falls. No labels are needed. The last quarter of
 * the calibration samples decides; samples that judge the result are not used.
 */
export async function repairStatic(
  input: RepairInput,
  effort: RepairEffort,
  runtime: RuntimeHost,
  options: ExecutionOptions & Pick<WorkflowContext, 'signal'>,
  stages: Stages,
): Promise<Repaired> {
  const { model, ranges, samples, block = 1 } = input;
  const unchanged = { model, ranges, report: undefined };
  const steps = STEPS.filter(({ efforts }) => efforts.includes(effort));
  if (steps.length === 0 || samples.count < LEAST_SAMPLES) return unchanged;
  const limits = REPAIR_LIMITS[effort];
  const rounded = (count: number): number => Math.max(1, Math.floor(count / block)) * block;
  const heldOut = rounded(Math.min(limits.heldOut, Math.floor(samples.count / 4)));
  const fitted = rounded(Math.min(limits.fitted, samples.count - heldOut));
  const { path, first, count } = samples;
  const source = (from: number, many: number): SampleSource => ({ kind: 'data', path, first: from, count: many });
  const marked = model.clone();
  markLayers(marked);
  stages.start('repair', steps.length);
  const reports: RepairStepReport[] = [];
  const tools = {
    runtime,
    options,
    effort,
    fitted: source(first, fitted),
    quantize: (each: Model, its: RangeMap) => input.quantize(each, its),
  };
  const decisive = source(first + count - heldOut, heldOut);
  const { initial, final } = await withErrors(marked, decisive, runtime, options, async (errorOf) => {
    const quantized = await input.quantize(marked, ranges);
    const sqnrDb = await errorOf(quantized);
    const start: RepairState = { model: marked, reference: marked, ranges, quantized, sqnrDb };
    let state = start;
    for (const [at, step] of steps.entries()) {
      options.signal?.throwIfAborted();
      const next = await tryStep(step, state, input, tools, errorOf);
      reports.push(next.report);
      state = next.state;
      stages.advance(at + 1, steps.length);
    }
    return { initial: start, final: state };
  });
  const layers = await layerErrors(initial, final, decisive, tools);
  const kept = reports.filter((report) => report.kept).length;
  stages.end(`${kept} of ${steps.length} steps kept`);
  const report = { effort, fitted, heldOut, steps: reports, ...(layers ? { layers } : {}) };
  if (kept === 0) return { ...unchanged, report };
  const { model: repaired, reference } = final;
  for (const each of [repaired, reference]) unmarkLayers(each);
  return { model: repaired, ranges: final.ranges, report, ...(reference === repaired ? {} : { reference }) };
}

async function tryStep(
  step: RepairStep,
  state: RepairState,
  input: RepairInput,
  tools: Parameters<RepairStep['propose']>[1],
  errorOf: (quantized: Model) => Promise<number>,
): Promise<{ readonly state: RepairState; readonly report: RepairStepReport }> {
  const proposal = await step.propose(state, tools);
  if (typeof proposal === 'string') return { state, report: { step: step.name, kept: false, what: proposal } };
  const { model, equivalent, what } = proposal;
  if (equivalent) inferTypes(model);
  try {
    const ranges = equivalent ? await input.calibrate(model) : state.ranges;
    const quantized = await input.quantize(model, ranges);
    const sqnrDb = await errorOf(quantized);
    const figures = { sqnrBeforeDb: state.sqnrDb, sqnrAfterDb: sqnrDb };
    const kept = sqnrDb > state.sqnrDb + LEAST_GAIN_DB;
    const reference = equivalent ? model : state.reference;
    return {
      state: kept ? { model, reference, ranges, quantized, sqnrDb } : state,
      report: { step: step.name, kept, ...figures, what: kept ? what : `${what}: no better on held-out samples` },
    };
  } catch (error) {
    // A proposal that ONNX Runtime refuses is none; whatever else fails would fail without it.
    if (!isRefusal(error)) throw error;
    return {
      state,
      report: { step: step.name, kept: false, what: `ONNX Runtime refused the result: ${error.message}` },
    };
  }
}

/** Calls `use` with what measures quantized models against the FLOAT one: mean signal to noise of its outputs, in dB. */
async function withErrors<T>(
  model: Model,
  source: SampleSource,
  runtime: RuntimeHost,
  options: ExecutionOptions,
  use: (errorOf: (quantized: Model) => Promise<number>) => Promise<T>,
): Promise<T> {
  return withWorkFolder(async (folder) => {
    const path = await writeRunnable(judgedModel(model), folder);
    const session = withOptions(SESSIONS.compared, sessionOptions(options));
    const samples = source.count ?? 1;
    const inputs = inputSpecs(model);
    const original = { path, source, inputs, samples, maxMs: REFERENCE_MS, session };
    return withContrasts(runtime, original, (contrasts: Contrasts) =>
      use(async (quantized) => meanSqnr(await contrasts.contrast(judgedModel(quantized), session))),
    );
  });
}

function meanSqnr(differences: readonly OutputDifference[]): number {
  const known = differences.flatMap(({ sqnrDb }) => (sqnrDb === undefined || Number.isNaN(sqnrDb) ? [] : [sqnrDb]));
  if (known.length === 0) return MOST_DB;
  const total = known.reduce((sum, each) => sum + Math.max(-MOST_DB, Math.min(MOST_DB, each)), 0);
  return total / known.length;
}
