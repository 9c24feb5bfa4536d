import type { ArrivalProcess, Scenario } from '../../bench/scenario.js';
import { ServeOptError } from '../../errors.js';
import type { Budget } from '../../gates/parse-budget.js';
import type { BenchReport } from '../../report/bench-types.js';
import type { DataReading } from '../../samples/data-reading.js';
import type { ValueSpec } from '../../samples/types.js';
import { checkInterface } from '../../serving/check-interface.js';
import type { ServerClient, ServerModel } from '../../serving/client.js';
import { DEFAULT_REQUEST_BYTES, MIN_DESCRIBE_MS } from '../../serving/limits.js';
import type { LoadClock } from '../../serving/load-clock.js';
import { realClock } from '../../serving/load-clock.js';
import { type ClientOptions, type OpenedClient, openClient } from '../../serving/open-client.js';
import { DEFAULT_TIMEOUT_MS } from '../../serving/open-transport.js';
import { Pace } from '../../serving/pace.js';
import type { Protocol } from '../../serving/protocols.js';
import type { ServerUrl } from '../../serving/server-url.js';
import { BENCH_DEFAULTS, type WorkflowContext } from '../options.js';
import { ServerConfiguration } from './configuration.js';
import { promptRequests, type Requests, rawRequests, tensorRequests } from './requests.js';

/** Options of `benchServer`. */
export interface BenchServerOptions extends Omit<ClientOptions, 'now' | 'signal' | 'remainingMs'> {
  /** Tensors in any format of data sets; for TorchServe bodies (.jsonl, files, a folder); for completions prompts. */
  readonly dataPath?: string;
  /** How its images and texts are read. */
  readonly reading?: DataReading;
  /** Specifications of the inputs, where the server does not report them and the data are tensors. */
  readonly inputs?: readonly ValueSpec[];
  /** Seed of synthetic inputs and of Poisson arrivals; default 0. */
  readonly seed?: number;
  /** Rows of a request; default 1. */
  readonly batch?: number;
  /** Sizes of open dimensions by name, or by `input:axis`. */
  readonly dims?: ReadonlyMap<string, number>;
  /** Closed loop: connections with a request each, one configuration a number; default 1. */
  readonly concurrency?: readonly number[];
  /** Requests a second in an open loop, instead of `concurrency`. */
  readonly rate?: number;
  /** How the requests of `rate` arrive; default `poisson`. */
  readonly arrivals?: ArrivalProcess;
  /** Most connections of an open loop; default 256. */
  readonly maximumConnections?: number;
  /** Most time for warming up; default 2 s. */
  readonly warmUpMs?: number;
  /** Time of each configuration; default 2 s, longer while budgets are not decided. */
  readonly durationMs?: number;
  /** Requirements; measuring goes on until each is decided. */
  readonly budgets?: readonly Budget[];
  /**
   * Time for each configuration, in ms, from the start of the run: connecting, preparing requests and warming up count.
   * Then no request starts any more, budgets that are not decided are inconclusive, and what is in flight has `timeoutMs`
   * to end. Default 60 s, or half a minute more than `durationMs` where that is longer.
   */
  readonly maxTimeMs?: number;
  /** Most bytes of one request, all its inputs together; default 256 MiB. */
  readonly maximumRequestBytes?: number;
  /** Most requests of each configuration. */
  readonly maximumRequests?: number;
  /** Words of a synthetic prompt; default 64. */
  readonly promptWords?: number;
}

/** Defaults of `benchServer`; the seed is that of `bench`. */
export const BENCH_SERVER_DEFAULTS = {
  batch: 1,
  concurrency: [1],
  arrivals: BENCH_DEFAULTS.arrivals,
  seed: BENCH_DEFAULTS.seed,
  maximumConnections: 256,
  warmUpMs: 2000,
  durationMs: BENCH_DEFAULTS.durationMs,
  maxTimeMs: BENCH_DEFAULTS.maxTimeMs,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  maximumRequestBytes: DEFAULT_REQUEST_BYTES,
  promptWords: 64,
} as const satisfies BenchServerOptions;

/** Signal and progress. */
export interface BenchServerContext extends WorkflowContext {
  /** For tests. @internal */
  readonly clock?: LoadClock;
}

