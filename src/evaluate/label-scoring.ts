import type { SampleReader } from '../samples/sample-reader.js';
import type { HostTensor } from '../samples/types.js';
import type { Accumulator } from './accumulator.js';
import { type AnswerFlips, type ChangedAnswers, ChangedAnswersCollector } from './changed-answers.js';
import { type MetricChoice, type MetricWish, metricChoices } from './choose-metric.js';
import type { MetricComparison } from './comparison.js';
import { compareMetrics, settleChoice } from './label-metrics.js';
import { LabelScorer } from './label-scorer.js';
import { labelTraits } from './label-traits.js';
import type { OutputMeaning, OutputMeanings } from './output-meaning.js';
import { pairedDifference } from './proportion.js';

type Outputs = ReadonlyMap<string, HostTensor>;

/** How outputs are scored: chosen, or as the caller wishes. */
export interface ScoringOptions {
  readonly wish?: MetricWish;
  readonly meanings?: OutputMeanings;
  /** Class that means "nothing" in CTC outputs; found where absent. */
  readonly ctcBlank?: number;
  /** Index in the data of what the first label is for; default 0. */
  readonly firstSample?: number;
}

/** One reading of the labels, and where the answers differ under it. */
interface Scored {
  readonly choice: MetricChoice;
  readonly a: LabelScorer;
  readonly b: LabelScorer;
  readonly changed: ChangedAnswersCollector | undefined;
}

/** A run of samples `start` to `start + rows - 1`. */
export interface OutputsRun {
  readonly a: Outputs;
  readonly b: Outputs;
  readonly start: number;
  readonly rows: number;
}

export interface ScoringResult {
  readonly metrics: readonly MetricComparison[];
  readonly metricsSkipped?: string;
  readonly changedAnswers?: ChangedAnswers;
}

/** Scores two models against the labels of a reader, run by run. */
export class LabelScoring implements Accumulator<OutputsRun, ScoringResult> {
  readonly #labels: HostTensor;
  readonly #options: ScoringOptions;
  #scored: readonly Scored[] = [];
  #skipped: string | undefined;
  #begun = false;

  /** Undefined when there are no labels. */
  static of(reader: Pick<SampleReader, 'count' | 'labels'>, options: ScoringOptions): LabelScoring | undefined {
    return reader.labels && reader.count > 0 ? new LabelScoring(reader.labels, options) : undefined;
  }

  private constructor(labels: HostTensor, options: ScoringOptions) {
    this.#labels = labels;
    this.#options = options;
  }

  /** Chooses by the outputs of the first run, which has `rows` samples. */
  #begin(a: Outputs, b: Outputs, rows: number): void {
    this.#begun = true;
    const { wish = {}, meanings, ctcBlank, firstSample = 0 } = this.#options;
    const shared = new Map([...a].filter(([name]) => b.has(name)));
    const choices = metricChoices(shared, labelTraits(this.#labels), rows, wish, meanings);
    if (typeof choices === 'string') this.#skipped = choices;
    else {
      this.#scored = choices.map((choice) => ({
        choice,
        a: new LabelScorer(choice, ctcBlank),
        b: new LabelScorer(choice, ctcBlank),
        changed: ChangedAnswersCollector.of(choice, firstSample, ctcBlank),
      }));
    }
  }

  observe({ a, b, start, rows }: OutputsRun): void {
    if (!this.#begun) this.#begin(a, b, rows);
    const labels = this.#labels;
    for (const { choice, changed, ...scorers } of this.#scored) {
      const [tensorA, tensorB] = [a.get(choice.output), b.get(choice.output)];
      if (!tensorA || !tensorB) continue;
      scorers.a.observe({ output: tensorA, labels, firstRow: start, rows });
      scorers.b.observe({ output: tensorB, labels, firstRow: start, rows });
      changed?.observe({ a: tensorA, b: tensorB, labels, firstRow: start, rows });
    }
  }

  /** Adds runs on samples of the same labels, scored in the same way. */
  merge(other: LabelScoring): void {
    if (!other.#begun) return;
    if (!this.#begun) {
      this.#begun = true;
      this.#scored = other.#scored;
      this.#skipped = other.#skipped;
      return;
    }
    for (const [i, { a, b, changed }] of this.#scored.entries()) {
      const more = other.#scored[i];
      if (!more) continue;
      a.merge(more.a);
      b.merge(more.b);
      if (more.changed) changed?.merge(more.changed);
    }
  }

  /** What labels say of an output, once there was a run: that it has a score for each class. */
  meaningOf(output: string): OutputMeaning | undefined {
    const choice = this.#scored.find(
      (each) => each.choice.output === output && (each.choice.kind === 'top-1' || each.choice.kind === 'ctc'),
    )?.choice;
    return (
      choice && { kind: 'scores', axis: choice.axis ?? -1, exclusive: true, because: 'the labels are of its classes' }
    );
  }

  result(): ScoringResult {
    const scored = this.#scored.map(({ choice, a, b, changed }) => ({ choice, a: a.result(), b: b.result(), changed }));
    const [first, ...others] = scored;
    if (!first) return { metrics: [], metricsSkipped: this.#skipped ?? 'no sample was run' };
    const { choice, a, b, changed } = settleChoice([first, ...others]);
    const [quoted, ...rest] = compareMetrics(choice, a, b);
    if (!quoted || !changed) return { metrics: quoted ? [quoted, ...rest] : [] };
    const answers = changed.result();
    return { metrics: [withInterval(quoted, answers.flips), ...rest], changedAnswers: answers.changed };
  }
}

/** A metric with the interval of its difference, where it is the share of the answers that flipped; else as it was. */
function withInterval(metric: MetricComparison, { worse, better }: AnswerFlips): MetricComparison {
  const { a, difference } = metric;
  if (a.low === undefined || Math.abs((better - worse) / a.n - difference) > 1e-9) return metric;
  const { low, high } = pairedDifference(better, worse, a.n);
  return { ...metric, differenceLow: low, differenceHigh: high };
}
