import { median } from '../../bench/quantiles.js';
import { ServeOptError } from '../../errors.js';
import { type RuntimeHost, type RuntimeOptions, startRuntime } from '../../runtime/host.js';
import { screenInterface } from '../../runtime/interface-screen.js';
import { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { ProfileReport } from '../../runtime/profile.js';
import { proveProviders } from '../../runtime/provider-proof.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import { batchNames } from '../../samples/batch-names.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { outputSpecs } from '../../samples/value-specs.js';
import { checkMemory, runtimeOptions } from '../memory.js';
import type { ModelOptions } from '../options.js';
import { withSizes } from '../preflight/input-sizes.js';
import { asInvalidModel } from '../preflight/model.js';
import type { ReadingOptions } from '../reading-options.js';
import { fitSource, SEEDED_SAMPLES } from '../workbench/fit-source.js';
import { type Preparation, sessionOptionsOf } from './configuration-run.js';
import type { BenchModel, Configuration } from './plan.js';

/** Runs of the profile: enough for a mean, few enough not to be waited for. */
const PROFILE = { runs: 20, maxMs: 3000 } as const;
/** Batch sizes tried in the scenario `offline`, and for how long each. */
const OFFLINE_BATCHES = [1, 2, 4, 8, 16, 32, 64] as const;
const OFFLINE_TRIAL_MS = 200;
/** A larger batch must give so much more to be worth its memory. */
const OFFLINE_GAIN = 1.03;
/** So many larger batches may give less before the search ends. */
const OFFLINE_PATIENCE = 2;

export interface PreparationOptions extends ModelOptions, ReadingOptions {
  readonly dataPath?: string;
  readonly seed: number;
  readonly profile: boolean;
  /** Look for a good batch size where none was asked for. */
  readonly findBatch: boolean;
  /** Most memory that a process may take. */
  readonly memoryBytes: number;
  readonly signal?: AbortSignal;
}

/** Finds how configurations are fed and what a bare process takes; asks each thing once. */
export class Preparations {
  readonly #options: PreparationOptions;
  readonly #bareBytes: Map<string, number> = new Map();
  readonly #sources: Map<string, SampleSource> = new Map();
  #onnxRuntimeVersion: string | undefined;

  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  /** Known from the first configuration on. */
  get onnxRuntimeVersion(): string | undefined {
    return this.#onnxRuntimeVersion;
  }

  /**
   * @returns the preparation, with the configuration as it will be measured
   * @throws SO5006 for types that ONNX Runtime for Node cannot pass, SO5001, SO5002, SO4001 and their like
   */
  async prepare(configuration: Configuration): Promise<{ configuration: Configuration; preparation: Preparation }> {
    screen(configuration.model);
    const madeUp = this.#options.dataPath === undefined;
    const sizes = { inputs: configuration.inputs, madeUp, mayTakeLong: true };
    checkMemory(configuration.model.model, this.#options.memoryBytes, sizes);
    const bareBytes = await this.#bare(configuration);
    // What is known already, as in a sweep, takes no process.
    const runtime = new LazyRuntime(this.#runtimeOptions(configuration));
    try {
      const notes: string[] = [];
      const source = await this.#source(runtime, configuration);
      let chosen = configuration;
      if (this.#options.findBatch && configuration.batch === undefined) {
        chosen = await this.#bestBatch(await runtime.host(), configuration, source);
        if (chosen.batch !== undefined)
          notes.push(`Batch size ${chosen.batch} gave the highest throughput of those tried.`);
      }
      const profile = await this.#profile(runtime, chosen, source);
      const warnings = profile ? proveProviders(profile, chosen.provider.executionProviders) : [];
      return {
        configuration: chosen,
        preparation: {
          source,
          inputs: fedInputs(chosen, source),
          batch: chosen.batch ?? 1,
          bareBytes,
          ...(profile ? { providersUsed: profile.providers } : {}),
          ...(profile && this.#options.profile ? { profile } : {}),
          notes,
          warnings: warnings.map((warning) => `${chosen.label}: ${warning}.`),
        },
      };
    } catch (error) {
      throw asInvalidModel(error, this.#options);
    } finally {
      await runtime.close();
    }
  }

  /** Peak of a process that has ONNX Runtime and a tiny model on the same provider. */
  async #bare(configuration: Configuration): Promise<number> {
    const { provider } = configuration;
    const known = this.#bareBytes.get(provider.text);
    if (known !== undefined) return known;
    const host = await startRuntime(this.#runtimeOptions(configuration));
    try {
      this.#onnxRuntimeVersion ??= (await host.request('versions', undefined)).onnxRuntime;
      const [first = 'cpu'] = provider.executionProviders;
      await host.request('probe', { provider: first });
      const { peakBytes } = await host.request('processMemory', undefined);
      this.#bareBytes.set(provider.text, peakBytes);
      return peakBytes;
    } finally {
      await host.close();
    }
  }

  async #source(runtime: LazyRuntime, configuration: Configuration): Promise<SampleSource> {
    const { dataPath, seed } = this.#options;
    if (dataPath !== undefined) return { kind: 'data', path: dataPath };
    const key = JSON.stringify([configuration.model.path, [...configuration.sizes]]);
    const known = this.#sources.get(key);
    if (known) return known;
    const made: SampleSource = { kind: 'seeded', seed, count: SEEDED_SAMPLES, sameShapes: true };
    const { path } = configuration.model;
    const host = await runtime.host();
    const { session } = await host.request('load', { path, options: sessionOptionsOf(configuration) });
    const fitted = await fitSource(host, session, configuration.inputs, made);
    await host.request('release', { session });
    if (typeof fitted === 'string') {
      throw new ServeOptError('SO5002', `The model cannot be measured: ${fitted.replace('the original', 'it')}`, {
        hint: 'give real samples with --data, or sizes with --dim',
      });
    }
    this.#sources.set(key, fitted);
    return fitted;
  }

  /** Where nodes ran, where that is not known anyway; operators by time where they were asked for. */
  async #profile(
    runtime: LazyRuntime,
    configuration: Configuration,
    source: SampleSource,
  ): Promise<ProfileReport | undefined> {
    const onCpuAlone = configuration.provider.names.every((name) => name === 'cpu');
    if (onCpuAlone && !this.#options.profile) return undefined;
    const host = await runtime.host();
    return withWorkFolder((folder) =>
      host.request('profile', {
        path: configuration.model.path,
        options: sessionOptionsOf(configuration),
        source,
        inputs: fedInputs(configuration, source),
        batchSize: configuration.batch ?? 1,
        folder: folder.path,
        ...PROFILE,
      }),
    );
  }

  /** The smallest batch within a little of the most samples a second. */
  async #bestBatch(host: RuntimeHost, configuration: Configuration, source: SampleSource): Promise<Configuration> {
    const names = batchNames(configuration.model.inputs);
    if (names.length === 0) return configuration;
    let best: { readonly perSecond: number; readonly configuration: Configuration } | undefined;
    let worse = 0;
    for (const batch of OFFLINE_BATCHES) {
      const sizes = new Map(configuration.sizes);
      for (const name of names) sizes.set(name, batch);
      const candidate = { ...configuration, batch, sizes, inputs: withSizes(configuration.model.inputs, sizes) };
      let perSecond: number;
      try {
        perSecond = await this.#rate(host, candidate, source);
      } catch (error) {
        // A batch that the graph does not take, or data too short for it, ends the search; a dead process ends all.
        if (best && error instanceof ServeOptError && /^SO(400|500[12]|210[45])/.test(error.code)) break;
        throw error;
      }
      if (!best || perSecond >= best.perSecond * OFFLINE_GAIN) best = { perSecond, configuration: candidate };
      else if (perSecond < best.perSecond && ++worse === OFFLINE_PATIENCE) break;
    }
    return best?.configuration ?? configuration;
  }

  /** Samples a second by the median run, which bursts of noise do not move. */
  async #rate(host: RuntimeHost, configuration: Configuration, source: SampleSource): Promise<number> {
    const { path } = configuration.model;
    const batchSize = configuration.batch ?? 1;
    const { session } = await host.request('load', { path, options: sessionOptionsOf(configuration) });
    try {
      const { measurement } = await host.request('measureStart', {
        session,
        source,
        inputs: fedInputs(configuration, source),
        batchSize,
      });
      await host.request('measureWarmUp', { measurement, maxMs: OFFLINE_TRIAL_MS });
      const { latencyMs } = await host.request('measureAdvance', { measurement, maxMs: OFFLINE_TRIAL_MS });
      return (batchSize * 1000) / median(latencyMs);
    } finally {
      await host.request('release', { session });
    }
  }

  #runtimeOptions({ threads }: Configuration): RuntimeOptions {
    const { signal, memoryBytes, reading } = this.#options;
    return runtimeOptions(
      {
        ...(signal ? { signal } : {}),
        ...(threads === undefined ? {} : { threads }),
        ...(reading ? { reading } : {}),
      },
      memoryBytes,
    );
  }
}

/** @throws SO5006 for a model that ONNX Runtime for Node cannot run */
export function screen({ model, inputs }: BenchModel): void {
  try {
    screenInterface(inputs, outputSpecs(model));
  } catch (error) {
    if (!(error instanceof ServeOptError) || error.code !== 'SO5006') throw error;
    throw new ServeOptError('SO5006', error.message, {
      ...(error.why === undefined ? {} : { why: error.why }),
      hint: 'such a model cannot be measured here; trtexec and Triton can run it',
    });
  }
}

/**
 * Inputs as a source is to fit them. Rows of a data set are stacked to batches, so that its samples keep the size they have;
 * synthetic ones are made in the size of the batch.
 */
export function fedInputs({ model, sizes, inputs }: Configuration, source: SampleSource): readonly ValueSpec[] {
  if (source.kind === 'seeded') return inputs;
  const names = new Set(batchNames(model.inputs));
  return withSizes(model.inputs, new Map([...sizes].filter(([name]) => !names.has(name))));
}
