import type { LatencyComparison } from '../../bench/results.js';
import type { Model } from '../../ir/model.js';
import { writtenSize } from '../../ir/write-model.js';
import type { AlternativeReport, SearchReport } from '../../report/search-types.js';
import type { QuantizeReport } from '../../report/types.js';
import type { QuantizeOptions } from '../options.js';
import type { CandidateModel } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import type { QuantizeWork } from './before-work.js';
import { convertModel } from './convert-model.js';
import type { Converted } from './converted.js';
import type { LossyNames } from './float16/keep-lossy-layers.js';
import type { LoadFallback } from './float16/load-fallbacks.js';
import { whyTooLarge } from './result-growth.js';

/** A conversion, and what is written of it. */
export interface QuantizeCandidate extends CandidateModel {
  /** Nothing to do means nothing done: the original's own bytes, not a model that was merely prepared. */
  readonly model: Model;
  readonly converted: Converted;
  /** `none` where the model is written as it was. */
  readonly done: QuantizeReport['mode'];
  /** Why a result that was made is not handed over. */
  readonly tooLarge: string | undefined;
  /** How it is brought into ONNX Runtime. */
  readonly fallback: LoadFallback;
  /** Layers that lose more than rounding, where they were looked for and this candidate keeps them in FLOAT. */
  readonly lossyLayers: LossyNames | undefined;
  /** The search for layers to keep, where there was one. */
  readonly search?: SearchReport | undefined;
  /** Forms that were timed because the first was slower than the original; the last is this one. Empty where it was not. */
  readonly alternatives: readonly AlternativeReport[];
  /** Beside the original, where it was timed before it was written. */
  readonly latency?: LatencyComparison;
}

/** Converts the model; with one fallback after the other where ONNX Runtime dies meanwhile. @throws what converting throws */
export async function convertSurviving(
  run: ModelRun<QuantizeOptions>,
  { split, runtime, fallbacks }: QuantizeWork,
  first: LoadFallback,
): Promise<QuantizeCandidate> {
  for (let fallback = first; ; ) {
    try {
      const converted = await convertModel(run, split, runtime, fallback);
      return candidateOf(run, converted, fallback);
    } catch (error) {
      if (!fallbacks) throw error;
      fallback = await fallbacks.after(error);
    }
  }
}

/** What is to be written of a conversion. */
export function candidateOf(
  { model, path, outputPath, options }: ModelRun<QuantizeOptions>,
  converted: Converted,
  fallback: LoadFallback,
  lossyLayers?: LossyNames,
): QuantizeCandidate {
  const shared = { converted, fallback, lossyLayers, alternatives: [] };
  const unchanged = { ...shared, model, done: 'none' } as const;
  if (converted.step.changed === 0) return { ...unchanged, tooLarge: undefined };
  const result = converted.conversion.model;
  const tooLarge = whyTooLarge(model, path, writtenSize(result, outputPath), converted.mode, options);
  if (tooLarge !== undefined) return { ...unchanged, tooLarge };
  return { ...shared, model: result, done: converted.mode, tooLarge };
}
