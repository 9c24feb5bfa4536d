import { ServeOptError } from '../errors.js';
import { suggest } from '../suggest.js';

/** What a metric is measured in. */
export type MetricUnit = 'ms' | '/s' | 'bytes' | 'ratio';

/** How a budget of a metric is judged. */
export type BudgetTest =
  /** Share of requests over the limit, binomial. */
  | 'quantile'
  /** Estimate with an interval. */
  | 'throughput'
  /** Median over fresh processes, sign test. */
  | 'cold-start'
  /** What is measured once, or is a fact. */
  | 'fact';

interface MetricRow {
  readonly unit: MetricUnit;
  /** What is good. */
  readonly wants: 'low' | 'high';
  readonly test: BudgetTest;
  readonly summary: string;
}

/** Metrics beside the percentiles. Sizes in decimal units: 1 MB is 1,000,000 bytes. */
export const METRICS = {
  throughput: { unit: '/s', wants: 'high', test: 'throughput', summary: 'samples a second' },
  size: { unit: 'bytes', wants: 'low', test: 'fact', summary: 'the model file with its data files' },
  memory: { unit: 'bytes', wants: 'low', test: 'fact', summary: 'peak memory over the bare runtime' },
  'cold-start': { unit: 'ms', wants: 'low', test: 'cold-start', summary: 'from nothing to the first answer' },
  'first-token': { unit: 'ms', wants: 'low', test: 'quantile', summary: 'p99 of the time to the first token' },
  tokens: { unit: '/s', wants: 'high', test: 'throughput', summary: 'tokens a second' },
  failures: { unit: 'ratio', wants: 'low', test: 'fact', summary: 'share of requests that failed' },
} as const satisfies Record<string, MetricRow>;

/** One requirement, as it was given and in base units. */
export interface Budget extends Omit<MetricRow, 'summary'> {
  /** `p99`, `throughput`, … */
  readonly metric: string;
  /** As it was given: `10ms`. */
  readonly text: string;
  /** ms, 1/s, bytes, or a share from 0 to 1. */
  readonly limit: number;
  /** For percentiles: 0.99. */
  readonly probability?: number;
}

const UNITS: Readonly<Record<MetricUnit, Readonly<Record<string, number>>>> = {
  ms: { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, min: 60_000 },
  '/s': { '/s': 1, '/min': 1 / 60 },
  bytes: { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
  ratio: { '%': 0.01, '': 1 },
};

const QUANTILE = /^p(\d{1,2}(?:\.\d{1,3})?)$/;

/**
 * Reads `p99=10ms`, `throughput=200/s`, `size=25MB`.
 * @throws SO1006 for a metric or a unit that does not exist, a number that is none
 */
export function parseBudget(text: string): Budget {
  const at = text.indexOf('=');
  if (at < 1) throw notAllowed(text, 'it is a metric and a limit', 'write --budget p99=10ms');
  const metric = text.slice(0, at).trim();
  const given = text.slice(at + 1).trim();
  const row = metricRow(metric, text);
  const limit = parseLimit(given, row.unit, metric, text);
  if (!(limit > 0) && row.unit !== 'ratio') throw notAllowed(text, 'the limit must be above 0', example(metric, row));
  return { ...row, metric, text: given, limit };
}

function metricRow(metric: string, text: string): Omit<Budget, 'metric' | 'text' | 'limit'> {
  const [, digits] = QUANTILE.exec(metric) ?? [];
  if (digits !== undefined) {
    const probability = Number((Number(digits) / 100).toFixed(5));
    if (probability > 0 && probability < 1) return { unit: 'ms', wants: 'low', test: 'quantile', probability };
  }
  if (!Object.hasOwn(METRICS, metric)) {
    const names = ['p50', 'p90', 'p95', 'p99', 'p99.9', ...Object.keys(METRICS)];
    const near = suggest(metric, names);
    const why = near === undefined ? `metrics are ${names.join(', ')}` : `did you mean "${near}"?`;
    throw notAllowed(text, `there is no metric "${metric}"; ${why}`, 'write --budget p99=10ms');
  }
  const { unit, wants, test } = METRICS[metric as keyof typeof METRICS];
  return { unit, wants, test, ...(metric === 'first-token' ? { probability: 0.99 } : {}) };
}

/** A number with its unit in base units. @throws SO1006 */
function parseLimit(given: string, unit: MetricUnit, metric: string, text: string): number {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?|\.\d+)\s*(\S*)$/.exec(given) ?? [];
  const units = UNITS[unit];
  const hint = example(metric, { unit });
  if (digits === undefined) throw notAllowed(text, `"${given}" is not a number with a unit`, hint);
  if (suffix === '' && unit !== 'ratio') {
    throw notAllowed(text, `a unit is missing: ${Object.keys(units).join(', ')}`, hint);
  }
  if (!Object.hasOwn(units, suffix)) {
    const names = Object.keys(units).filter((name) => name !== '');
    throw notAllowed(text, `"${suffix}" is no unit of ${metric}: it takes ${names.join(', ')}`, hint);
  }
  return Number(digits) * (units[suffix] ?? 1);
}

const EXAMPLES: Readonly<Record<MetricUnit, string>> = { ms: '10ms', '/s': '200/s', bytes: '25MB', ratio: '1%' };

function example(metric: string, { unit }: { readonly unit: MetricUnit }): string {
  return `write --budget ${metric}=${EXAMPLES[unit]}`;
}

function notAllowed(text: string, why: string, hint: string): ServeOptError {
  return new ServeOptError('SO1006', `The value "${text}" of --budget is not allowed`, { why, hint });
}

/** Timers count 32-bit milliseconds: a longer wait would end at once. */
const LONGEST_MIN = Math.floor((2 ** 31 - 1) / 60_000);

/** A length of time such as `60s`, `500ms`, `2min`, in ms. @throws SO1006 naming the option */
export function parseDuration(text: string, owner: string): number {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?|\.\d+)\s*(\S*)$/.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(UNITS.ms, suffix) ? UNITS.ms[suffix] : undefined;
  const value = digits === undefined || factor === undefined ? Number.NaN : Number(digits) * factor;
  if (value > 0 && value <= LONGEST_MIN * 60_000) return value;
  const limit = value === 0 ? 'above 0' : `at most ${LONGEST_MIN}min`;
  throw new ServeOptError('SO1006', `The value "${text}" of ${owner} is not allowed`, {
    why: Number.isNaN(value) ? 'it is a length of time with a unit: ms, s or min' : `it must be ${limit}`,
    // A bare number most likely means seconds.
    hint: `write ${owner} ${/^[1-9]\d{0,3}$/.test(text.trim()) ? text.trim() : 60}s`,
  });
}

/** A share such as `3%` or `0.03`. @throws SO1006 naming the option */
export function parseShare(text: string, owner: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/.exec(text.trim()) ?? [];
  const value = digits === undefined ? Number.NaN : Number(digits) * (percent === '%' ? 0.01 : 1);
  if (value >= 0 && value < 1) return value;
  throw new ServeOptError('SO1006', `The value "${text}" of ${owner} is not allowed`, {
    why: 'it is a share below 1',
    hint: `write ${owner} 3%`,
  });
}
