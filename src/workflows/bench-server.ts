import type { Budget } from '../bench/budgets.js';
import type { ArrivalProcess, Scenario } from '../bench/scenario.js';
import { ServeOptError } from '../errors.js';
import type { BenchReport } from '../report/bench-types.js';
import { REPORT_SCHEMA_VERSION } from '../report/types.js';
import { readEnvironment } from '../runtime/environment.js';
import type { ValueSpec } from '../runtime/types.js';
import type { ServerClient, ServerModel } from '../serving/client.js';
import type { LoadClock } from '../serving/load-clock.js';
import { realClock } from '../serving/load-clock.js';
import { type ClientOptions, openClient } from '../serving/open-client.js';
import type { ServerUrl } from '../serving/server-url.js';
import { packageVersion } from '../version.js';
import { BudgetGates } from './bench/budget-gates.js';
import { overall } from './bench/verdict.js';
import { ServerConfiguration } from './bench-server/configuration.js';
import type { ChosenDim } from './bench-server/inputs.js';
import { promptRequests, type Requests, rawRequests, tensorRequests } from './bench-server/requests.js';
import { BENCH_DEFAULTS, type WorkflowContext } from './options.js';
import { Stages } from './stages.js';

export interface BenchServerOptions extends Omit<ClientOptions, 'now' | 'signal'> {
  /** Tensors in any format of data sets; for TorchServe bodies (.jsonl, files, a folder); for completions prompts. */
  readonly dataPath?: string;
  /** What to feed, where the server does not tell and the data are tensors. */
  readonly inputs?: readonly ValueSpec[];
  /** Seed of made-up inputs and of Poisson arrivals; default 1. */
  readonly seed?: number;
  /** Rows of a request; default 1. */
  readonly batchSize?: number;
  readonly dims?: readonly ChosenDim[];
  /** Closed loop: connections with a request each, one configuration a number; default 1. */
  readonly concurrency?: readonly number[];
  /** Open loop instead. */
  readonly openLoop?: { readonly ratePerSecond: number; readonly arrivals: ArrivalProcess };
  /** Most connections of an open loop; default 256. */
  readonly maximumConnections?: number;
  /** Most time for warming up; default 2 s. */
  readonly warmUpMs?: number;
  /** Time of each configuration; default 5 s. */
  readonly durationMs?: number;
  /** Most requests of each configuration. */
  readonly maximumRequests?: number;
  /** Requirements; measuring goes on until each is decided. */
  readonly budgets?: readonly Budget[];
  /** Time after which budgets that are not decided are inconclusive, in ms for each configuration. */
  readonly maxTimeMs?: number;
  /** Words of a made-up prompt; default 64. */
  readonly promptWords?: number;
  /** Keep the single requests in the report; default true. */
  readonly keepSegments?: boolean;
}

/** Signal and progress; the clock is for tests. */
export interface BenchServerHooks extends WorkflowContext {
  readonly clock?: LoadClock;
}

/** A server with what is to be measured of it. */
export interface ServerBench {
  readonly server: NonNullable<BenchReport['server']>;
  readonly source: string;
  readonly scenario: Scenario;
  readonly configurations: readonly ServerConfiguration[];
  /** What is good to know, one sentence each. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Ends all that is under way at once. */
  abort(): void;
}

const DEFAULT_CONNECTIONS = 256;
const MOST_CONNECTIONS = 10_000;
const HIGHEST_RATE = 1_000_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_DURATION_MS = 5000;
const DEFAULT_SEED = 1;
/** Stretches of each configuration: they take turns, so that a slow minute of the machine falls on all. */
const ROUNDS = 5;

/**
 * Connects to a server, asks what its model takes and prepares the requests; nothing is timed yet.
 * @throws SO1001, SO1002, SO1006 for options that do not fit; SO4001 to SO4004 for data; SO5101 to SO5104 for the server
 * @example
 * const bench = await openServerBench('http://127.0.0.1:8000/v2/models/digits', { concurrency: [1, 8] });
 * for (const configuration of bench.configurations) {
 *   await configuration.warmUp(2000);
 *   await configuration.advance(5000);
 *   await configuration.finish();
 * }
 */
