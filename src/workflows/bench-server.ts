import { EXIT, ServeOptError } from '../errors.js';
import { BudgetGates } from '../gates/budget-gates.js';
import { checkBudgets } from '../gates/parse-budget.js';
import { overall } from '../gates/verdict.js';
import type { BenchReport } from '../report/bench-types.js';
import { Secrets } from '../report/secrets.js';
import { REPORT_SCHEMA_VERSION } from '../report/types.js';
import { readEnvironment } from '../runtime/environment.js';
import { packageVersion } from '../version.js';
import { suggested, withPareto } from './bench/describe.js';
import { roundMs } from './bench/time-share.js';
import type { ServerConfiguration } from './bench-server/configuration.js';
import {
  BENCH_SERVER_DEFAULTS,
  type BenchServerContext,
  type BenchServerOptions,
  openServerBench,
  type ServerBench,
} from './bench-server/open-server-bench.js';
import { Stages } from './stages.js';

/** Windows of each configuration: they take turns, so that a slow minute of the machine falls on all. */
const ROUNDS = 5;
const CUT_SHORT = 'measuring stopped early: --max-time was reached';

/**
 * Measures a running server and judges budgets. Every configuration is warmed up, then they take turns. One that cannot be
 * measured keeps its error in its report; after a signal what was measured by then is given back, marked as interrupted.
 * @throws as `openServerBench`, SO8130 for a signal before anything was measured, and what kept the only configuration
 *   from being measured
 * @example
 * const report = await benchServer('http://127.0.0.1:8000/v2/models/digits', { concurrency: [1, 2, 4, 8] });
 */
export async function benchServer(
  urlText: string,
  options: BenchServerOptions = {},
  context: BenchServerContext = {},
): Promise<BenchReport> {
  // A server may repeat what it was sent: nothing of that leaves, neither in a report nor in an error or an event.
  const secrets = new Secrets({ urls: [urlText], ...(options.headers ? { headers: options.headers } : {}) });
  const { onProgress } = context;
  try {
    const report = await measureServer(urlText, options, {
      ...context,
      ...(onProgress ? { onProgress: (event) => onProgress(secrets.redactReport(event)) } : {}),
    });
    return secrets.redactReport(report);
  } catch (thrown) {
    throw secrets.redactError(thrown);
  }
}

async function measureServer(
  urlText: string,
  options: BenchServerOptions,
  context: BenchServerContext,
): Promise<BenchReport> {
  checkBudgets(options.budgets, 'bench --url');
  const stages = new Stages(context);
  stages.start('connect');
  const environment = await readEnvironment();
  const bench = await openServerBench(urlText, options, context);
  stages.end(`${bench.server.model}, ${bench.server.protocol}`);
  const gates = new BudgetGates(options.budgets ?? [], bench.scenario, 1);
  const stop = (): void => bench.abort();
  context.signal?.addEventListener('abort', stop, { once: true });
  try {
    const live = await warmUpAll(bench, options.warmUpMs ?? BENCH_SERVER_DEFAULTS.warmUpMs, context, stages);
    const cutShort = await measureAll(bench, live, gates, options, context, stages);
    const interrupted = context.signal?.aborted ?? false;
    const [first] = bench.configurations;
    if (!interrupted && first?.error && bench.configurations.every(({ error }) => error)) throw first.error;
    return { ...serverReport(bench, gates, options, interrupted, cutShort), environment };
  } finally {
    context.signal?.removeEventListener('abort', stop);
    bench.abort();
  }
}

function serverReport(
  bench: ServerBench,
  gates: BudgetGates,
  options: BenchServerOptions,
  interrupted: boolean,
  cutShort: boolean,
): Omit<BenchReport, 'environment'> {
  const configurations = withPareto(bench.configurations.map((each, _, { length }) => each.report(length)));
  const budgets = gates.reports();
  const verdict = overall(budgets.map((each) => each.verdict));
  const suggestion = suggested(configurations, bench.scenario);
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'bench',
    version: packageVersion(),
    subject: 'server',
    scenario: bench.scenario,
    seed: options.seed ?? BENCH_SERVER_DEFAULTS.seed,
    source: bench.source,
    server: bench.server,
    configurations,
    ...(suggestion ? { suggestion } : {}),
    budgets,
    regressions: [],
    ...(verdict === undefined ? {} : { verdict }),
    ...(interrupted ? { interrupted } : {}),
    warnings: [
      ...bench.warnings,
      ...(cutShort ? [CUT_SHORT] : []),
      ...bench.configurations.flatMap((configuration) => configuration.warnings()),
    ],
    notes: bench.notes,
  };
}

/** The configurations that can be measured. */
async function warmUpAll(
  bench: ServerBench,
  maxMs: number,
  context: BenchServerContext,
  stages: Stages,
): Promise<readonly ServerConfiguration[]> {
  const live: ServerConfiguration[] = [];
  const { configurations } = bench;
  for (const [index, configuration] of configurations.entries()) {
    const leftMs = bench.remainingMs();
    if (context.signal?.aborted || leftMs <= 0) break;
    stages.start('warm up');
    try {
      // Most of the time is for measuring.
      await configuration.warmUp(Math.min(maxMs, leftMs / (2 * (configurations.length - index) + 2)));
      live.push(configuration);
    } catch (error) {
      if (!(error instanceof ServeOptError) || error.exitCode === EXIT.bug) throw error;
    }
    stages.end(configuration.label);
  }
  return live;
}

/** Whether the end of the time came before all was measured. */
async function measureAll(
  bench: ServerBench,
  configurations: readonly ServerConfiguration[],
  gates: BudgetGates,
  options: BenchServerOptions,
  context: BenchServerContext,
  stages: Stages,
): Promise<boolean> {
  if (context.signal?.aborted || configurations.length === 0) return false;
  const { maximumRequests = Number.POSITIVE_INFINITY } = options;
  const wantedMs = options.durationMs ?? BENCH_SERVER_DEFAULTS.durationMs;
  const totalMs = bench.remainingMs();
  // Where the time is short, all get the same share of it.
  const durationMs = Math.min(wantedMs, Math.max(0, totalMs / configurations.length));
  let cutShort = durationMs < wantedMs;
  stages.start('measure');
  for (let round = 0; ; round++) {
    const active = configurations.filter(
      (each) => each.requests < maximumRequests && (round < ROUNDS || gates.isOpen(each.label)),
    );
    if (active.length === 0 || context.signal?.aborted) break;
    const ms = roundMs(round, durationMs, ROUNDS);
    for (const [index, configuration] of active.entries()) {
      const leftMs = bench.remainingMs();
      if (context.signal?.aborted || leftMs <= 0) break;
      await configuration.advance(Math.min(ms, leftMs), maximumRequests - configuration.requests);
      gates.judge(configuration, false);
      const share =
        gates.size === 0 ? (round + (index + 1) / active.length) / ROUNDS : 1 - bench.remainingMs() / totalMs;
      stages.fraction(Math.max(0, Math.min(1, share)));
    }
    if (bench.remainingMs() > 0) continue;
    cutShort ||= round < ROUNDS - 1;
    break;
  }
  for (const configuration of configurations) {
    await configuration.finish();
    gates.judge(configuration, true);
  }
  stages.end(configurations.length === 1 ? undefined : `${configurations.length} configurations`);
  return cutShort && !context.signal?.aborted && configurations.some((each) => each.requests < maximumRequests);
}