/** A server with what is to be measured of it. */
export interface ServerBench {
  readonly server: NonNullable<BenchReport['server']>;
  readonly source: string;
  readonly scenario: Scenario;
  readonly configurations: readonly ServerConfiguration[];
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Time left until the end of the run, in ms; negative after it. */
  remainingMs(): number;
  /** Ends all that is in flight at once. */
  abort(): void;
}

const MAX_CONNECTIONS = 10_000;
const MAX_RATE = 1_000_000;
/** Time for all else than measuring, where only a long time of measuring is given. */
const SPARE_MS = 30_000;

/**
 * Connects to a server, queries what its model takes and prepares the requests; nothing is timed yet.
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
  context: BenchServerContext = {},
): Promise<ServerBench> {
  const clock = context.clock ?? realClock;
  const loads = scenarios(options);
  const time = new RunTime(clock, options, loads.length);
  const opened = await openClient(urlText, {
    ...options,
    now: clock.now,
    remainingMs: () => time.remainingMs(),
    ...(context.signal ? { signal: context.signal } : {}),
  });
  try {
    const pace = new Pace({ signal: context.signal, remainingMs: () => time.remainingMs() });
    return await describeBench(opened, loads, options, clock, time, pace);
  } catch (error) {
    opened.close();
    throw error;
  }
}

async function describeBench(
  { client, url, notes, close }: OpenedClient,
  loads: readonly ServerLoad[],
  options: BenchServerOptions,
  clock: LoadClock,
  time: RunTime,
  pace: Pace,
): Promise<ServerBench> {
  refuseTokenBudgets(client.protocol, options);
  const model = await client.describe();
  checkInterface(model);
  time.described();
  const requests = await prepareRequests(client, model, options, pace);
  const timeoutMs = options.timeoutMs ?? BENCH_SERVER_DEFAULTS.timeoutMs;
  const configurations = loads.map(
    ({ scenario, connections }) =>
      new ServerConfiguration(client, model, requests, {
        label: labelOf(model.name, scenario, requests.batchSize, loads.length),
        scenario,
        connections,
        timeoutMs,
        seed: options.seed ?? BENCH_SERVER_DEFAULTS.seed,
        clock,
      }),
  );
  const serverNote = model.server === undefined ? [] : [`the server is ${model.server}`];
  return {
    server: { protocol: client.protocol, model: model.name, url: shownUrl(url, client, model) },
    source: requests.source,
    scenario: (loads[0] as ServerLoad).scenario,
    configurations,
    notes: [...serverNote, ...notes, ...model.notes, ...connectionNote(options)],
    warnings: requests.warnings,
    remainingMs: () => time.remainingMs(),
    abort: () => {
      for (const configuration of configurations) configuration.abort();
      close();
    },
  };
}

/** The time that a run has, and within it the time for finding out about the server. */
class RunTime {
  readonly #clock: LoadClock;
  readonly #end: number;
  #describeEnd: number;

  constructor(clock: LoadClock, options: BenchServerOptions, configurations: number) {
    const { durationMs = BENCH_SERVER_DEFAULTS.durationMs, timeoutMs = BENCH_SERVER_DEFAULTS.timeoutMs } = options;
    const maxTimeMs = options.maxTimeMs ?? Math.max(BENCH_SERVER_DEFAULTS.maxTimeMs, durationMs + SPARE_MS);
    this.#clock = clock;
    this.#end = clock.now() + maxTimeMs * configurations;
    this.#describeEnd = clock.now() + Math.max(timeoutMs, MIN_DESCRIBE_MS);
  }

  /** The server is known: from here on only the end of the run counts. */
  described(): void {
    this.#describeEnd = Number.POSITIVE_INFINITY;
  }