export async function openServerBench(
  urlText: string,
  options: BenchServerOptions = {},
  hooks: BenchServerHooks = {},
): Promise<ServerBench> {
  const clock = hooks.clock ?? realClock;
  const loads = scenarios(options);
  const { client, url, notes } = await openClient(urlText, {
    ...options,
    now: clock.now,
    ...(hooks.signal ? { signal: hooks.signal } : {}),
  });
  const model = await client.describe();
  const requests = await prepareRequests(client, model, options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const configurations = loads.map(
    ({ scenario, connections }) =>
      new ServerConfiguration(client, model, requests, {
        label: labelOf(model.name, scenario, requests.batchSize, loads.length),
        scenario,
        connections,
        timeoutMs,
        seed: options.seed ?? DEFAULT_SEED,
        clock,
        keepSegments: options.keepSegments ?? true,
      }),
  );
  const said = model.server === undefined ? [] : [`the server is ${model.server}`];
  return {
    server: { protocol: client.protocol, model: model.name, url: shownUrl(url, client, model) },
    source: requests.source,
    scenario: (loads[0] as { scenario: Scenario }).scenario,
    configurations,
    notes: [...said, ...notes, ...model.notes, ...connectionNote(options)],
    warnings: requests.warnings,
    abort: () => {
      for (const configuration of configurations) configuration.abort();
    },
  };
}

function scenarios(options: BenchServerOptions): { readonly scenario: Scenario; readonly connections: number }[] {
  const { openLoop, concurrency = [1], maximumConnections = DEFAULT_CONNECTIONS } = options;
  for (const count of [...concurrency, maximumConnections]) {
    if (!Number.isInteger(count) || count < 1 || count > MOST_CONNECTIONS) {
      throw new ServeOptError('SO1006', `There cannot be ${count} connections`, {
        why: `from 1 to ${MOST_CONNECTIONS}`,
      });
    }
  }
  if (openLoop) {
    const { ratePerSecond, arrivals } = openLoop;
    if (options.concurrency !== undefined) {
      throw new ServeOptError('SO1002', 'A rate and a concurrency contradict each other', {
        why: 'at a rate requests start at their own times, however many are under way',
      });
    }
    if (!(ratePerSecond > 0 && ratePerSecond <= HIGHEST_RATE)) {
      throw new ServeOptError('SO1006', `There is no rate of ${ratePerSecond} requests/s`);
    }
    return [{ scenario: { kind: 'server', ratePerSecond, arrivals }, connections: maximumConnections }];
  }
  return [...new Set(concurrency)].map((streams) => ({
    scenario: streams === 1 ? { kind: 'single-stream' } : { kind: 'multi-stream', streams },
    connections: streams,
  }));
}

function labelOf(model: string, scenario: Scenario, batchSize: number, loads: number): string {
  const batch = batchSize === 1 ? '' : ` batch=${batchSize}`;
  const streams = scenario.kind === 'multi-stream' ? scenario.streams : 1;
  const load =
    scenario.kind === 'server'
      ? ` ${scenario.ratePerSecond}/s`
      : loads === 1 && streams === 1
        ? ''
        : ` concurrency=${streams}`;
  return `${model}${load}${batch}`;
}

function connectionNote(options: BenchServerOptions): string[] {
  if (!options.openLoop) return [];
  const most = options.maximumConnections ?? DEFAULT_CONNECTIONS;
  return [`requests start at their own times, on up to ${most} connections; further ones wait, on the clock`];
}

/** Without user, password or query: none of them passed `parseServerUrl`. */
function shownUrl(url: ServerUrl, client: ServerClient, model: ServerModel): string {
  const scheme = `${client.protocol === 'v2-grpc' ? 'grpc' : 'http'}${url.secure ? 's' : ''}`;
  const version = model.version === undefined ? '' : ` version ${model.version}`;
  return `${scheme}://${url.place}${url.prefix}${version}`;
}

async function prepareRequests(
  client: ServerClient,
  model: ServerModel,
  options: BenchServerOptions,
): Promise<Requests> {
  const { dataPath, seed = DEFAULT_SEED, batchSize = 1, dims = [], promptWords = 64 } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new ServeOptError('SO1006', `There is no batch of ${batchSize}`);
  const requestOptions = { seed, batchSize, dims, promptWords, ...(dataPath === undefined ? {} : { dataPath }) };
  const { preparePrompt, prepareRaw } = client;
  if (preparePrompt) {
    return {
      ...promptRequests((prompt) => preparePrompt.call(client, prompt), requestOptions),
      batchSize: 1,
      dims: [],
    };
  }
  const specs = model.inputs ?? options.inputs;
  if (specs !== undefined) return tensorRequests(client, specs, requestOptions);
  if (dataPath === undefined || !prepareRaw) {
    throw new ServeOptError('SO1001', 'The server does not tell what its model takes: it needs data', {
      hint: '--data bodies.jsonl (a JSON body a line), a file or a folder of bodies',
    });
  }
  return { ...rawRequests((raw) => prepareRaw.call(client, raw), dataPath), batchSize: 1, dims: [] };
}

/**
 * Measures a server: every configuration is warmed up, then they take turns until their time is over and each budget is
 * decided. A configuration that cannot be measured keeps its error in its report; what was measured when the signal came is
 * reported as interrupted. @throws as `openServerBench`, and what kept the only configuration from being measured
 */
export async function benchServer(
  urlText: string,
  options: BenchServerOptions = {},
  hooks: BenchServerHooks = {},
): Promise<BenchReport> {
  const stages = new Stages(hooks);
  stages.start('connect');
  const environment = await readEnvironment();
  const bench = await openServerBench(urlText, options, hooks);
  stages.end(bench.server.protocol);
  const { configurations } = bench;
  const gates = new BudgetGates(options.budgets ?? [], bench.scenario, 1);
  const stop = (): void => bench.abort();
  hooks.signal?.addEventListener('abort', stop, { once: true });
  try {
    const live = await warmUpAll(configurations, options.warmUpMs ?? 2000, hooks);
    await measureAll(live, gates, options, hooks);
  } finally {
    hooks.signal?.removeEventListener('abort', stop);
    bench.abort();
  }
  const interrupted = hooks.signal?.aborted === true;
  const [first] = configurations;
  if (!interrupted && configurations.every(({ error }) => error !== undefined) && first?.error) throw first.error;
  const reports = configurations.map((configuration) => configuration.report());
  const budgets = gates.reports();
  const verdict = overall(budgets.map((each) => each.verdict));
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'bench',
    version: packageVersion(),
    subject: 'server',
    environment,
    scenario: bench.scenario,
    seed: options.seed ?? DEFAULT_SEED,
    source: bench.source,
    server: bench.server,
    configurations: reports,
    budgets,
    regressions: [],
    ...(verdict === undefined ? {} : { verdict }),
    ...(interrupted ? { interrupted } : {}),
    warnings: [...bench.warnings, ...configurations.flatMap((configuration) => configuration.warnings())],
    notes: bench.notes,
  };
}

