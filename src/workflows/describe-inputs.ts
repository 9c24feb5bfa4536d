import type { ReadingReport } from '../report/reading-types.js';
import { syntheticInputsNote } from '../report/synthetic-words.js';
import type { SyntheticInputsReport } from '../report/types.js';
import type { DataReading } from '../samples/data-reading.js';
import { syntheticSizes } from '../samples/synthetic-sizes.js';
import type { SampleSource, ValueSpec } from '../samples/types.js';
import { describeReading } from './describe-reading.js';

/** What a report says of samples: those that were made, and how files of them were read. */
export interface InputFields {
  /** To be put into the report. */
  readonly fields: { readonly syntheticInputs?: SyntheticInputsReport; readonly reading?: ReadingReport };
  readonly notes: readonly string[];
}

/**
 * @param source what a model with these inputs ran on; undefined where nothing was run
 * @param reading how data was read, where any was given
 */
export function describeInputs(
  inputs: readonly ValueSpec[],
  source: SampleSource | undefined,
  reading: DataReading | undefined,
): InputFields {
  const read = describeReading(reading, inputs);
  if (source?.kind !== 'seeded') return read;
  const syntheticInputs = { seed: source.seed, samples: source.count, sizes: syntheticSizes(inputs, source) };
  const note = syntheticInputsNote(syntheticInputs);
  return { fields: { ...read.fields, syntheticInputs }, notes: [...read.notes, ...(note === undefined ? [] : [note])] };
}
