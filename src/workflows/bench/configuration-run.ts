import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { median } from '../../bench/quantiles.js';
import type { Scenario } from '../../bench/scenario.js';
import type { Segment } from '../../bench/segment.js';
import { bug, EXIT, ServeOptError } from '../../errors.js';
import type { Measured } from '../../gates/budget-gates.js';
import { throttledPeriods } from '../../machine/cgroup.js';
import type { ColdStart, MemoryReport, NoiseReport } from '../../report/bench-types.js';
import { modelSizeBytes } from '../../report/model-size.js';
import { type RuntimeHost, startRuntime } from '../../runtime/host.js';
import type { ProfileReport, ProviderUse } from '../../runtime/profile.js';
import type { MeasureStartResult, MeasureWarmUpResult } from '../../runtime/protocol.js';
import type { SessionOptions } from '../../runtime/types.js';
import type { DataReading } from '../../samples/data-reading.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { outputSpecs } from '../../samples/value-specs.js';
import type { Configuration } from './plan.js';
import { SegmentBuilder } from './segment-builder.js';
import { rowsOf } from './sizes.js';

/** Between two looks at the signal. */
const CHUNK_MS = 250;
/** A warm-up that has not settled by then never will. */
const WARM_UP_MS = { least: 500, most: 10_000 } as const;

/** So many requests waiting are no burst. */
const LATE_REQUESTS = 20;

/** What all configurations of a run share. */
export interface RunContext {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Most memory that each process may take. */
  readonly memoryBytes: number;
  /** How files of samples are read. */
  readonly reading?: DataReading;
  readonly signal?: AbortSignal;
}

/** How a configuration is fed, and where its memory starts: found once, in a process of its own. */
export interface Preparation {
  readonly source: SampleSource;
  /** The model's inputs as samples are to fit them. */
  readonly inputs: readonly ValueSpec[];
  readonly batch: number;
  readonly bareBytes: number;
  readonly providersUsed?: readonly ProviderUse[];
  readonly profile?: ProfileReport;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

interface Stream {
  readonly host: RuntimeHost;
  readonly measurement: number;
  readonly builder: SegmentBuilder;
}

/** One configuration, measured in rounds: each in fresh processes, one for each stream. */
export class ConfigurationRun implements Measured {
  readonly configuration: Configuration;
  readonly segments: Segment[] = [];
  readonly coldStarts: ColdStart[] = [];
  /** Why it ended early. */
  error: ServeOptError | undefined;
  fed: MeasureStartResult['inputs'] = [];
  readonly #context: RunContext;
  readonly #preparation: Preparation | undefined;
  readonly #warmUps: MeasureWarmUpResult[] = [];
  #peakBytes = 0;
  #inputBytes = 0;
  #behindMs = 0;
  #throttledPeriods: number | undefined;
  #cpuMs = 0;
  #wallMs = 0;
  #involuntarySwitches = 0;
  #rounds = 0;

  /** @param preparation undefined for a configuration that cannot be prepared: it is there to say so */
  constructor(configuration: Configuration, preparation: Preparation | undefined, context: RunContext) {
    this.configuration = configuration;
    this.#preparation = preparation;
    this.#context = context;
  }

  /** One that cannot be measured. */
  static failed(configuration: Configuration, context: RunContext, error: ServeOptError): ConfigurationRun {
    const run = new ConfigurationRun(configuration, undefined, context);
    run.error = error;
    return run;
  }

  get preparation(): Preparation | undefined {
    return this.#preparation;
  }

  get label(): string {
    return this.configuration.label;
  }

  get rows(): number {
    const { batch, model } = this.configuration;
    return this.fed.length > 0 ? rowsOf(model.inputs, this.fed, outputSpecs(model.model)) : (batch ?? 1);
  }

  get coldStartsMs(): readonly number[] {
    return this.coldStarts.map(({ totalMs }) => totalMs);
  }

  get sizeBytes(): number {
    return modelSizeBytes(this.configuration.model.report);
  }

