import type { ComparisonResult } from '../../evaluate/comparison.js';
import { Failure } from '../workbench/failure.js';
import type { TrialSamples } from '../workbench/trials.js';
import type { KeptLayers } from './conversion.js';
import { worstSqnrDb } from './float16/emulated.js';
import type { LayerChoice, QuantizableLayer } from './layer-choice.js';
import { SearchTime, type TimedTrials } from './search/search-time.js';

/** A layer, and what the outputs keep when it is quantized. */
export interface RankedLayer extends QuantizableLayer {
  /** Signal to noise of the worst output, in dB: with this layer alone quantized, or its share of what its group loses. */
  readonly sqnrDb: number;
  /** Layers that were quantized together for it; 1 where it was measured alone. */
  readonly together: number;
  /** The channel of an output that lost most, in dB; of a layer measured alone. */
  readonly worstChannelDb?: number;
  /** Share of the predictions that stay the same, where an output has class scores; of a layer measured alone. */
  readonly agreement?: number;
  /** Why it could not be run. */
  readonly failure?: string;
}

export interface LayerRanking {
  /** Most sensitive first. */
  readonly layers: readonly RankedLayer[];
  /** Samples of a trial, models that were tried, and what all took in passes over the calibration samples. */
  readonly samples: number;
  readonly trials: number;
  readonly passes: number;
}

/** Layers that are tried, and models with some of them quantized. */
export type TriedLayers = Pick<LayerChoice, 'layers' | 'candidate'>;

export interface RankOptions {
  /** Samples that a calibration pass runs on. */
  readonly calibrationSamples: number;
  /** About how many of them all trials may take together. Default 2. */
  readonly passes?: number;
  /** Multiply-adds of a sample, where they are known: small models are tried on more samples. */
  readonly macs?: number | undefined;
  /** Default: no limit. Where it is too short, neighbours are quantized together. */
  readonly time?: SearchTime;
  /** Called after each trial. */
  readonly onTrial?: (done: number, total: number) => void;
}

/** Trials may run the model on so many calibration samples, in passes, unless the caller says otherwise. */
const MOST_PASSES = 2;
/** A pass is at least so many samples: few samples allow for more passes. */
const LEAST_PASS = 128;
/** All trials may take so many multiply-adds together, however many passes that is: about a second on two cores. */
const CHEAP_MACS = 5e10;
/** Samples of a trial at least, where there are so many. */
const LEAST_SAMPLES = 4;

/**
 * Ranks layers by what the outputs of the model lose when each alone is quantized, in about two passes over the calibration
 * samples: the more layers, the fewer samples each is tried on, down to four. Models so small that all trials take a second are tried on more:
 * a few samples of a hundred can make most of the noise of a layer whose range they exceed. Beyond that neighbours are quantized together; what a
 * group loses is shared out equally, and the groups that lose most per layer are split until the passes are used up.
 * Probabilities are compared by their logarithms: few samples are unsure, and all others would hide what a layer loses.
 */
export async function rankLayers(
  samples: TrialSamples,
  choice: TriedLayers,
  {
    calibrationSamples,
    passes = MOST_PASSES,
    macs,
    time = new SearchTime(Number.POSITIVE_INFINITY),
    onTrial,
  }: RankOptions,
): Promise<LayerRanking> {
  const { layers } = choice;
  const allowed = Math.max(passes * Math.max(LEAST_PASS, calibrationSamples), macs ? Math.floor(CHEAP_MACS / macs) : 0);
  const perTrial = Math.min(samples.count, Math.max(LEAST_SAMPLES, Math.floor(allowed / Math.max(1, layers.length))));
  const most = Math.max(2, Math.floor(allowed / Math.max(1, Math.min(perTrial, LEAST_SAMPLES))));
  const timed = time.trials();
  const ranked = new GroupRanking(samples, choice, perTrial, timed);
  const total = Math.min(layers.length, most);
  // Equal groups of what is left, fewer as soon as the time does not do for all of them.
  let [from, groups] = [0, layers.length <= most ? layers.length : Math.ceil(most / 2)];
  for (let [at, group] = [0, 0]; at < layers.length; group++) {
    const affordable = Math.max(1, timed.affordable);
    if (affordable < groups - group) [from, groups, group] = [at, affordable, 0];
    const end = from + Math.round(((group + 1) * (layers.length - from)) / Math.max(1, groups));
    await ranked.measure(layers.slice(at, end));
    at = end;
    onTrial?.(ranked.trials, total);
  }
  while (ranked.trials + 2 <= most && timed.affordable >= 2 && (await ranked.splitWorst()))
    onTrial?.(ranked.trials, total);
  return {
    layers: ranked.layers(),
    samples: perTrial,
    trials: ranked.trials,
    passes: (ranked.trials * perTrial) / Math.max(1, calibrationSamples),
  };
}

