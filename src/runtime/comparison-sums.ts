import { basename } from 'node:path';
import type { ChannelAxes } from '../evaluate/channel-noise.js';
import type { MetricWish } from '../evaluate/choose-metric.js';
import type { ComparisonResult, ComparisonSource } from '../evaluate/comparison.js';
import { LabelScoring } from '../evaluate/label-scoring.js';
import { OutputDifferences } from '../evaluate/output-difference.js';
import type { OutputMeanings } from '../evaluate/output-meaning.js';
import { onlyClass } from '../samples/dataset/class-labels.js';
import type { SampleReader } from '../samples/sample-reader.js';
import type { HostTensor, SampleSource } from '../samples/types.js';

/** How outputs of two models are held against each other. */
export interface ComparisonParams {
  readonly source: SampleSource;
  /** False leaves label metrics out; default true. */
  readonly labels?: boolean;
  /** Metric and output that are to be scored, instead of chosen. */
  readonly wish?: MetricWish;
  /** What the graph says of the outputs. */
  readonly meanings?: OutputMeanings;
  /** Where it says that their channels are. */
  readonly channelAxes?: ChannelAxes;
  /** Class that means "nothing" in CTC outputs; found where absent. */
  readonly ctcBlank?: number;
}

type Outputs = ReadonlyMap<string, HostTensor>;

/** What is said of samples as a whole. */
type ReadSamples = Pick<SampleReader, 'count' | 'labels' | 'warnings'>;

/** Adds up how outputs of B differ from those of A, and how well each fits the labels, run by run. */
export class ComparisonSums {
  readonly #samples: ReadSamples;
  readonly #params: ComparisonParams;
  readonly #scoring: LabelScoring | undefined;
  readonly #differences: Map<string, OutputDifferences> = new Map();

  constructor(samples: ReadSamples, params: ComparisonParams) {
    this.#samples = samples;
    this.#params = params;
    const { source } = params;
    const firstSample = source.kind === 'data' ? (source.first ?? 0) : 0;
    this.#scoring = params.labels === false ? undefined : LabelScoring.of(samples, { ...params, firstSample });
  }

  /** Adds a run of `count` samples from `start` on, of the outputs that both models have. */
  add(a: Outputs, b: Outputs, start: number, count: number): void {
    this.#scoring?.observe({ a, b, start, rows: count });
    for (const [name, tensorA] of a) {
      const tensorB = b.get(name);
      // Outputs that are no tensors are not handed over by a session.
      if (!tensorB) continue;
      let difference = this.#differences.get(name);
      if (!difference) {
        const { meanings, channelAxes } = this.#params;
        difference = new OutputDifferences(
          name,
          this.#scoring?.meaningOf(name) ?? meanings?.get(name),
          channelAxes?.get(name),
        );
        this.#differences.set(name, difference);
      }
      difference.observe({ a: tensorA, b: tensorB });
    }
  }

  /** @param names outputs of each model that can be fetched */
  result(batchSize: number, names: { readonly a: readonly string[]; readonly b: readonly string[] }): ComparisonResult {
    const warnings = [...(this.#samples.warnings ?? [])];
    const one = onlyClass(this.#samples.labels);
    if (one !== undefined) warnings.push(`Every label is ${one}: the metric says nothing of other classes.`);
    return {
      source: plainSource(this.#params.source),
      samples: this.#samples.count,
      batchSize,
      outputs: [...this.#differences.values()].map((difference) => difference.result()),
      unmatched: {
        a: names.a.filter((name) => !names.b.includes(name)),
        b: names.b.filter((name) => !names.a.includes(name)),
      },
      ...this.#scoring?.result(),
      warnings,
    };
  }
}

function plainSource(source: SampleSource): ComparisonSource {
  return source.kind === 'data'
    ? { kind: 'data', name: basename(source.path), first: source.first ?? 0 }
    : { kind: 'seeded', seed: source.seed };
}