  remainingMs(): number {
    return Math.min(this.#end, this.#describeEnd) - this.#clock.now();
  }
}

interface ServerLoad {
  readonly scenario: Scenario;
  readonly connections: number;
}

/** Only completions have tokens. @throws SO1006 */
function refuseTokenBudgets(protocol: Protocol, { budgets = [] }: BenchServerOptions): void {
  if (protocol.startsWith('openai')) return;
  const wrong = budgets.find(({ metric }) => metric === 'first-token' || metric === 'tokens');
  if (!wrong) return;
  throw new ServeOptError('SO1006', `The budget ${wrong.metric} is not available for ${protocol} servers`, {
    why: 'tokens are counted for completions only',
    hint: 'leave it out, or use --protocol openai',
  });
}

function scenarios(options: BenchServerOptions): ServerLoad[] {
  const {
    rate,
    concurrency = BENCH_SERVER_DEFAULTS.concurrency,
    maximumConnections = BENCH_SERVER_DEFAULTS.maximumConnections,
  } = options;
  for (const count of [...concurrency, maximumConnections]) {
    if (!Number.isInteger(count) || count < 1 || count > MAX_CONNECTIONS) {
      throw new ServeOptError('SO1006', `The number of connections ${count} is not allowed`, {
        why: `it must be from 1 to ${MAX_CONNECTIONS}`,
      });
    }
  }
  if (rate !== undefined) {
    if (options.concurrency !== undefined) {
      throw new ServeOptError('SO1002', 'A rate and a concurrency contradict each other', {
        why: 'with a rate, requests start on a schedule, however many are in flight',
      });
    }
    if (!(rate > 0 && rate <= MAX_RATE)) {
      throw new ServeOptError('SO1006', `The rate of ${rate} requests/s is not allowed`);
    }
    const arrivals = options.arrivals ?? BENCH_SERVER_DEFAULTS.arrivals;
    return [{ scenario: { kind: 'server', ratePerSecond: rate, arrivals }, connections: maximumConnections }];
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
  if (options.rate === undefined) return [];
  const most = options.maximumConnections ?? BENCH_SERVER_DEFAULTS.maximumConnections;
  return [
    `requests start on a schedule, on up to ${most} connections; further requests wait, and the waiting time counts`,
  ];
}

/** Without user, password or query: none of them passed `parseServerUrl`. */
function shownUrl(url: ServerUrl, client: ServerClient, model: ServerModel): string {
  const scheme = `${client.protocol === 'v2-grpc' ? 'grpc' : 'http'}${url.secure ? 's' : ''}`;
  const version = model.version === undefined ? '' : ` version ${model.version}`;
  return `${scheme}://${url.address}${url.prefix}${version}`;
}

async function prepareRequests(
  client: ServerClient,
  model: ServerModel,
  options: BenchServerOptions,
  pace: Pace,
): Promise<Requests> {
  const defaults = BENCH_SERVER_DEFAULTS;
  const { maximumRequestBytes = defaults.maximumRequestBytes, promptWords = defaults.promptWords } = options;
  const { dataPath, seed = defaults.seed, batch: batchSize = defaults.batch } = options;
  const dims = [...(options.dims ?? [])].map(([name, size]) => ({ name, size }));
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new ServeOptError('SO1006', `The batch size ${batchSize} is not allowed`);
  const limits = { maximumRequestBytes, pace };
  const requestOptions = {
    seed,
    batchSize,
    dims,
    promptWords,
    ...limits,
    ...(dataPath === undefined ? {} : { dataPath }),
    ...(options.reading ? { reading: options.reading } : {}),
  };
  const { preparePrompt, prepareRaw } = client;
  if (preparePrompt) {
    return {
      ...promptRequests((prompt) => preparePrompt.call(client, prompt), requestOptions),
      batchSize: 1,
      dims: [],
    };
  }
  // An empty list: the server knows nothing of its model.
  const specs = model.inputs && model.inputs.length > 0 ? model.inputs : options.inputs;
  if (specs !== undefined) return tensorRequests(client, specs, requestOptions);
  if (!prepareRaw) {
    throw new ServeOptError('SO5103', `The server does not report the inputs of the model "${model.name}"`, {
      why: 'its metadata lists none',
      hint: 'add inputs to the configuration of the model on the server',
    });
  }
  if (dataPath === undefined) {
    throw new ServeOptError('SO1001', 'The server does not report the inputs of its model: data is needed', {
      hint: '--data bodies.jsonl (one JSON body per line), a file or a folder of bodies',
    });
  }
  return { ...rawRequests((raw) => prepareRaw.call(client, raw), dataPath), batchSize: 1, dims: [] };
}
