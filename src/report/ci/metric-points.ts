import type { BenchReport, ConfigurationReport } from '../bench-types.js';
import { modelSizeBytes } from '../model-size.js';
import { percentileName } from '../percentile-name.js';

/** One number of one configuration, for services that draw numbers over time. In ms, bytes and 1/s. */
export interface MetricPoint {
  readonly configuration: string;
  /** `latency-p99`, `throughput`, `memory`, `cold-start`, `size`, `first-token-p50`, `tokens`. */
  readonly metric: string;
  readonly unit: 'ms' | 'bytes' | '/s';
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  readonly better: 'smaller' | 'bigger';
}

/** Every number worth following, configuration by configuration. Numbers that are not finite are left out. */
export function metricPoints(report: BenchReport): readonly MetricPoint[] {
  return report.configurations.flatMap(pointsOf).filter(({ value }) => Number.isFinite(value));
}

function pointsOf(each: ConfigurationReport): readonly MetricPoint[] {
  const { label: configuration, latency, throughput, memory, coldStart, model, tokens } = each;
  const points: MetricPoint[] = [];
  const add = (metric: string, unit: MetricPoint['unit'], value: number, low?: number, high?: number): void => {
    points.push({
      configuration,
      metric,
      unit,
      value,
      ...(low === undefined ? {} : { low }),
      ...(high === undefined ? {} : { high }),
      better: unit === '/s' ? 'bigger' : 'smaller',
    });
  };
  for (const { probability, ms, lowMs, highMs } of latency?.quantiles ?? []) {
    if (ms !== undefined) add(`latency-${percentileName(probability)}`, 'ms', ms, lowMs, highMs);
  }
  if (throughput !== undefined) add('throughput', '/s', throughput.value, throughput.low, throughput.high);
  if (memory !== undefined) add('memory', 'bytes', memory.modelBytes);
  if (coldStart !== undefined) {
    const totals = coldStart.starts.map(({ totalMs }) => totalMs);
    const [low, high] = totals.length === 0 ? [] : [Math.min(...totals), Math.max(...totals)];
    add('cold-start', 'ms', coldStart.median.totalMs, low, high);
  }
  if (model !== undefined) add('size', 'bytes', modelSizeBytes(model));
  for (const { probability, ms, lowMs, highMs } of tokens?.firstTokenMs ?? []) {
    if (ms !== undefined) add(`first-token-${percentileName(probability)}`, 'ms', ms, lowMs, highMs);
  }
  if (tokens !== undefined) add('tokens', '/s', tokens.perSecond.value, tokens.perSecond.low, tokens.perSecond.high);
  return points;
}

/** A number without the digits that differences of clocks leave behind: 0.0617919999999970 is 0.061792. */
export function withoutNoise(value: number): number {
  return Number(value.toPrecision(12));
}
