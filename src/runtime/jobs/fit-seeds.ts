import { ServeOptError } from '../../errors.js';
import { totalGuesses } from '../../samples/decoder-inputs.js';
import { scalarCandidates, scalarInputs } from '../../samples/scalar-values.js';
import { equalSizes, SIZE_PLAN_COUNT } from '../../samples/seeded-shapes.js';
import { tensorBytes } from '../../samples/tensor-bytes.js';
import type { Feeds, SeedPlan, ValueSpec } from '../../samples/types.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { FitSeedsParams, FitSeedsResult } from '../protocol.js';

/** Samples that are tried where it is not said how many will be used: enough to see the first sizes of every dimension. */
const TRIED_SAMPLES = 3;
/** One sample of this size is enough. */
const LARGE_SAMPLE_BYTES = 64 * 2 ** 20;
/** After so long no other sizes are tried, ... */
const SEARCH_MS = 20_000;
/** ... nor are sizes that would take a run so long, judged by the runs before. */
const LONG_RUN_MS = 8000;
/** Trying every sample of a plan that runs ends after so long: later samples take the shapes of those tried. */
const SAMPLES_MS = 10_000;
/** What may be tried beside the plain plan, so that values and sizes vary. */
const VARY_MS = 4000;
/** Scalars whose values are tried, and values of each. */
const MOST_SCALARS = 8;
const MOST_VALUES = 12;
/** Open sizes that are tried apart from others. */
const MOST_APART = 8;

/**
 * Finds sizes of open dimensions and values of scalars that the model accepts, by trying: graphs do not say that they want
 * 512 samples of sound or a batch of 1, or that two names mean one size. Sizes of a kind are equal first, and differ
 * where that runs too. Use it on the original model, and its plan for every model compared with it.
 * @throws SO5006 when synthetic samples cannot be made at all, SO2105 where the first plan takes too much memory and no other runs
 */
export async function fitSeedsJob(
  context: JobContext,
  params: FitSeedsParams,
  progress: ReportProgress,
): Promise<FitSeedsResult> {
  const search = new PlanSearch(context, params, progress);
  const plain = await search.plain();
  if (!plain) {
    // That there is no memory is no word on the sizes.
    if (search.refusal?.code === 'SO2105') throw search.refusal;
    return { plan: undefined, why: search.refusal?.message ?? '' };
  }
  return { plan: params.sameShapes ? plain : await search.varied(plain) };
}

class PlanSearch {
  /** What was said to the plainest samples. */
  refusal: ServeOptError | undefined;
  readonly #context: JobContext;
  readonly #params: FitSeedsParams;
  readonly #progress: ReportProgress;
  readonly #count: number;
  #runs = 0;
  /** Of the last run: elements that were fed, and how long it took. */
  #lastElements = 0;
  #lastMs = 0;

