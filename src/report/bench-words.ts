/** Words about measurements that the terminal, pages and the outputs for CI share. */

import type { LatencyReport, QuantileReport, RegressionReport } from '../bench/results.js';
import { formatLatencyParts, formatLatencyRange } from './bench-format.js';
import type { BenchReport, ColdStart, ConfigurationReport, MemoryReport } from './bench-types.js';
import { budgetsClause } from './budget-words.js';
import { formatBytes, formatInteger, formatNumber, formatPercent, formatRate, plural } from './format.js';

/** How requests came, and what that means for the percentiles. */
export function scenarioSentence({ scenario, subject, configurations }: BenchReport): string {
  const closed = scenario.kind === 'single-stream' || scenario.kind === 'multi-stream';
  if (subject === 'server' && closed && configurations.length > 1)
    return 'one request at a time on each connection; closed loop, so percentiles exclude client-side queueing';
  switch (scenario.kind) {
    case 'single-stream':
      return 'one request at a time; closed loop, so percentiles exclude queueing';
    case 'multi-stream':
      return `${plural(scenario.streams, 'stream')} at once, one request at a time each; closed loop, so percentiles exclude queueing`;
    case 'offline':
      return 'batches back to back; closed loop, so only throughput counts';
    case 'server': {
      const arrivals = scenario.arrivals === 'poisson' ? 'at random (Poisson)' : 'at equal gaps';
      return `${formatRate(scenario.ratePerSecond)} ${arrivals}; open loop, latency from the time a request was due`;
    }
  }
}

/** `latency +10.1 % (95 %: +9.4 to +10.9 %); 10.1 % slower; noise 0.8 %, counts from 3 %`. */
export function regressionStory(regression: RegressionReport): string {
  const { ratio } = regression;
  const range = ratioRange(regression);
  const change =
    ratio === undefined ? [] : [`latency ${ratioChange(ratio.value)}${range === '' ? '' : ` (95 %: ${range})`}`];
  return [...change, regressionReason(regression)].join('; ');
}

/** Why, and from where on a difference would count; what cannot be compared has none. */
export function regressionReason(regression: RegressionReport): string {
  const { why, verdict } = regression;
  return verdict === 'not-comparable' ? why : `${why}; ${regressionTerms(regression)}`;
}

