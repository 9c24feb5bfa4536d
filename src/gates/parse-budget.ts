import { ServeOptError } from '../errors.js';
import { suggest } from '../suggest.js';
import { type BudgetTest, findMetric, type GateCommand, METRICS, metricNames, type NamedMetric } from './metrics.js';
import { inBaseUnits, type MetricUnit, splitQuantity, UNITS } from './units.js';

/** One requirement, as it was given and in base units. */
export interface Budget {
  /** `p99`, `throughput`, … */
  readonly metric: string;
  /** As it was given: `10ms`. */
  readonly text: string;
  /** ms, 1/s, bytes, decibels, a ratio, a count, or a share from 0 to 1. */
  readonly limit: number;
  readonly unit: MetricUnit;
  /** What is good: `low` makes the limit the most that is allowed, `high` the least. */
  readonly wants: 'low' | 'high';
  readonly test: BudgetTest;
  /** For percentiles: 0.99. */
  readonly probability?: number;
  /** Of agreement and SQNR: only these outputs. Default all. */
  readonly outputs?: readonly string[];
}

/**
 * Reads `p99=10ms`, `throughput=200/s`, `size=25MB`, `drop=1%`.
 * @throws SO1006 for a metric or a unit that does not exist, a limit that is no number or that nothing can reach
 */
export function parseBudget(text: string): Budget {
  return read(text, undefined);
}

/** The budgets of a command. @throws SO1006 as `parseBudget`, and for a metric that the command does not measure */
export function parseBudgets(texts: readonly string[], command: GateCommand): Budget[] {
  return texts.map((text) => read(text, command));
}

/** Each budget has to be of something that the command measures. @throws SO1006 saying which one does */
export function checkBudgets(budgets: readonly Budget[] | undefined, command: GateCommand): void {
  for (const { metric, text } of budgets ?? []) metricRow(metric, `${metric}=${text}`, command);
}

/** `--max-loss` and `--min-sqnr`: shorthand for budgets. */
export interface ShorthandGates {
  /** Most that the metric may get worse: points of a share (0.01 is one), a share of an error. */
  readonly maxLoss?: number;
  /** Least SQNR of every float output, in dB. */
  readonly minSqnr?: number;
}

/** The budgets that shorthand stands for. */
export function shorthandBudgets({ maxLoss, minSqnr }: ShorthandGates): Budget[] {
  const of = (metric: 'drop' | 'sqnr', text: string, limit: number): Budget => {
    const { unit, wants, test } = METRICS[metric];
    return { metric, text, limit, unit, wants, test };
  };
  return [
    ...(maxLoss === undefined ? [] : [of('drop', `${Number((maxLoss * 100).toPrecision(12))}%`, maxLoss)]),
    ...(minSqnr === undefined ? [] : [of('sqnr', `${minSqnr}dB`, minSqnr)]),
  ];
}

function read(text: string, command: GateCommand | undefined): Budget {
  const at = text.indexOf('=');
  if (at < 1) throw notAllowed(text, 'it must be a metric and a limit', usual(command));
  const metric = text.slice(0, at).trim();
  const given = text.slice(at + 1).trim();
  const row = metricRow(metric, text, command);
  const { unit, wants, test, probability } = row;
  const limit = parseLimit(given, metric, row, text);
  return { metric, text: given, limit, unit, wants, test, ...(probability === undefined ? {} : { probability }) };
}

function metricRow(metric: string, text: string, command: GateCommand | undefined): NamedMetric {
  const row = findMetric(metric);
  if (row === undefined) {
    const names = metricNames(command);
    const near = suggest(metric, names);
    const why = near === undefined ? `metrics are ${names.join(', ')}` : `did you mean "${near}"?`;
    throw notAllowed(text, `unknown metric "${metric}"; ${why}`, near === undefined ? usual(command) : exampleOf(near));
  }
  if (command !== undefined && !row.commands.includes(command)) {
    const names = row.commands.join(', ').replace(/, (?=[^,]*$)/, ' and ');
    const verb = row.commands.length === 1 ? 'measures' : 'measure';
    throw notAllowed(
      text,
      `${command} does not measure ${metric}: ${names} ${verb} it`,
      `${command} takes ${metricNames(command).join(', ')}`,
    );
  }
  return row;
}

/** A number with its unit in base units. @throws SO1006 */
function parseLimit(given: string, metric: string, row: NamedMetric, text: string): number {
  const { unit } = row;
  const hint = exampleOf(metric);
  const quantity = splitQuantity(given);
  if (quantity === undefined) throw notAllowed(text, `"${given}" is not a number with a unit`, hint);
  const { value, suffix } = quantity;
  const units = UNITS[unit];
  if (!Object.hasOwn(units, suffix)) {
    const names = Object.keys(units).filter((name) => name !== '');
    if (suffix === '') throw notAllowed(text, `a unit is missing: ${names.join(', ')}`, hint);
    throw notAllowed(text, `"${suffix}" is not a unit of ${metric}: it takes ${names.join(', ')}`, hint);
  }
  const limit = inBaseUnits(value, units[suffix] ?? 1);
  const isPercent = unit === 'ratio' && suffix === '' && value >= 1 && value <= 100;
  const why = whyOutOfRange(metric, unit, limit);
  if (why !== undefined) throw notAllowed(text, why, isPercent ? `write --budget ${metric}=${value}%` : hint);
  return limit;
}

/** Limits that mean nothing: nothing could reach them, or nothing could miss them. */
function whyOutOfRange(metric: string, unit: MetricUnit, limit: number): string | undefined {
  // A metric that may fall by all that there is may do anything: `drop=1` most likely means 1 %.
  if (metric === 'drop') return limit < 1 ? undefined : 'it must be a share below 1';
  if (unit === 'ratio') return limit <= 1 ? undefined : 'it must be a share of at most 1';
  return limit > 0 || unit === 'dB' ? undefined : 'the limit must be above 0';
}

/** What the budget of a command most likely is. */
const USUAL: Readonly<Record<GateCommand, string>> = {
  bench: 'p99',
  'bench --url': 'p99',
  'bench --engine': 'p99',
  tensorrt: 'p99',
  compare: 'drop',
  quantize: 'drop',
  optimize: 'size',
  prune: 'size',
  distill: 'agreement',
};

function usual(command: GateCommand = 'bench'): string {
  return exampleOf(USUAL[command]);
}

function exampleOf(metric: string): string {
  return `write --budget ${metric}=${findMetric(metric)?.example ?? ''}`;
}

function notAllowed(text: string, why: string, hint: string): ServeOptError {
  return new ServeOptError('SO1006', `The value "${text}" of --budget is not allowed`, { why, hint });
}
