import type { ComparisonResult } from '../../../evaluate/comparison.js';
import { formatSqnr } from '../../../report/comparison-words.js';
import type { SampleSource } from '../../../samples/types.js';
import type { LoadedPair } from '../../workbench/loaded-pair.js';
import { type HalfMode, ROUNDING_ONLY_DB } from './convert-float16.js';
import { worstSqnrDb } from './emulated.js';
import type { LossyNames } from './keep-lossy-layers.js';

/** Samples on which the result itself runs, beside those that its emulation is compared on. */
const RUN_SAMPLES = 8;

/** Runs the FLOAT16 model itself on a few samples, as ONNX Runtime computes it here. */
export function compareHere(
  pair: LoadedPair,
  judging: SampleSource,
  batchSize: number | undefined,
): Promise<ComparisonResult> {
  const count = Math.min(judging.count ?? RUN_SAMPLES, RUN_SAMPLES);
  return pair.compare({ ...judging, count }, batchSize);
}

/** True when some output has lost more than rounding. */
export function isLossy({ outputs }: ComparisonResult, mode: HalfMode): boolean {
  return worstSqnrDb(outputs) < ROUNDING_ONLY_DB[mode];
}

/**
 * Warnings about a result in half precision: outputs that lose more than rounding, with the layers that do it, and what
 * ONNX Runtime computes here although the emulation does not.
 */
export function judgeHalf(
  emulated: ComparisonResult,
  here: ComparisonResult | undefined,
  lossyLayers: LossyNames | undefined,
  mode: HalfMode,
): string[] {
  const leastDb = ROUNDING_ONLY_DB[mode];
  const warnings: string[] = [];
  for (const { name, sqnrDb, nonFinite, random } of emulated.outputs) {
    if (random) continue;
    if (nonFinite.b <= nonFinite.a && (sqnrDb ?? Number.POSITIVE_INFINITY) >= leastDb) continue;
    const what =
      nonFinite.b > nonFinite.a
        ? `has ${nonFinite.b} NaN or infinite values`
        : `has an SQNR of ${formatSqnr(sqnrDb ?? Number.NaN)}`;
    warnings.push(
      `In ${mode === 'bf16' ? 'BF16' : 'half precision'} the output "${name}" ${what}, worse than ${mode.toUpperCase()} usually is.`,
    );
  }
  if (warnings.length > 0 && lossyLayers) warnings.push(whereItIsLost(lossyLayers));
  if (!here) return warnings;
  const worstHere = worstSqnrDb(here.outputs);
  if (worstHere < leastDb && worstHere < worstSqnrDb(emulated.outputs) - 3) {
    warnings.push(
      `ONNX Runtime on this machine loses more precision than the emulation: its outputs have an SQNR of ${formatSqnr(worstHere)}.`,
    );
  }
  return warnings;
}

function whereItIsLost({ single, spread }: LossyNames): string {
  if (single.length > 0)
    return `Most of the loss is at ${[...single, ...spread].join('; ')}: keep more layers in FP32 with --exclude.`;
  const from = spread.length === 0 ? '' : `, most of it at ${spread.join('; ')}`;
  return `No single layer causes the loss: rounding errors add up over the model${from}.`;
}
