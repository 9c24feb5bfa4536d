import type { LatencyComparison } from '../../bench/results.js';
import { judgeResult } from '../../gates/result-gates.js';
import { goalBudgets } from '../../gates/search-goals.js';
import type { StagedModel } from '../../ir/write-model.js';
import { SESSIONS } from '../../runtime/session-options.js';
import { type InContext, QUANTIZE_DEFAULTS, type QuantizeOptions } from '../options.js';
import type { CheckOutcome } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import { type Checked, checkResult, type HalfPrecision } from '../workbench/check-result.js';
import type { QuantizeWork } from './before-work.js';
import { halfMode } from './float16/convert-float16.js';
import { withEmulated, withEmulatedFile } from './float16/emulated.js';
import { compareHere, isLossy } from './float16/half-warnings.js';
import { keepLossyLayers, type LossyNames } from './float16/keep-lossy-layers.js';
import { candidateOf, convertSurviving, type QuantizeCandidate } from './quantize-candidate.js';
import { type FormClock, FormTimes } from './search/form-times.js';
import { guardsSpeed } from './search/guards-speed.js';
import { keepSpeed } from './search/keep-speed.js';
import { settleAccuracy } from './search/settle-accuracy.js';

/** What is known of a result that stands. */
export interface QuantizeVerdict {
  /** Absent where verification was switched off. */
  readonly checked: Checked | undefined;
  /** Layers that lose more than rounding in half precision, where they were looked for. */
  readonly lossyLayers: LossyNames | undefined;
  /** Original and result in turns, where that was measured already. */
  readonly latency?: LatencyComparison;
  /** What timing came to where it was not clear. */
  readonly notes?: readonly string[];
}

/**
 * Loads, runs and compares a written candidate. Where ONNX Runtime dies of it the next fallback is tried, and where half
 * precision loses more than rounding the layers that lose it are kept in FLOAT.
 * @param clock times forms beside the original; another one in tests
 */
export async function checkCandidate(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  candidate: QuantizeCandidate,
  staged: StagedModel,
  clock?: FormClock,
): Promise<CheckOutcome<QuantizeCandidate, QuantizeVerdict>> {
  const { runtime, fallbacks, split } = work;
  const { lossyLayers, fallback, converted } = candidate;
  if (!runtime || !(run.options.verify ?? QUANTIZE_DEFAULTS.verify))
    return { verdict: { checked: undefined, lossyLayers } };
  const written = {
    path: staged.stagedPath,
    // ONNX Runtime 1.30 makes integer kernels of FP8 pairs, which it then refuses.
    session: candidate.done === 'fp8' ? SESSIONS.unoptimized : fallback.session,
    advice: 'keep layers in FP32 with --exclude, or try --mode dynamic or fp16',
    // Dynamic quantization takes its scales from the whole batch.
    oneByOne: candidate.done === 'dynamic',
    half: candidate.done === 'fp16' ? halfPrecision(run.options) : undefined,
  };
  let checked: Checked;
  try {
    checked =
      candidate.done === 'bf16'
        ? await withEmulatedFile(written.path, run.options, (emulated) =>
            checkResult(run, runtime, { ...written, ...emulated }, split),
          )
        : await checkResult(run, runtime, written, split);
  } catch (error) {
    // A candidate that keeps lossy layers comes of one that ONNX Runtime has survived.
    if (!fallbacks || lossyLayers) throw error;
    return { next: await convertSurviving(run, work, await fallbacks.after(error)) };
  }
  const isHalf = candidate.done === 'fp16' || candidate.done === 'bf16';
  if (lossyLayers || !isHalf || !checked.comparison || !isLossy(checked.comparison, halfMode(run.options)))
    return judge(run, work, candidate, staged, checked, clock);
  const source = split.calibration ? { kind: 'data' as const, ...split.calibration } : checked.judging;
  const repaired = await keepLossyLayers(run, converted, source, await runtime.host());
  if (!repaired.converted) return { verdict: { checked, lossyLayers: repaired.lossyLayers } };
  return { next: candidateOf(run, repaired.converted, fallback, repaired.lossyLayers) };
}

/** A result that stands by its outputs: does it keep its goals on all samples, and is it as fast as the original? */
async function judge(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  candidate: QuantizeCandidate,
  staged: StagedModel,
  checked: Checked,
  clock: FormClock | undefined,
): Promise<CheckOutcome<QuantizeCandidate, QuantizeVerdict>> {
  const { lossyLayers } = candidate;
  if (!checked.comparison) return { verdict: { checked, lossyLayers } };
  const again = await keepMore(run, work, candidate, checked);
  if (again) return { next: again };
  const { judging, measure } = checked;
  if (!guardsSpeed(run, candidate, judging)) {
    const { latency } = candidate;
    return { verdict: { checked, lossyLayers, ...(latency ? { latency } : {}) } };
  }
  const trial = { candidate, path: staged.stagedPath, source: judging, measure };
  const outcome = await keepSpeed(run, work, trial, clock ?? new FormTimes(run, judging));
  if (outcome.next) return { next: outcome.next };
  const { latency, note } = outcome;
  return { verdict: { checked, lossyLayers, latency, ...(note === undefined ? {} : { notes: [note] }) } };
}

/** The search may have tried fewer samples than there are: where all of them miss the goal, more layers are kept. */
async function keepMore(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  candidate: QuantizeCandidate,
  checked: Checked,
): Promise<QuantizeCandidate | undefined> {
  const { search } = candidate;
  const { maxDrop } = run.options;
  if (!search?.met || maxDrop === undefined || !checked.comparison || candidate.alternatives.length > 0)
    return undefined;
  const { comparison, accuracy } = checked;
  const verdicts = judgeResult(goalBudgets({ maxDrop }, { comparison, accuracy }), {
    name: '',
    sizeBytes: 0,
    cost: () => ({ macs: 0, uncounted: 0, sizes: [], parameters: 0 }),
    comparison,
    accuracy,
  });
  const fails = verdicts.some(({ verdict }) => verdict === 'fail');
  if (!fails || search.kept + 1 >= search.layers) return undefined;
  const more = await settleAccuracy(run, work, candidate, { atLeast: search.kept + 1 });
  return more.search?.met ? more : undefined;
}

function halfPrecision(options: InContext<QuantizeOptions>): HalfPrecision {
  return { here: compareHere, emulated: (runtime, path, use) => withEmulated(runtime, path, options, use) };
}
