import type { BenchReport } from '../bench-types.js';
import { reportJson } from '../json.js';
import { inertName } from './inert-text.js';
import { type MetricPoint, metricPoints, withoutNoise } from './metric-points.js';

/** The two documents that github-action-benchmark reads; each of its steps takes one. */
export interface GithubActionBenchmark {
  /** For `tool: customSmallerIsBetter`: latencies, memory, cold start, size. */
  readonly smaller: string;
  /** For `tool: customBiggerIsBetter`: throughput. */
  readonly bigger: string;
}

/** Arrays of `{name, unit, value, range?, extra?}`. Source: github-action-benchmark's README. */
export function githubActionBenchmark(report: BenchReport): GithubActionBenchmark {
  const extra = `serve-opt ${inertName(report.version)}, ${inertName(report.environment.cpuModel)}`;
  const document = (better: MetricPoint['better']): string =>
    reportJson(
      metricPoints(report)
        .filter((point) => point.better === better)
        .map((point) => ({
          name: `${inertName(point.configuration)} ${point.metric}`,
          unit: point.unit,
          value: withoutNoise(point.value),
          ...rangeOf(point),
          extra,
        })),
    );
  return { smaller: document('smaller'), bigger: document('bigger') };
}

/** The 95 % interval as text, which is how the action shows it. */
function rangeOf({ low, high }: MetricPoint): { readonly range?: string } {
  return low === undefined || high === undefined ? {} : { range: `${round(low)} to ${round(high)}` };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

/**
 * Bencher Metric Format: benchmark, measure, value with bounds. Bencher's own `latency` is in nanoseconds, and ours is
 * the median; other measures are made when they first come. Source: Bencher's documentation, "Bencher Metric Format".
 */
export function bencherMetricFormat(report: BenchReport): string {
  const benchmarks = new Map<string, Map<string, object>>();
  for (const point of metricPoints(report)) {
    const name = inertName(point.configuration) || 'model';
    const measures = benchmarks.get(name) ?? new Map<string, object>();
    benchmarks.set(name, measures);
    const factor = point.unit === 'ms' ? 1e6 : 1;
    measures.set(BENCHER_NAMES.get(point.metric) ?? point.metric.replace('.', '-'), {
      value: withoutNoise(point.value * factor),
      ...(point.low === undefined ? {} : { lower_value: withoutNoise(point.low * factor) }),
      ...(point.high === undefined ? {} : { upper_value: withoutNoise(point.high * factor) }),
    });
  }
  return reportJson(benchmarks);
}

/** Measures that Bencher has from the start. */
const BENCHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['latency-p50', 'latency'],
  ['size', 'file-size'],
]);

/**
 * OpenMetrics text, for GitLab's metrics reports and for Prometheus: base units (seconds, bytes), every number a gauge
 * with its configuration as a label. Source: OpenMetrics 1.0.
 */
export function openMetrics(report: BenchReport): string {
  const families = new Map<string, string[]>();
  for (const point of metricPoints(report)) {
    const { family, labels } = familyOf(point);
    const text = Object.entries({ configuration: point.configuration, ...labels })
      .map(([name, value]) => `${name}="${labelText(value)}"`)
      .join(',');
    const value = withoutNoise(point.unit === 'ms' ? point.value / 1000 : point.value);
    const lines = families.get(family) ?? [`# TYPE ${family} gauge`, `# HELP ${family} ${HELP[family] ?? family}`];
    families.set(family, lines);
    lines.push(`${family}{${text}} ${value}`);
  }
  return `${[...families.values(), ['# EOF']].flat().join('\n')}\n`;
}

const HELP: Readonly<Record<string, string>> = {
  serve_opt_latency_seconds: 'Quantiles of latency, by nearest rank.',
  serve_opt_throughput_per_second: 'Samples per second, or tokens where a server counts them.',
  serve_opt_memory_bytes: 'Peak memory over the bare runtime.',
  serve_opt_cold_start_seconds: 'From process start to the end of the first inference, median.',
  serve_opt_size_bytes: 'Model file with its data files.',
  serve_opt_first_token_seconds: 'Quantiles of the time to the first token.',
  serve_opt_tokens_per_second: 'Tokens per second of one response.',
};

const UNIT_SUFFIXES: Readonly<Record<MetricPoint['unit'], string>> = {
  ms: 'seconds',
  bytes: 'bytes',
  '/s': 'per_second',
};

/** `latency-p99` is `serve_opt_latency_seconds` with the label `quantile="0.99"`. */
function familyOf({ metric, unit }: MetricPoint): {
  readonly family: string;
  readonly labels: Readonly<Record<string, string>>;
} {
  const [, base = metric, percent] = /^(.*)-p([\d.]+)$/.exec(metric) ?? [];
  const quantile = Number((Number(percent) / 100).toPrecision(8));
  return {
    family: `serve_opt_${base.replaceAll('-', '_')}_${UNIT_SUFFIXES[unit]}`,
    labels: percent === undefined ? {} : { quantile: String(quantile) },
  };
}

function labelText(text: string): string {
  return inertName(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