  constructor(context: JobContext, params: FitSeedsParams, progress: ReportProgress) {
    this.#context = context;
    this.#params = params;
    this.#progress = progress;
    this.#count = Math.max(
      1,
      params.sameShapes ? Math.min(params.count ?? 1, TRIED_SAMPLES) : (params.count ?? TRIED_SAMPLES),
    );
  }

  /** The plainest plan with which every sample runs; each scalar has one value in it. */
  async plain(): Promise<SeedPlan | undefined> {
    const { inputs } = this.#params;
    const rows = inputs.some(hasOpenDimension) ? SIZE_PLAN_COUNT : 1;
    const guesses = [...totalGuesses(inputs), undefined];
    const choices = scalarChoices(inputs);
    const end = performance.now() + SEARCH_MS;
    for (let sizes = 0; sizes < rows; sizes++) {
      for (const totals of guesses) {
        for (const scalars of choices) {
          if (this.#runs > 0 && performance.now() > end) return undefined;
          const plan: SeedPlan = { sizes, ...(totals ? { totals } : {}), ...(scalars.size > 0 ? { scalars } : {}) };
          const tried = await this.#tryAll(plan);
          if (tried) return tried;
        }
      }
    }
    return undefined;
  }

  /** The plan with scalars that take every value that runs, and with sizes apart that need not be equal. */
  async varied(plain: SeedPlan): Promise<SeedPlan> {
    const end = performance.now() + VARY_MS;
    let plan = plain;
    const scalars = await this.#scalars(plain, end);
    if (scalars.size > 0)
      plan = (await this.#tryAll({ ...plain, scalars }, end)) ?? (await this.#someScalars(plain, scalars, end));
    const apart: string[] = [];
    for (const [, ...keys] of equalSizes(this.#params.inputs, plain.totals)) {
      if (performance.now() > end) break;
      const together = [...apart, ...keys.slice(0, MOST_APART)];
      if (await this.#tryAll({ ...plan, apart: together }, end)) {
        apart.push(...keys.slice(0, MOST_APART));
        continue;
      }
      if (keys.length === 1) continue;
      for (const key of keys.slice(0, MOST_APART)) {
        if (performance.now() > end) break;
        if (await this.#tryAll({ ...plan, apart: [...apart, key] }, end)) apart.push(key);
      }
    }
    return apart.length > 0 ? { ...plan, apart } : plan;
  }

  /** The values of each scalar with which the first sample runs, those of the others left as they are. */
  async #scalars(plain: SeedPlan, end: number): Promise<Map<string, readonly number[]>> {
    const accepted = new Map(plain.scalars);
    for (const input of scalarInputs(this.#params.inputs).slice(0, MOST_SCALARS)) {
      const [known] = plain.scalars?.get(input.name) ?? [];
      const values: number[] = known === undefined ? [] : [known];
      for (const value of scalarCandidates(input).slice(0, MOST_VALUES)) {
        if (value === known) continue;
        if (performance.now() > end) break;
        const scalars = new Map([...(plain.scalars ?? []), [input.name, [value]] as const]);
        if (this.#runsWith(await this.#trySample({ ...plain, scalars }, 0))) values.push(value);
      }
      if (values.length > 0) accepted.set(input.name, values);
    }
    return accepted;
  }

  #runsWith(tried: Tried): boolean {
    return tried === undefined || tried === LARGE;
  }

  /** Where values are not compatible in every sample: one scalar after the other varies, as long as that runs. */
  async #someScalars(plain: SeedPlan, scalars: ReadonlyMap<string, readonly number[]>, end: number): Promise<SeedPlan> {
    let plan = plain;
    for (const [name, values] of scalars) {
      if (values.length === 1) continue;
      plan =
        (await this.#tryAll({ ...plan, scalars: new Map([...(plan.scalars ?? []), [name, values]]) }, end)) ?? plan;
    }
    return plan;
  }

  /**
   * The plan, where every sample runs; with fewer shapes where trying them all takes too long.
   * @param end when it has to be known, else the plan does not count as one that runs; by default it takes the time it needs
   */
  async #tryAll(plan: SeedPlan, end = Number.POSITIVE_INFINITY): Promise<SeedPlan | undefined> {
    const enough = performance.now() + SAMPLES_MS;
    for (let sample = 0; sample < this.#count; sample++) {
      if (sample > 0 && performance.now() > Math.min(enough, end))
        return end < enough ? undefined : { ...plan, shapes: sample };
      const refusal = await this.#trySample(plan, sample);
      // Larger ones would take too long, or more memory than there is.
      const isTooLarge = refusal === TOO_LONG || (refusal instanceof ServeOptError && refusal.code === 'SO2105');
      if (isTooLarge && sample > 0) return { ...plan, shapes: sample };
      if (refusal === LARGE) return { ...plan, shapes: sample + 1 };
      if (refusal !== undefined) return undefined;
    }
    return plan;
  }

  /**
   * Undefined when the sample runs, `LARGE` when it runs and one of its size is enough, `TOO_LONG` where runs before tell
   * that it would take too long, else why it does not run.
   */
  async #trySample(plan: SeedPlan, sample: number): Promise<Tried> {
    const { session, inputs, seed, sameShapes } = this.#params;
    const source = { kind: 'seeded', seed, count: sample + 1, plan, sameShapes: sameShapes ?? false } as const;
    const reader = await this.#context.openSamples(source, inputs);
    try {
      const feeds = await reader.read(sample, 1);
      const elements = elementsOf(feeds);
      const growth = this.#lastElements === 0 ? 0 : elements / this.#lastElements;
      // Attention takes the square; within a plan sizes differ little.
      const predictedMs = this.#lastMs * growth ** (sample === 0 ? 2 : 1);
      if (growth > 1 && predictedMs > LONG_RUN_MS) return TOO_LONG;
      const start = performance.now();
      this.#progress({ done: ++this.#runs, total: 0 });
      try {
        await this.#context.session(session).run(feeds);
      } finally {
        this.#lastElements = elements;
        this.#lastMs = performance.now() - start;
      }
      return tensorBytes(feeds) > LARGE_SAMPLE_BYTES ? LARGE : undefined;
    } catch (error) {
      if (!(error instanceof ServeOptError) || (error.code !== 'SO5002' && error.code !== 'SO2105')) throw error;
      this.refusal ??= error;
      return error;
    }
  }
}

const LARGE = Symbol('large');
const TOO_LONG = Symbol('too long');
type Tried = ServeOptError | typeof LARGE | typeof TOO_LONG | undefined;

/** So many values of each scalar are tried together with all sizes. */
const MOST_CHOICES = 3;

/** One value for each scalar: the plainest, then others. */
function scalarChoices(inputs: readonly ValueSpec[]): Map<string, readonly number[]>[] {
  const offered = scalarInputs(inputs).map((input) => [input.name, scalarCandidates(input)] as const);
  const count = Math.min(MOST_CHOICES, Math.max(1, ...offered.map(([, { length }]) => length)));
  return Array.from(
    { length: count },
    (_, choice) => new Map(offered.map(([name, values]) => [name, [values[choice % values.length] as number]])),
  );
}

function hasOpenDimension({ shape }: ValueSpec): boolean {
  return shape === undefined || shape.some((dim) => typeof dim !== 'number' || dim < 0);
}

function elementsOf(feeds: Feeds): number {
  let elements = 0;
  for (const { data } of feeds.values()) elements += data.length;
  return elements;
}