  get memoryBytes(): number | undefined {
    return this.memory?.modelBytes;
  }

  get warmUp(): { readonly runs: number; readonly ms: number; readonly settled: boolean } | undefined {
    if (this.#warmUps.length === 0) return undefined;
    return {
      runs: this.#warmUps.reduce((sum, { runs }) => sum + runs, 0),
      ms: this.#warmUps.reduce((sum, { ms }) => sum + ms, 0),
      settled: this.#warmUps.every(({ settled }) => settled),
    };
  }

  get memory(): MemoryReport | undefined {
    if (this.#peakBytes === 0) return undefined;
    const bareBytes = (this.#preparation?.bareBytes ?? 0) * this.#streams;
    const samplesBytes = this.#inputBytes * this.#streams;
    const modelBytes = Math.max(0, this.#peakBytes - bareBytes - samplesBytes);
    return { peakBytes: this.#peakBytes, bareBytes, samplesBytes, modelBytes };
  }

  get noise(): NoiseReport | undefined {
    if (this.#wallMs === 0) return undefined;
    return {
      cpuPerWall: this.#cpuMs / this.#wallMs,
      involuntarySwitches: this.#involuntarySwitches,
      ...(this.#throttledPeriods === undefined ? {} : { throttledPeriods: this.#throttledPeriods }),
    };
  }

  /** What may spoil the figures, one sentence each. */
  get warnings(): readonly string[] {
    const { scenario } = this.#context;
    if (scenario.kind !== 'server' || this.#behindMs * scenario.ratePerSecond < LATE_REQUESTS * 1000) return [];
    const late = `requests were ${Math.round(this.#behindMs)} ms late at the end`;
    return [`${this.label}: it cannot keep up with ${scenario.ratePerSecond} requests per second: ${late}.`];
  }

  /** Medians of each part, for the time that the next start will take. */
  get startMs(): number {
    return this.coldStarts.length === 0 ? 0 : median(this.coldStarts.map(({ totalMs }) => totalMs));
  }

  /** Threads as ONNX Runtime gets them. */
  get threads(): number {
    return this.configuration.threads ?? availableParallelism();
  }

  get #streams(): number {
    const { scenario } = this.#context;
    return scenario.kind === 'multi-stream' ? scenario.streams : 1;
  }

  /**
   * Starts fresh processes, times their start, warms up and measures for a while. What was measured before an error or a
   * signal is kept.
   * @param onTime told after each part for how long there were measurements
   * @throws SO8130 when aborted; other errors end this configuration alone, see `error`
   */
  async round(measureMs: number, onTime?: (passedMs: number) => void): Promise<void> {
    const round = this.#rounds++;
    const streams: Stream[] = [];
    const hosts: RuntimeHost[] = [];
    const { signal, unfollow } = followed(this.#context.signal);
    try {
      for (let stream = 0; stream < this.#streams; stream++)
        streams.push(await this.#start(round, stream, hosts, signal));
      const warmUpMs = Math.min(WARM_UP_MS.most, Math.max(WARM_UP_MS.least, measureMs));
      this.#warmUps.push(
        ...(await Promise.all(
          streams.map(({ host, measurement }) => host.request('measureWarmUp', { measurement, maxMs: warmUpMs })),
        )),
      );
      const throttledBefore = throttledPeriods();
      await this.#measure(streams, measureMs, onTime);
      const throttled = throttledPeriods();
      if (throttledBefore !== undefined && throttled !== undefined)
        this.#throttledPeriods = (this.#throttledPeriods ?? 0) + throttled - throttledBefore;
      const peaks = await Promise.all(streams.map(({ host }) => host.request('processMemory', undefined)));
      this.#peakBytes = Math.max(
        this.#peakBytes,
        peaks.reduce((sum, { peakBytes }) => sum + peakBytes, 0),
      );
    } catch (error) {
      if (!(error instanceof ServeOptError) || this.#context.signal?.aborted || error.exitCode === EXIT.bug)
        throw error;
      this.error = this.#explained(error);
    } finally {
      unfollow();
      for (const { builder } of streams) {
        const segment = builder.finish();
        if (segment) this.segments.push(segment);
      }
      await Promise.all(hosts.map((host) => host.close()));
    }
  }

  /** Synthetic values are legal for the types of a model, and still it may stumble over some: a division by zero, say. */
  #explained(error: ServeOptError): ServeOptError {
    if (error.code !== 'SO5002' || !error.hasDefaultHint || this.#preparation?.source.kind !== 'seeded') return error;
    return new ServeOptError(error.code, error.message, {
      ...(error.why === undefined ? {} : { why: error.why }),
      hint: 'its inputs were synthetic: give real samples with --data, or try another --seed',
    });
  }

  async #start(round: number, stream: number, hosts: RuntimeHost[], signal: AbortSignal): Promise<Stream> {
    const { configuration } = this;
    const { scenario, seed, memoryBytes, reading } = this.#context;
    const preparation = this.#preparation;
    if (!preparation) throw bug('a configuration that cannot be prepared is measured');
    const { threads } = configuration;
    const begun = performance.now();
    const host = await startRuntime({
      signal,
      memoryBytes,
      ...(threads === undefined ? {} : { threads }),
      ...(reading ? { reading } : {}),
    });
    const processMs = performance.now() - begun;
    hosts.push(host);
    const { libraryMs } = await host.request('versions', undefined);
    const { session, createMs } = await host.request('load', {
      path: configuration.model.path,
      options: sessionOptionsOf(configuration),
    });
    const {
      measurement,
      firstRunMs,
      inputs,
      inputBytes = 0,
    } = await host.request('measureStart', {
      session,
      source: preparation.source,
      inputs: preparation.inputs,
      batchSize: preparation.batch,
      ...(scenario.kind === 'server'
        ? {
            openLoop: { ratePerSecond: scenario.ratePerSecond, arrivals: scenario.arrivals, seed: seed + round + 1 },
          }
        : {}),
    });
    this.fed = inputs;
    this.#inputBytes = inputBytes;
    if (stream === 0) {
      const totalMs = processMs + libraryMs + createMs + firstRunMs;
      this.coldStarts.push({ processMs, libraryMs, sessionMs: createMs, firstRunMs, totalMs });
    }
    return { host, measurement, builder: new SegmentBuilder(round, stream) };
  }

  async #measure(
    streams: readonly Stream[],
    measureMs: number,
    onTime: ((passedMs: number) => void) | undefined,
  ): Promise<void> {
    for (let left = measureMs; left > 0; ) {
      const begun = performance.now();
      const maxMs = Math.min(CHUNK_MS, left);
      const parts = await Promise.all(
        streams.map(async ({ host, measurement, builder }) => {
          const part = await host.request('measureAdvance', { measurement, maxMs });
          builder.add(part);
          return part;
        }),
      );
      for (const { cpuMs, wallMs, involuntarySwitches, behindMs = 0 } of parts) {
        this.#cpuMs += cpuMs;
        this.#wallMs += wallMs;
        this.#involuntarySwitches += involuntarySwitches;
        this.#behindMs = Math.max(this.#behindMs, behindMs);
      }
      left -= Math.max(performance.now() - begun, 1);
      onTime?.(measureMs - left);
    }
  }
}

/** A signal that follows another one, for any number of processes: Node warns of more than ten listeners. */
function followed(signal: AbortSignal | undefined): { readonly signal: AbortSignal; unfollow(): void } {
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const abort = (): void => own.abort(signal?.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  return { signal: own.signal, unfollow: () => signal?.removeEventListener('abort', abort) };
}

/** What a session of a configuration is made with. */
export function sessionOptionsOf({ threads, provider }: Configuration): SessionOptions {
  return {
    executionProviders: provider.executionProviders,
    ...(threads === undefined ? {} : { threads }),
  };
}
