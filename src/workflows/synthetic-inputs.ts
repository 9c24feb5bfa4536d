import { syntheticInputsNote } from '../report/synthetic-words.js';
import type { SyntheticInputsReport } from '../report/types.js';
import { syntheticSizes } from '../samples/synthetic-sizes.js';
import type { SampleSource, ValueSpec } from '../samples/types.js';

/** What a report says of samples that were made. */
export interface SyntheticInputsFields {
  /** To be put into the report. */
  readonly fields: { readonly syntheticInputs?: SyntheticInputsReport };
  readonly notes: readonly string[];
}

/** @param source what a model with these inputs ran on; undefined where nothing was run */
export function syntheticInputsOf(
  inputs: readonly ValueSpec[],
  source: SampleSource | undefined,
): SyntheticInputsFields {
  if (source?.kind !== 'seeded') return { fields: {}, notes: [] };
  const syntheticInputs = { seed: source.seed, samples: source.count, sizes: syntheticSizes(inputs, source) };
  const note = syntheticInputsNote(syntheticInputs);
  return { fields: { syntheticInputs }, notes: note === undefined ? [] : [note] };
}
