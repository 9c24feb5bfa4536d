import type { MetricUnit } from './units.js';

/** How a budget of a metric is judged. */
export type BudgetTest =
  /** Share of requests over the limit, binomial. */
  | 'quantile'
  /** Estimate with an interval. */
  | 'throughput'
  /** Median over fresh processes, sign test. */
  | 'cold-start'
  /** What is measured once, or is a fact. */
  | 'fact'
  /** Exactly, on the samples given; the interval beside it decides nothing. */
  | 'samples'
  /** By the interval of the ratio of two latencies. */
  | 'ratio';

/** Where a metric can be measured; `bench --url` is a running server. */
export type GateCommand =
  | 'bench'
  | 'bench --url'
  | 'bench --engine'
  | 'tensorrt'
  | 'compare'
  | 'quantize'
  | 'optimize'
  | 'prune'
  | 'distill';

export interface MetricRow {
  readonly unit: MetricUnit;
  /** What is good. */
  readonly wants: 'low' | 'high';
  readonly test: BudgetTest;
  readonly summary: string;
  readonly commands: readonly GateCommand[];
  /** A limit as it is written. */
  readonly example: string;
}

const SERVED = ['bench', 'bench --url'] as const satisfies readonly GateCommand[];
const ENGINES = ['tensorrt', 'bench --engine'] as const satisfies readonly GateCommand[];
const COMPARED = ['compare', 'quantize', 'prune'] as const satisfies readonly GateCommand[];
const JUDGED = [...COMPARED, 'distill'] as const satisfies readonly GateCommand[];
const RESULTS = ['compare', 'quantize', 'optimize', 'prune', 'distill'] as const satisfies readonly GateCommand[];

/**
 * Metrics beside the percentiles. Sizes in decimal units: 1 MB is 1,000,000 bytes. A new metric is a row here, and a judge in
 * `result-gates.ts` or `budget-gates.ts`.
 */
export const METRICS = {
  throughput: {
    unit: '/s',
    wants: 'high',
    test: 'throughput',
    summary: 'samples per second',
    commands: [...SERVED, ...ENGINES],
    example: '200/s',
  },
  size: {
    unit: 'bytes',
    wants: 'low',
    test: 'fact',
    summary: 'the model file with its data files',
    commands: ['bench', ...ENGINES, ...RESULTS],
    example: '25MB',
  },
  memory: {
    unit: 'bytes',
    wants: 'low',
    test: 'fact',
    summary: 'peak memory over the bare runtime',
    commands: ['bench', 'distill'],
    example: '300MB',
  },
  'cold-start': {
    unit: 'ms',
    wants: 'low',
    test: 'cold-start',
    summary: 'from process start to the end of the first inference',
    commands: ['bench'],
    example: '500ms',
  },
  'first-token': {
    unit: 'ms',
    wants: 'low',
    test: 'quantile',
    summary: 'p99 of the time to the first token',
    commands: ['bench --url'],
    example: '200ms',
  },
  tokens: {
    unit: '/s',
    wants: 'high',
    test: 'throughput',
    summary: 'tokens per second',
    commands: ['bench --url'],
    example: '50/s',
  },
  failures: {
    unit: 'ratio',
    wants: 'low',
    test: 'fact',
    summary: 'share of requests that failed',
    commands: SERVED,
    example: '1%',
  },
  accuracy: {
    unit: 'ratio',
    wants: 'high',
    test: 'samples',
    summary: 'metric of the result on labelled samples',
    commands: JUDGED,
    example: '0.75',
  },
  drop: {
    unit: 'ratio',
    wants: 'low',
    test: 'samples',
    summary: 'loss of the metric against the original: points of a share, a share of an error',
    commands: JUDGED,
    example: '1%',
  },
  agreement: {
    unit: 'ratio',
    wants: 'high',
    test: 'samples',
    summary: 'share of predictions that both models agree on: classes, decisions, tokens',
    commands: JUDGED,
    example: '0.98',
  },
  sqnr: {
    unit: 'dB',
    wants: 'high',
    test: 'samples',
    summary: 'signal to quantization noise of the worst float output',
    commands: COMPARED,
    example: '30dB',
  },
  kl: {
    unit: 'nats',
    wants: 'low',
    test: 'samples',
    summary: 'mean KL divergence of the student from the teacher, at temperature 1',
    commands: ['distill'],
    example: '0.1',
  },
  ece: {
    unit: 'ratio',
    wants: 'low',
    test: 'samples',
    summary: 'expected calibration error of the student',
    commands: ['distill'],
    example: '0.05',
  },
  'speed-up': {
    unit: 'x',
    wants: 'high',
    test: 'ratio',
    summary: 'latency of the original divided by that of the result',
    commands: RESULTS,
    example: '1.2x',
  },
  macs: {
    unit: 'count',
    wants: 'low',
    test: 'fact',
    summary: 'multiply-accumulates of one run',
    commands: RESULTS,
    example: '300M',
  },
  params: {
    unit: 'count',
    wants: 'low',
    test: 'fact',
    summary: 'elements of all weights',
    commands: RESULTS,
    example: '2M',
  },
} as const satisfies Record<string, MetricRow>;

/** A percentile of latency, such as `p99` or `p99.9`. */
const PERCENTILE: MetricRow = {
  unit: 'ms',
  wants: 'low',
  test: 'quantile',
  summary: 'percentile of latency',
  commands: [...SERVED, ...ENGINES],
  example: '10ms',
};

const PERCENTILE_NAME = /^p(\d{1,2}(?:\.\d{1,3})?)$/;
const USUAL_PERCENTILES = ['p50', 'p90', 'p95', 'p99', 'p99.9'] as const;

/** A metric by its name, with the probability of a percentile. */
export type NamedMetric = MetricRow & { readonly probability?: number };

/** The metric of this name; undefined where there is none. */
export function findMetric(name: string): NamedMetric | undefined {
  const [, digits] = PERCENTILE_NAME.exec(name) ?? [];
  if (digits !== undefined) {
    const probability = Number((Number(digits) / 100).toFixed(5));
    return probability > 0 && probability < 1 ? { ...PERCENTILE, probability } : undefined;
  }
  if (!Object.hasOwn(METRICS, name)) return undefined;
  const row: MetricRow = METRICS[name as keyof typeof METRICS];
  return name === 'first-token' ? { ...row, probability: 0.99 } : row;
}

/** Names of the metrics of a command, or of all: the usual percentiles first. */
export function metricNames(command?: GateCommand): string[] {
  const takes = ({ commands }: MetricRow): boolean => command === undefined || commands.includes(command);
  return [
    ...(takes(PERCENTILE) ? USUAL_PERCENTILES : []),
    ...Object.entries(METRICS).flatMap(([name, row]) => (takes(row) ? [name] : [])),
  ];
}
