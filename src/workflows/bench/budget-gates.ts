import { QuantileBudgetTest } from '../../bench/budget-test.js';
import type { Budget } from '../../bench/budgets.js';
import { MedianBudgetTest } from '../../bench/median-budget.js';
import type { Scenario } from '../../bench/scenario.js';
import type { Segment } from '../../bench/segment.js';
import { ThroughputBudgetTest } from '../../bench/throughput-budget.js';
import type { BenchVerdict, BudgetReport } from '../../report/bench-types.js';
import { formatBytes, formatPercent } from '../../report/format.js';

/** What budgets are judged on: a configuration of models, or a server under load. */
export interface Measured {
  readonly label: string;
  readonly segments: readonly Segment[];
  /** Samples of a request. */
  readonly rows: number;
  readonly coldStartsMs: readonly number[];
  readonly sizeBytes?: number;
  readonly memoryBytes?: number | undefined;
  /** Time to the first token of each answer, as segments. */
  readonly firstTokens?: readonly Segment[];
  /** Tokens of a request, on average. */
  readonly tokensPerRequest?: number;
}

/** What a budget was found to be. */
interface Finding {
  readonly verdict: BenchVerdict;
  readonly measured?: number;
  readonly low?: number;
  readonly high?: number;
  readonly why: string;
}

interface Judge {
  /** Undefined when more is needed; never when `final`. */
  judge(measured: Measured, final: boolean): Finding | undefined;
}

/** One budget on one configuration; once decided it stays so. */
class Gate {
  readonly #budget: Budget;
  readonly #label: string;
  readonly #judge: Judge;
  #found: Finding | undefined;

  constructor(budget: Budget, label: string, scenario: Scenario) {
    this.#budget = budget;
    this.#label = label;
    this.#judge = judgeOf(budget, scenario);
  }

  get isOpen(): boolean {
    return this.#found === undefined;
  }

  judge(measured: Measured, final: boolean): void {
    this.#found ??= this.#judge.judge(measured, final);
  }

  report(): BudgetReport {
    const { metric, text, limit, unit } = this.#budget;
    const found = this.#found ?? { verdict: 'inconclusive', why: 'not enough was measured' };
    return { configuration: this.#label, metric, budget: text, limit, unit, ...found };
  }
}

/** All budgets on all configurations. */
export class BudgetGates {
  readonly #budgets: readonly Budget[];
  readonly #scenario: Scenario;
  readonly #gates: Map<string, readonly Gate[]> = new Map();

  constructor(budgets: readonly Budget[], scenario: Scenario) {
    this.#budgets = budgets;
    this.#scenario = scenario;
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
    const gates = this.#budgets.map((budget) => new Gate(budget, label, this.#scenario));
    this.#gates.set(label, gates);
    return gates;
  }
}

function judgeOf(budget: Budget, scenario: Scenario): Judge {
  const { metric, limit, probability = 0.99 } = budget;
  switch (budget.test) {
    case 'quantile': {
      const test = new QuantileBudgetTest({ probability, limitMs: limit });
      return {
        judge: (measured, final) =>
          test.judge(metric === 'first-token' ? (measured.firstTokens ?? []) : measured.segments, final),
      };
    }
    case 'throughput': {
      const test = new ThroughputBudgetTest({ limitPerSecond: limit, scenario });
      return {
        judge: (measured, final) =>
          test.judge(measured.segments, metric === 'tokens' ? (measured.tokensPerRequest ?? 0) : measured.rows, final),
      };
    }
    case 'cold-start': {
      const test = new MedianBudgetTest({ limit });
      return { judge: (measured, final) => test.judge(measured.coldStartsMs, final) };
    }
    case 'fact':
      return { judge: (measured, final) => (final ? factFinding(budget, measured) : undefined) };
  }
}

/** What needs no statistics: a size, a peak, a share that was counted. */
function factFinding({ metric, limit, unit }: Budget, measured: Measured): Finding {
  const value = factOf(metric, measured);
  if (value === undefined) return { verdict: 'inconclusive', why: 'it was not measured' };
  const text = unit === 'bytes' ? formatBytes(value) : formatPercent(value);
  return { verdict: value <= limit ? 'pass' : 'fail', measured: value, why: text };
}

function factOf(metric: string, { segments, sizeBytes, memoryBytes }: Measured): number | undefined {
  if (metric === 'size') return sizeBytes;
  if (metric === 'memory') return memoryBytes;
  const requests = segments.reduce((sum, { latencyMs, failures }) => sum + latencyMs.length + failures, 0);
  if (requests === 0) return undefined;
  return segments.reduce((sum, { failures }) => sum + failures, 0) / requests;
}