/** `+10.1 %` for a ratio of 1.101, `−4.2 %` for 0.958. */
export function ratioChange(ratio: number): string {
  const percent = (ratio - 1) * 100;
  if (!Number.isFinite(percent)) return '–';
  if (Math.abs(percent) < 0.05) return '±0 %';
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(Math.abs(percent) < 99.95 ? 1 : 0)} %`;
}

/** `+9.4 to +10.9 %`. */
export function ratioRange({ ratio }: RegressionReport): string {
  if (ratio?.low === undefined || ratio.high === undefined) return '';
  return `${ratioChange(ratio.low).replace(' %', '')} to ${ratioChange(ratio.high)}`;
}

/** `noise 0.8 %, counts from 3 %`: from where on a difference would count. */
export function regressionTerms({ noise, minEffect }: RegressionReport): string {
  const from = `counts from ${formatPercent(minEffect)}`;
  return noise === undefined ? from : `noise ${formatPercent(Math.abs(noise))}, ${from}`;
}

/** `model.onnx against base.onnx`. */
export function regressionPhrase({ configuration, baseline, kind }: RegressionReport): string {
  return `${configuration} against ${kind === 'report' ? 'report ' : ''}${baseline}`;
}

/** What a configuration on the Pareto front has over others. Memory counts only where it is known of all. */
export function frontSentence(configurations: readonly ConfigurationReport[]): string {
  const ranked = configurations.filter(({ pareto }) => pareto !== undefined);
  const what = ranked.every(({ memory }) => memory !== undefined)
    ? 'in latency, throughput and memory at once'
    : 'in latency and throughput at once';
  return `nothing else is better ${what}`;
}

/** The quantile of a list, where it is there. */
export function quantileOf(
  quantiles: readonly QuantileReport[] | undefined,
  probability: number,
): QuantileReport | undefined {
  return quantiles?.find((quantile) => quantile.probability === probability);
}

/** `4.19–4.27 ms`; an empty text where there is no interval. */
export function quantileRange({ lowMs, highMs }: QuantileReport): string {
  return lowMs === undefined ? '' : formatLatencyRange(lowMs, highMs);
}

/** `CUDA` for `CUDAExecutionProvider`. */
export function shortProvider(provider: string): string {
  return provider.replace(/ExecutionProvider$/, '') || provider;
}

/** What a cold start is made of, in order. */
export const COLD_START_PARTS = [
  ['process', 'processMs'],
  ['library', 'libraryMs'],
  ['session', 'sessionMs'],
  ['first run', 'firstRunMs'],
] as const;

/** `process 62, library 31, session 4.0, first run 1.9 ms`. */
export function coldStartSplit(start: ColdStart): string {
  return formatLatencyParts(COLD_START_PARTS.map(([name, key]) => ({ name, ms: start[key] })));
}

/** Unit of throughput: servers of completions count tokens. */
export function throughputUnit({ tokens }: ConfigurationReport): string {
  return tokens === undefined ? '/s' : ' tokens/s';
}

/** The configuration to name where there is room for one: the suggested, else the first that was measured, else the first. */
export function mainConfiguration(report: BenchReport): ConfigurationReport | undefined {
  const { configurations, suggestion } = report;
  return (
    configurations.find(({ label }) => label === suggestion?.configuration) ??
    configurations.find(({ latency }) => latency !== undefined) ??
    configurations[0]
  );
}

/** `2 of 4 budgets broken, 1 inconclusive; slower than the baseline`: what the verdict rests on. */
export function verdictReasons({ budgets, regressions }: BenchReport): string {
  const parts: string[] = [];
  if (budgets.length > 0) parts.push(budgetsClause(budgets));
  if (regressions.length > 0) {
    const words = REGRESSION_WORDS.flatMap(([verdict, text]) => {
      const found = regressions.filter((each) => each.verdict === verdict).length;
      if (found === 0) return [];
      return [regressions.length === 1 ? text : `${found} of ${formatInteger(regressions.length)} ${text}`];
    });
    parts.push(words.join(', '));
  }
  return parts.join('; ');
}

const REGRESSION_WORDS: readonly (readonly [RegressionReport['verdict'], string])[] = [
  ['fail', 'slower than the baseline'],
  ['inconclusive', 'unclear against the baseline'],
  ['not-comparable', 'not comparable with the baseline'],
  ['pass', 'not slower than the baseline'],
];

/** What the sensors of noise say, and what it means; nothing where all is well. */
export function noiseFindings(configuration: ConfigurationReport): readonly string[] {
  const { latency, noise, threads, warmUp } = configuration;
  const found: string[] = [];
  if (latency !== undefined && latency.failures > 0) {
    const share = latency.runs > 0 ? ` of ${formatInteger(latency.runs)}` : '';
    found.push(`${formatInteger(latency.failures)}${share} requests failed; each counts as over every budget`);
  }
  if (noise !== undefined && isStarved(configuration)) {
    const for_ = threads === undefined ? '' : ` for ${plural(threads, 'thread')}`;
    const why =
      threads === 1 || threads === undefined
        ? 'something else ran here, and latencies are higher than on a quiet machine'
        : 'something else ran here, or the model has too little work for so many';
    found.push(`it had ${formatNumber(noise.cpuPerWall, 2)} CPUs${for_}: ${why}`);
  }
  if (noise?.throttledPeriods !== undefined && noise.throttledPeriods > 0) {
    found.push(
      `the container was throttled in ${plural(noise.throttledPeriods, 'period')}: the tail shows its CPU quota, not the model`,
    );
  }
  if (warmUp !== undefined && !warmUp.settled) {
    found.push(`warm-up did not settle in ${plural(warmUp.runs, 'run')}: early runs may be slower than later ones`);
  }
  if (latency === undefined) return found;
  if (!latency.stable) {
    found.push(
      hasWindows(latency)
        ? 'not stable: medians of the last three windows differ by over 10 %; measure longer, or on a quieter machine'
        : `too few runs (${formatInteger(latency.runs)}) to decide whether latency is stable: measure longer with --duration`,
    );
  }
  if (latency.autocorrelation > STRONG_AUTOCORRELATION) {
    found.push(
      `noise came in bursts: ${plural(latency.runs, 'run')} carry only as much information as ${plural(latency.effectiveRuns, 'independent one')}`,
    );
  }
  const medians = latency.processes.map(({ p50Ms }) => p50Ms);
  const [least, most] = [Math.min(...medians), Math.max(...medians)];
  if (medians.length > 1 && most > least * LARGE_SPREAD) {
    const what = isServer(configuration) ? 'windows of time' : 'processes';
    found.push(
      `${what} differ: p50 from ${formatLatencyRange(least, most).replace('–', ' to ')}; ${isServer(configuration) ? 'what else ran there?' : 'compare models over several processes only'}`,
    );
  }
  return found;
}

/** Whether five windows of time, of which the last three must agree, can have the three runs that each needs. */
export function hasWindows({ runs }: LatencyReport): boolean {
  return runs >= 15;
}

/** Answers come from servers only. */
export function isServer({ responses }: ConfigurationReport): boolean {
  return responses !== undefined;
}

/** Lag-1 autocorrelation from which three runs tell no more than two independent ones, about. */
const STRONG_AUTOCORRELATION = 0.3;
/** Largest over smallest median of processes that is worth a word. */
const LARGE_SPREAD = 1.1;

/** Far less CPU time than the threads could have used. Other providers wait for their device, servers are elsewhere. */
function isStarved({ noise, threads, executionProviders }: ConfigurationReport): boolean {
  if (noise === undefined || executionProviders.some((provider) => provider !== 'cpu')) return false;
  if (executionProviders.length === 0) return false;
  return noise.cpuPerWall < (threads === undefined || threads === 1 ? 0.9 : 0.6 * threads);
}

/** `peak 105 MB less 94.6 MB of a process with a tiny session and 1.20 MB of samples`: what a figure of memory is made of. */
export function memorySubtraction({ peakBytes, bareBytes, samplesBytes = 0 }: MemoryReport): string {
  const samples = samplesBytes > 0 ? ` and ${formatBytes(samplesBytes)} of samples` : '';
  return `peak ${formatBytes(peakBytes)} less ${formatBytes(bareBytes)} of a process with a tiny session${samples}`;
}