/** Layers that were quantized together, and what that lost. */
interface Group {
  readonly layers: readonly QuantizableLayer[];
  readonly result: ComparisonResult | Failure;
  /** Noise over signal. */
  readonly noise: number;
}

class GroupRanking {
  readonly #samples: TrialSamples;
  readonly #choice: TriedLayers;
  readonly #perTrial: number;
  readonly #timed: TimedTrials;
  readonly #groups: Group[] = [];
  trials = 0;

  constructor(samples: TrialSamples, choice: TriedLayers, perTrial: number, timed: TimedTrials) {
    this.#timed = timed;
    this.#samples = samples;
    this.#choice = choice;
    this.#perTrial = perTrial;
  }

  async measure(layers: readonly QuantizableLayer[]): Promise<void> {
    if (layers.length === 0) return;
    const tried = new Set(layers.map(({ key }) => key));
    const kept: KeptLayers = new Map(
      this.#choice.layers.filter(({ key }) => !tried.has(key)).map(({ key }) => [key, 'not tried']),
    );
    const result = await this.#timed.run(async () =>
      this.#samples.score(await this.#choice.candidate(kept), { most: this.#perTrial, logarithms: true }),
    );
    this.trials++;
    const noise = result instanceof Failure ? Number.POSITIVE_INFINITY : 10 ** (-worstSqnrDb(result.outputs) / 10);
    this.#groups.push({ layers, result, noise });
  }

  /** Splits the group that loses most per layer. @returns false where every layer was measured alone */
  async splitWorst(): Promise<boolean> {
    let worst = -1;
    for (const [index, { layers, noise }] of this.#groups.entries()) {
      if (layers.length < 2) continue;
      const best = this.#groups[worst];
      if (best === undefined || noise / layers.length > best.noise / best.layers.length) worst = index;
    }
    const [group] = worst < 0 ? [] : this.#groups.splice(worst, 1);
    if (!group) return false;
    const half = group.layers.length >> 1;
    await this.measure(group.layers.slice(0, half));
    await this.measure(group.layers.slice(half));
    return true;
  }

  layers(): RankedLayer[] {
    return this.#groups
      .flatMap(({ layers, result, noise }) =>
        layers.map((layer): RankedLayer => {
          const together = layers.length;
          const sqnrDb = -10 * Math.log10(noise / together);
          if (result instanceof Failure) return { ...layer, sqnrDb, together, failure: result.reason };
          return { ...layer, sqnrDb, together, ...(together === 1 ? detailsOf(result) : {}) };
        }),
      )
      .sort((a, b) => compareNumbers(a.sqnrDb, b.sqnrDb));
  }
}

/** Infinities of one sign are equal. */
function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function detailsOf({ outputs }: ComparisonResult): Pick<RankedLayer, 'worstChannelDb' | 'agreement'> {
  const channels = outputs.flatMap(({ worstChannel, random }) =>
    worstChannel && !random ? [worstChannel.sqnrDb] : [],
  );
  const agreements = outputs.flatMap(({ top1Agreement, random }) =>
    top1Agreement && !random ? [top1Agreement.value] : [],
  );
  return {
    ...(channels.length === 0 ? {} : { worstChannelDb: Math.min(...channels) }),
    ...(agreements.length === 0 ? {} : { agreement: Math.min(...agreements) }),
  };
}
