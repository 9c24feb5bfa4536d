import { latest } from '../../bench/latest.js';
import { paretoFront, type SweepPoint, suggest } from '../../bench/pareto.js';
import type { RegressionReport } from '../../bench/results.js';
import type { Scenario } from '../../bench/scenario.js';
import type { Segment } from '../../bench/segment.js';
import { summarizeLatency, thinAll } from '../../bench/summarize.js';
import { summarizeThroughput } from '../../bench/throughput.js';
import type { BudgetGates } from '../../gates/budget-gates.js';
import { overall } from '../../gates/verdict.js';
import { formatType } from '../../ir/type.js';
import type { BenchReport, ConfigurationReport } from '../../report/bench-types.js';
import { isServer } from '../../report/bench-words.js';
import { formatInteger } from '../../report/format.js';
import { REPORT_SCHEMA_VERSION } from '../../report/types.js';
import type { EnvironmentReport } from '../../runtime/environment.js';
import { packageVersion } from '../../version.js';
import { BENCH_DEFAULTS, type BenchOptions } from '../options.js';
import { coldStartReport } from './cold-start.js';
import type { ConfigurationRun } from './configuration-run.js';
import { chosenSizes } from './sizes.js';

/** Requests summed up when a signal leaves less than a second for it. */
const MOST_AFTER_SIGNAL = 500_000;

/** Everything that a run found. */
export interface Findings {
  readonly runs: readonly ConfigurationRun[];
  readonly gates: BudgetGates;
  readonly regressions: readonly RegressionReport[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
  readonly options: BenchOptions;
  readonly scenario: Scenario;
  readonly environment: EnvironmentReport;
  readonly onnxRuntimeVersion: string | undefined;
  readonly interrupted: boolean;
}

/** The report of a run over models. */
export function benchReport(found: Findings): BenchReport {
  const { options, scenario, environment, regressions, gates, interrupted } = found;
  const count = found.runs.length;
  const most = interrupted ? Math.ceil(MOST_AFTER_SIGNAL / Math.max(1, count)) : Number.POSITIVE_INFINITY;
  const configurations = withPareto(found.runs.map((run) => describeRun(run, scenario, count, most)));
  const isCut = found.runs.some(({ segments }) => requestsOf(segments) > most);
  const budgets = gates.reports();
  const verdict = overall([...budgets, ...regressions].map((each) => each.verdict));
  const suggestion = suggested(configurations, scenario);
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'bench',
    version: packageVersion(),
    ...(found.onnxRuntimeVersion === undefined ? {} : { onnxRuntimeVersion: found.onnxRuntimeVersion }),
    subject: 'models',
    environment,
    scenario,
    seed: options.seed ?? BENCH_DEFAULTS.seed,
    source: sourceName(options.dataPath),
    configurations,
    ...(suggestion ? { suggestion } : {}),
    budgets,
    regressions,
    ...(verdict === undefined ? {} : { verdict }),
    ...(interrupted ? { interrupted } : {}),
    warnings: [...found.warnings, ...found.runs.flatMap(({ warnings }) => warnings)],
    notes: [
      ...new Set(found.notes),
      ...(isCut ? [`After the signal only the last ${formatInteger(most)} requests are summarised.`] : []),
    ],
  };
}

function requestsOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { latencyMs }) => sum + latencyMs.length, 0);
}

/** A data set by its name, without its folder. */
function sourceName(dataPath: string | undefined): string {
  return dataPath === undefined
    ? 'synthetic'
    : (dataPath
        .split(/[\\/]/)
        .filter((part) => part !== '')
        .at(-1) ?? dataPath);
}

function describeRun(
  run: ConfigurationRun,
  scenario: Scenario,
  configurations: number,
  most: number,
): ConfigurationReport {
  const segments = latest(run.segments, most);
  const { configuration, preparation, coldStarts, error, fed, warmUp, memory, noise } = run;
  const inputs = configuration.model.inputs;
  const batchSize = run.rows;
  const measured = segments.length > 0;
  const { profile, providersUsed } = preparation ?? {};
  return {
    label: configuration.label,
    model: configuration.model.report,
    executionProviders: configuration.provider.names,
    ...(providersUsed ? { providersUsed } : {}),
    threads: run.threads,
    batchSize,
    dims: chosenSizes(inputs, fed),
    inputs: fed.map(({ name, dataType, dims }) => ({
      name,
      type: formatType({ kind: 'tensor', dataType, shape: [...dims] }),
    })),
    ...(error ? { error: { code: error.code, message: error.message } } : {}),
    ...(warmUp ? { warmUp } : {}),
    ...(measured
      ? {
          latency: summarizeLatency(segments),
          throughput: summarizeThroughput(segments, batchSize, scenario),
          segments: thinAll(segments, configurations),
        }
      : {}),
    ...(coldStarts.length > 0 ? { coldStart: coldStartReport(coldStarts) } : {}),
    ...(memory ? { memory } : {}),
    ...(noise ? { noise } : {}),
    ...(profile ? { profile } : {}),
  };
}

/** A point of a sweep; undefined where something is missing. What has no interval may be anything. */
function pointOf({ latency, throughput, memory, threads }: ConfigurationReport): SweepPoint | undefined {
  const p50 = latency?.quantiles.find(({ probability }) => probability === 0.5);
  if (p50?.ms === undefined || throughput === undefined) return undefined;
  return {
    latencyMs: p50.ms,
    latencyRange: [p50.lowMs ?? 0, p50.highMs ?? Number.POSITIVE_INFINITY],
    throughput: throughput.value,
    throughputRange: [throughput.low ?? 0, throughput.high ?? Number.POSITIVE_INFINITY],
    ...(memory ? { memoryBytes: memory.modelBytes } : {}),
    ...(threads === undefined ? {} : { threads }),
  };
}

/** Marks what nothing else beats in everything at once. */
export function withPareto(configurations: readonly ConfigurationReport[]): readonly ConfigurationReport[] {
  if (configurations.length < 2) return configurations;
  const points = configurations.map(pointOf);
  const front = paretoFront(points.flatMap((point) => (point ? [point] : [])));
  let next = 0;
  return configurations.map((each, index) => (points[index] ? { ...each, pareto: front[next++] ?? false } : each));
}

/**
 * Only a sweep of settings of one model has a setting to suggest. Latency decides where requests come one at a time; with more
 * connections to a server it can only grow, so there throughput does.
 */
export function suggested(
  configurations: readonly ConfigurationReport[],
  scenario: Scenario,
): { readonly configuration: string; readonly why: string } | undefined {
  const models = new Set(configurations.map(({ model }) => model?.sha256));
  const measured = configurations.flatMap((each) => {
    const point = pointOf(each);
    return point ? [{ label: each.label, point }] : [];
  });
  if (models.size !== 1 || measured.length < 2) return undefined;
  const batches = new Set(configurations.map(({ batchSize }) => batchSize));
  const objective =
    scenario.kind === 'single-stream' && batches.size === 1 && !configurations.some(isServer)
      ? 'latency'
      : 'throughput';
  const best = suggest(
    measured.map(({ point }) => point),
    objective,
  );
  const chosen = best && measured[best.index];
  return chosen && best ? { configuration: chosen.label, why: best.why } : undefined;
}
