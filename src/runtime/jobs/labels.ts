import { ServeOptError } from '../../errors.js';
import type { MetricWish } from '../../evaluate/choose-metric.js';
import { whyLabelsDoNotFit } from '../../evaluate/fit-labels.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import type { JobContext } from '../job.js';

/** What `labelsJob` is given. */
export interface LabelsParams {
  readonly source: Extract<SampleSource, { readonly kind: 'data' }>;
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  /** How messages call the data: a file name. */
  readonly label: string;
  /** Metric and output that are to be scored, instead of chosen. */
  readonly wish?: MetricWish;
}

/**
 * Checks that a data set fits the inputs of a model and has labels that some output can be scored against, without running it.
 * @returns the number of samples
 * @throws as opening the data; SO4005 for labels that are missing or fit no output
 */
export async function labelsJob(
  context: JobContext,
  { source, inputs, outputs, label, wish = {} }: LabelsParams,
): Promise<{ readonly count: number }> {
  const reader = await context.openSamples(source, inputs);
  try {
    const { labels, count, unused = [], warnings = [] } = reader;
    if (!labels) {
      const dropped = warnings.find((warning) => warning.startsWith('labels '));
      const others = unused.slice(0, 10).map((name) => `"${name}"`);
      throw new ServeOptError('SO4005', `"${label}" has no labels`, {
        why:
          dropped ??
          `no array is named "labels" or "label"${others.length > 0 ? `; besides the inputs it has ${others.join(', ')}` : ''}`,
        hint: 'save the labels under the name "labels" next to the inputs',
      });
    }
    const why = whyLabelsDoNotFit(labels, outputs, reader.block ?? 1, wish);
    if (why !== undefined) {
      throw new ServeOptError('SO4005', `The labels in "${label}" cannot be scored against any output`, {
        why,
        hint:
          wish.metric === undefined && wish.output === undefined
            ? 'labels must be class numbers from 0 on, one per sample, or values of the same kind as the output'
            : 'leave out --metric and --output-name to choose them automatically',
      });
    }
    return { count };
  } finally {
    await reader.close?.();
  }
}
