import type { BenchVerdict } from '../bench/results.js';
import type { Budget } from './parse-budget.js';
import type { MetricUnit } from './units.js';

/** One budget on one thing that was measured, as reports hold it. */
export interface BudgetReport {
  /** What was judged: a configuration of `bench`, or the name of the resulting model. */
  readonly configuration: string;
  /** `p99`, `throughput`, `size`, `drop`, … */
  readonly metric: string;
  /** As it was given: `10ms`. */
  readonly budget: string;
  /** In `unit`. */
  readonly limit: number;
  readonly unit: MetricUnit;
  /** `low`: at most the limit is good; `high`: at least. */
  readonly wants: 'low' | 'high';
  readonly measured?: number;
  /** 95 % confidence interval of what was measured, where there is one. */
  readonly low?: number;
  readonly high?: number;
  readonly verdict: BenchVerdict;
  /** One clause, for example `12 of 3,000 runs over; at most 0.6 % with 95 % confidence`. */
  readonly why: string;
}

/** A figure with its interval. */
export interface Figure {
  readonly measured?: number;
  readonly low?: number;
  readonly high?: number;
}

/** What a budget was found to be. */
export interface Finding {
  readonly verdict: BenchVerdict;
  readonly why: string;
}

/** The row of a report. */
export function budgetReport(
  configuration: string,
  { metric, text, limit, unit, wants }: Budget,
  figure: Figure,
  found: Finding,
): BudgetReport {
  return { configuration, metric, budget: text, limit, unit, wants, ...figure, ...found };
}

/** Whether a figure keeps within a limit; what is not a number does not. */
export function keeps(measured: number, { limit, wants }: Pick<Budget, 'limit' | 'wants'>): boolean {
  return wants === 'low' ? measured <= limit : measured >= limit;
}

/** Whether the limit lies within the interval of what was measured, so that other samples could have decided otherwise. */
export function isNearLimit({ limit, low, high }: BudgetReport): boolean {
  return low !== undefined && high !== undefined && low < limit && limit < high;
}
