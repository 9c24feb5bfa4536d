import { ServeOptError } from '../../errors.js';
import { DISTILL_DEFAULTS, type DistillOptions } from './distill-options.js';
import type { CachedOutputs } from './output-cache.js';
import type { OutputChoice } from './output-choice.js';
import { outputFiles } from './subject.js';
import { keepTopK, type TopKOutput } from './top-k-outputs.js';

type Recorded = Pick<CachedOutputs, 'samples' | 'outputs' | 'topK'>;

/** Leaves the best classes of the teacher's scores, where that is wanted. @throws SO1006 for outputs that have no classes */
export function cutOutputs(
  recorded: Recorded,
  folder: string,
  { output, kind }: OutputChoice,
  { cacheTopK, scores = DISTILL_DEFAULTS.scores }: DistillOptions,
): Recorded {
  if (cacheTopK === undefined) return recorded;
  const found = recorded.outputs.find(({ name }) => name === output);
  if (kind !== 'classes' || !found)
    throw new ServeOptError('SO1006', `The value "${cacheTopK}" of --cache-top-k is not allowed`, {
      why: `output "${output}" is compared as ${kind}: there are no best classes`,
      hint: 'leave --cache-top-k out',
    });
  const topK = keepTopK(outputFiles(found, folder, output, scores), folder, cacheTopK);
  return { samples: recorded.samples, outputs: recorded.outputs.filter((each) => each !== found), topK };
}

/** What the best classes can tell and what not, for the reader of a report. */
export function topKNotes(topK: TopKOutput | undefined, temperatures: readonly number[]): readonly string[] {
  if (!topK) return [];
  const { k, classes } = topK;
  const others = temperatures.some((temperature) => temperature !== 1);
  return [
    `The cache has the ${k} best of ${classes} classes of each row, and the mass of the others. KL and total variation at temperature 1 are told within bounds; agreement, accuracy and ECE are exact.`,
    `${others ? 'Other temperatures, r' : 'R'}everse KL, Jensen-Shannon, rank correlation, errors of logits, NLL and Brier score of the teacher, class-wise calibration and fitted temperatures need all scores: leave --cache-top-k out for them.`,
  ];
}
