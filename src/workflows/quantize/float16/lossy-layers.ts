/** Which layers lose more than rounding in FLOAT16: a search over few trials, apart from what a trial is. */

/** A layer that must stay in FLOAT, with what the worst output keeps of its signal in dB with it in FLOAT16 and without. */
export interface LossyLayer {
  readonly name: string;
  readonly lossDb: number;
  readonly keptDb: number;
}

export interface LossySearch {
  readonly layers: readonly LossyLayer[];
  /** Layers at which half of the loss that is left has come, although none of them brings anything in FLOAT alone. */
  readonly spread: readonly string[];
  /** What the worst output keeps with these layers in FLOAT, in dB. */
  readonly sqnrDb: number;
  readonly trials: number;
}

export interface LossySearchOptions {
  /** Layers in FLOAT16, topologically. */
  readonly layers: readonly string[];
  /** Layers that read what a layer makes. */
  readonly readers: (layer: string) => readonly string[];
  /** Layers to try first, for what was measured of them. */
  readonly suspects: readonly string[];
  /** Worst signal-to-noise ratio of the outputs, in dB, with some layers in FLOAT; -Infinity for NaN and infinities. */
  readonly measure: (wide: ReadonlySet<string>) => Promise<number>;
  /** Stops as soon as the outputs keep this much. */
  readonly targetDb: number;
  readonly maxTrials: number;
  /** False when there is no time for another trial. Default: there always is. */
  readonly mayGoOn?: () => boolean;
}

/** A layer in FLOAT is worth it from here on, in dB. */
const LEAST_GAIN_DB = 2;
/** All layers together must bring this much where they do not bring the outputs to the target, in dB. */
const LEAST_TOTAL_GAIN_DB = 6;
/** Layers in a row that bring nothing, after which the loss counts as spread over the model. */
const PATIENCE = 4;

/** Noise over signal of a ratio in dB. */
const noise = (sqnrDb: number): number => 10 ** (-sqnrDb / 10);

/**
 * Finds layers that are to stay in FLOAT. The first k layers in FLOAT16 and the rest in FLOAT lose more the larger k is;
 * halving finds where half of the loss has come, and that layer is taken to FLOAT, with its readers where it alone brings
 * nothing (a difference of two large numbers needs both). At the end, layers that bring nothing go back to FLOAT16. Where
 * no single layer brings anything the loss is spread over the model, and nothing is kept.
 */
export async function findLossyLayers(options: LossySearchOptions): Promise<LossySearch> {
  return new Search(options).run();
}

class Search {
  readonly #options: LossySearchOptions;
  readonly #kept = new Set<string>();
  #trials = 0;
  #current = Number.NEGATIVE_INFINITY;

  constructor(options: LossySearchOptions) {
    this.#options = options;
  }

  async run(): Promise<LossySearch> {
    const { targetDb, suspects } = this.#options;
    this.#current = await this.#measure(this.#kept);
    const before = this.#current;
    if (this.#current < targetDb && suspects.length > 0) await this.#accept(suspects);
    let patience = PATIENCE;
    /** Taken to FLOAT without a gain so far: the next may need them. */
    let unproved: string[] = [];
    while (this.#current < targetDb && patience > 0 && !this.#spent) {
      const culprit = await this.#firstLoss(new Set([...this.#kept, ...unproved]));
      if (culprit === undefined) break;
      unproved.push(culprit);
      if (await this.#accept(unproved)) {
        unproved = [];
        patience = PATIENCE;
        continue;
      }
      const readers = this.#options.readers(culprit).filter((name) => !unproved.includes(name));
      if (readers.length > 0 && (await this.#accept([...unproved, ...readers]))) {
        unproved = [];
        patience = PATIENCE;
      } else patience--;
    }
    const gain = this.#current - before;
    if (this.#current < targetDb && gain < LEAST_TOTAL_GAIN_DB) {
      const spread = [...this.#kept, ...unproved];
      return { layers: [], spread, sqnrDb: before, trials: this.#trials };
    }
    const layers = await this.#pruned();
    return { layers, spread: unproved, sqnrDb: this.#current, trials: this.#trials };
  }

  get #spent(): boolean {
    return this.#trials >= this.#options.maxTrials || this.#options.mayGoOn?.() === false;
  }

  async #measure(wide: ReadonlySet<string>): Promise<number> {
    this.#trials++;
    return this.#options.measure(wide);
  }

  /** Keeps layers in FLOAT where that brings something. */
  async #accept(names: readonly string[]): Promise<boolean> {
    const sqnrDb = await this.#measure(new Set([...this.#kept, ...names]));
    const gains =
      sqnrDb >= this.#current + LEAST_GAIN_DB || (this.#current === Number.NEGATIVE_INFINITY && sqnrDb > -300);
    if (!gains) return false;
    for (const name of names) this.#kept.add(name);
    this.#current = sqnrDb;
    return true;
  }

  /** The layer with which more than half of the loss has come; undefined when none is left or trials are spent. */
  async #firstLoss(wide: ReadonlySet<string>): Promise<string | undefined> {
    const narrow = this.#options.layers.filter((name) => !wide.has(name));
    const all = noise(this.#current);
    const limit = Number.isFinite(all) ? all / 2 : Number.MAX_VALUE;
    let without = -1;
    let having = narrow.length - 1;
    if (having < 0) return undefined;
    while (having - without > 1) {
      if (this.#spent) return undefined;
      const middle = (having + without) >> 1;
      const sqnrDb = await this.#measure(new Set([...wide, ...narrow.slice(middle + 1)]));
      if (noise(sqnrDb) > limit) having = middle;
      else without = middle;
    }
    return narrow[having];
  }

  /** Leaves out what brings nothing, now that all are known; each with what it costs in FLOAT16. */
  async #pruned(): Promise<LossyLayer[]> {
    const { targetDb } = this.#options;
    const layers: { name: string; lossDb: number }[] = [];
    for (const name of [...this.#kept]) {
      const without = new Set([...this.#kept].filter((other) => other !== name));
      // What may be lost again: anything above the target, next to nothing below it.
      const enough = Math.min(targetDb, this.#current - LEAST_GAIN_DB / 2);
      const lossDb = await this.#measure(without);
      if (lossDb >= enough) {
        this.#kept.delete(name);
        this.#current = lossDb;
      } else layers.push({ name, lossDb });
    }
    return layers.map((layer) => ({ ...layer, keptDb: this.#current }));
  }
}
