import type { Dim } from '../../../ir/type.js';
import { PLACES } from '../../../quantize/places.js';
import type { SampleSource } from '../../../samples/types.js';
import { inputSpecs } from '../../../samples/value-specs.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from '../../options.js';
import type { ModelRun } from '../../produce/model-run.js';
import type { QuantizeCandidate } from '../quantize-candidate.js';

/**
 * Whether a form that is slower than the original is to be replaced: INT8 for this machine, unless the caller allows it, or no sizes are known
 * at which a time would mean something.
 * @param judging the samples that it would be timed on
 */
export function guardsSpeed(
  { model, options }: ModelRun<QuantizeOptions>,
  candidate: QuantizeCandidate,
  judging: SampleSource,
): boolean {
  if (options.allowSlower || candidate.alternatives.length > 0) return false;
  if (!PLACES[options.for ?? QUANTIZE_DEFAULTS.for].runsHere) return false;
  if (candidate.done !== 'static' && candidate.done !== 'dynamic') return false;
  return judging.kind === 'data' || options.dims !== undefined || sizesAreKnown(model);
}

/** One sample is what a server runs; a length that was made up says nothing of those that it will see. */
function sizesAreKnown(model: ModelRun['model']): boolean {
  return inputSpecs(model).every(({ shape }) => shape?.slice(1).every(isKnown) ?? false);
}

function isKnown(dim: Dim): boolean {
  return typeof dim === 'number';
}
