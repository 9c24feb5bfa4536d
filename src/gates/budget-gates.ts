import { PercentileBudgetTest } from '../bench/budget-test.js';
import { designEffect } from '../bench/dispersion.js';
import { judgeMedianBudget } from '../bench/median-budget.js';
import { count, plural } from '../bench/numbers-in-words.js';
import { quantileReports } from '../bench/quantile-interval.js';
import { median, quantileOfSorted } from '../bench/quantiles.js';
import type { BenchVerdict } from '../bench/results.js';
import type { Scenario } from '../bench/scenario.js';
import type { Segment } from '../bench/segment.js';
import { pooled } from '../bench/summarize.js';
import { summarizeThroughput } from '../bench/throughput.js';
import { ThroughputBudgetTest } from '../bench/throughput-budget.js';
import { formatBytes } from '../tensor/byte-size.js';
import { type BudgetReport, budgetReport, type Figure, type Finding, keeps } from './budget-report.js';
import type { Budget } from './parse-budget.js';

/** What budgets are judged on: a configuration of models, or a server under load. */
export interface Measured {
  readonly label: string;
  readonly segments: readonly Segment[];
  /** Samples of a request. */
  readonly rows: number;
  readonly coldStartsMs: readonly number[];
  readonly sizeBytes?: number;
  readonly memoryBytes?: number | undefined;
  /** Time to the first token of each response, as segments. */
  readonly firstTokens?: readonly Segment[];
  /** Tokens of a request, on average. */
  readonly tokensPerRequest?: number;
}

interface Judge {
  /** Undefined when more is needed; never when `final`. */
  judge(measured: Measured, final: boolean): Finding | undefined;
  /** The figure that the budget is about, of all that was measured. */
  figure(measured: Measured): Figure;
}

/** One budget on one configuration; once decided it stays so. */
class Gate {
  readonly #budget: Budget;
  readonly #label: string;
  readonly #judge: Judge;
  #found: Finding | undefined;
  #figure: Figure = {};

  constructor(budget: Budget, label: string, scenario: Scenario, minRounds: number) {
    this.#budget = budget;
    this.#label = label;
    this.#judge = judgeOf(budget, scenario, minRounds);
  }

  /** Whether measuring more may decide it: a fact waits for the end only. */
  get isOpen(): boolean {
    return this.#found === undefined && this.#budget.test !== 'fact';
  }

  judge(measured: Measured, final: boolean): void {
    this.#found ??= this.#judge.judge(measured, final);
    // The verdict stands as it was reached; the figure beside it is that of everything, as in the tables.
    if (final) this.#figure = this.#judge.figure(measured);
  }

  report(): BudgetReport {
    const found = this.#found ?? { verdict: 'inconclusive', why: 'not enough was measured' };
    return budgetReport(this.#label, this.#budget, this.#figure, found);
  }
}

/** All budgets on all configurations. */
export class BudgetGates {
  readonly #budgets: readonly Budget[];
  readonly #scenario: Scenario;
  readonly #minRounds: number;
  readonly #gates: Map<string, readonly Gate[]> = new Map();

  /** @param minRounds no verdict before so many fresh processes; 1 for a server, which runs on */
  constructor(budgets: readonly Budget[], scenario: Scenario, minRounds: number) {
    this.#budgets = budgets;
    this.#scenario = scenario;
    this.#minRounds = minRounds;
  }

  /** Budgets for each configuration. */
  get size(): number {
    return this.#budgets.length;
  }

  /** Whether something about a configuration is still to be decided. */
  isOpen(label: string): boolean {
    return this.#of(label).some((gate) => gate.isOpen);
  }