/** The configurations that can be measured. */
async function warmUpAll(
  configurations: readonly ServerConfiguration[],
  maxMs: number,
  hooks: BenchServerHooks,
): Promise<readonly ServerConfiguration[]> {
  const live: ServerConfiguration[] = [];
  for (const configuration of configurations) {
    if (hooks.signal?.aborted) break;
    hooks.onProgress?.({ kind: 'start', stage: 'warm up' });
    try {
      await configuration.warmUp(maxMs);
      live.push(configuration);
    } catch (error) {
      if (!(error instanceof ServeOptError) || error.exitCode === 70) throw error;
    }
    hooks.onProgress?.({ kind: 'end', stage: 'warm up', detail: configuration.label });
  }
  return live;
}

async function measureAll(
  configurations: readonly ServerConfiguration[],
  gates: BudgetGates,
  options: BenchServerOptions,
  hooks: BenchServerHooks,
): Promise<void> {
  const durationMs = options.durationMs ?? DEFAULT_DURATION_MS;
  const maxTimeMs = (options.maxTimeMs ?? BENCH_DEFAULTS.maxTimeMs) * Math.max(1, configurations.length);
  const clock = hooks.clock ?? realClock;
  const begun = clock.now();
  const left = new Map(configurations.map((c) => [c, options.maximumRequests ?? Number.POSITIVE_INFINITY]));
  // One that is alone needs no turns: an open loop goes on without a pause.
  const rounds = configurations.length > 1 || gates.size > 0 ? ROUNDS : 1;
  const hasRequests = (configuration: ServerConfiguration): boolean => (left.get(configuration) ?? 0) > 0;
  hooks.onProgress?.({ kind: 'start', stage: 'measure', total: rounds });
  for (let round = 0; !hooks.signal?.aborted; round++) {
    const active = configurations.filter((c) => hasRequests(c) && (round < rounds || gates.isOpen(c.label)));
    if (active.length === 0 || (round >= rounds && clock.now() - begun >= maxTimeMs)) break;
    for (const configuration of active) {
      if (hooks.signal?.aborted) break;
      const most = left.get(configuration) ?? 0;
      const segments = await configuration.advance(
        durationMs / rounds,
        Number.isFinite(most) ? Math.ceil(most / Math.max(1, rounds - round)) : most,
      );
      const sent = segments.reduce((sum, segment) => sum + segment.latencyMs.length + segment.failures, 0);
      left.set(configuration, most - sent);
      gates.judge(configuration.measured(), false);
    }
    hooks.onProgress?.({ kind: 'advance', stage: 'measure', done: Math.min(round + 1, rounds), total: rounds });
  }
  if (!hooks.signal?.aborted) for (const configuration of configurations) await configuration.finish();
  for (const configuration of configurations) gates.judge(configuration.measured(), true);
  hooks.onProgress?.({ kind: 'end', stage: 'measure' });
}
