import type { ModelFacts } from '../model-facts.js';

/** What a .mar takes from a model, besides what every target does. */
export interface MarFacts extends ModelFacts {
  readonly irVersion: number;
  /** Samples of a run share a scale (dynamic quantization): the results of one depend on the others. */
  readonly dependsOnBatch: boolean;
  /** Names of outputs that are probabilities already: a Softmax or Sigmoid makes them. */
  readonly probabilities: ReadonlySet<string>;
}