  /** @param final nothing more will be measured */
  judge(measured: Measured, final: boolean): void {
    for (const gate of this.#of(measured.label)) gate.judge(measured, final);
  }

  /** In the order in which configurations were first judged. */
  reports(): BudgetReport[] {
    return [...this.#gates.values()].flatMap((gates) => gates.map((gate) => gate.report()));
  }

  #of(label: string): readonly Gate[] {
    const known = this.#gates.get(label);
    if (known) return known;
    const gates = this.#budgets.map((budget) => new Gate(budget, label, this.#scenario, this.#minRounds));
    this.#gates.set(label, gates);
    return gates;
  }
}

function judgeOf(budget: Budget, scenario: Scenario, minRounds: number): Judge {
  const { metric, limit, probability = 0.99 } = budget;
  switch (budget.test) {
    case 'quantile': {
      const test = new PercentileBudgetTest({ probability, limitMs: limit, minRounds });
      const segmentsOf = ({ firstTokens = [], segments }: Measured): readonly Segment[] =>
        metric === 'first-token' ? firstTokens : segments;
      return {
        judge: (measured, final) => finding(test.judge(segmentsOf(measured), final)),
        figure: (measured) => quantileOf(segmentsOf(measured), probability),
      };
    }
    case 'throughput': {
      const test = new ThroughputBudgetTest({ limitPerSecond: limit, scenario, minRounds });
      const perRequest = ({ tokensPerRequest = 0, rows }: Measured): number =>
        metric === 'tokens' ? tokensPerRequest : rows;
      return {
        judge: (measured, final) => finding(test.judge(measured.segments, perRequest(measured), final)),
        figure: (measured) => {
          const { value, ...interval } = summarizeThroughput(measured.segments, perRequest(measured), scenario);
          return { measured: value, ...interval };
        },
      };
    }
    case 'cold-start':
      return {
        judge: ({ coldStartsMs }, final) => finding(judgeMedianBudget(coldStartsMs, limit, { final })),
        figure: ({ coldStartsMs }) => (coldStartsMs.length > 0 ? { measured: median(coldStartsMs) } : {}),
      };
    // The others are about a result and its original, which `bench` refuses: nothing here measures them.
    default:
      return {
        judge: (measured, final) => (final ? factFinding(budget, measured) : undefined),
        figure: (measured) => {
          const value = factOf(metric, measured);
          return value === undefined ? {} : { measured: value };
        },
      };
  }
}

function finding({ verdict, why }: { verdict: BenchVerdict | undefined; why: string }): Finding | undefined {
  return verdict && { verdict, why };
}

/** The percentile itself, with its interval, beside the verdict on it. */
function quantileOf(segments: readonly Segment[], probability: number): Figure {
  const sorted = pooled(segments).sort();
  if (sorted.length === 0) return {};
  // The interval is that of the tables: wider where runs are not independent.
  const effect = designEffect(segments, quantileOfSorted(sorted, probability));
  const [quantile] = quantileReports(sorted, [probability], 0.95, () => effect);
  if (quantile?.ms === undefined) return {};
  const { ms, lowMs, highMs } = quantile;
  return {
    measured: ms,
    ...(lowMs === undefined ? {} : { low: lowMs }),
    ...(highMs === undefined ? {} : { high: highMs }),
  };
}

/** What needs no statistics: a size, a peak, a share that was counted. */
function factFinding(budget: Budget, measured: Measured): Finding {
  const value = factOf(budget.metric, measured);
  if (value === undefined) return { verdict: 'inconclusive', why: 'it was not measured' };
  const { failures, requests } = requestsOf(measured);
  const why =
    budget.unit === 'bytes' ? formatBytes(value) : `${count(failures)} of ${plural(requests, 'request')} failed`;
  return { verdict: keeps(value, budget) ? 'pass' : 'fail', why };
}

function factOf(metric: string, measured: Measured): number | undefined {
  if (metric === 'size') return measured.sizeBytes;
  if (metric === 'memory') return measured.memoryBytes;
  if (metric !== 'failures') return undefined;
  const { failures, requests } = requestsOf(measured);
  return requests === 0 ? undefined : failures / requests;
}

function requestsOf({ segments }: Measured): { readonly failures: number; readonly requests: number } {
  const failures = segments.reduce((sum, each) => sum + each.failures, 0);
  return { failures, requests: segments.reduce((sum, { latencyMs }) => sum + latencyMs.length, failures) };
}
