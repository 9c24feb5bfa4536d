import type { Model } from '../../ir/model.js';
import type { Value } from '../../ir/value.js';
import { optimizeGraph } from '../../passes/optimize-graph.js';
import type { PruneUnit } from '../../prune/dependency-groups.js';
import type { PruneAttemptReport } from '../../report/prune-types.js';
import { unseenSentence } from '../../report/prune-words.js';
import { type InContext, PRUNE_DEFAULTS, type PruneAllocation, type PruneOptions } from '../options.js';
import type { ModelRun } from '../produce/model-run.js';
import type { Allocator } from './allocators.js';
import type { PruneWork } from './before-work.js';
import { checkCut } from './check-cut.js';
import { allocationOf, chooseAllocator } from './choose-allocator.js';
import { type CutPlan, planCut } from './cut-plan.js';
import { pairClock } from './latency/pair-clock.js';
import { searchLatency } from './latency/search-latency.js';
import { measureFor } from './measure-units.js';
import type { MeasuringTools } from './measuring-tools.js';
import type { FinishedCut, PruneCandidate } from './prune-candidate.js';
import { type RepairWish, repairIfCloser } from './repair-if-closer.js';
import { rescored } from './rescore.js';
import { chooseUnits, finishCut, type StructuredCut, shareOf } from './structured.js';

/** A cut of whole units out of a copy of the model: checked against zeros, and repaired where there is data. */
export async function makeStructured(run: ModelRun<PruneOptions>, work: PruneWork): Promise<PruneCandidate> {
  const { model, options, stages } = run;
  const tools = toolsOf(run, work);
  stages.start('score');
  const measure = measureFor(options, work, tools);
  const plan = await planCut(model, options, measure);
  stages.end(`${plan.scored.length} groups`);
  return new StructuredMaker(run, work, tools, plan).make(options, allocationOf(options));
}

/** What trials and timings need. */
export function toolsOf(run: ModelRun<PruneOptions>, work: PruneWork): MeasuringTools | undefined {
  const { runtime, split } = work;
  if (!runtime) return undefined;
  const { calibration, judging } = split;
  const { model, path, stages, memoryBytes } = run;
  const source = calibration ? { kind: 'data' as const, ...calibration } : judging;
  return { runtime, original: { model, path }, source, hasData: calibration !== undefined, stages, memoryBytes };
}

class StructuredMaker {
  readonly #run: ModelRun<PruneOptions>;
  readonly #work: PruneWork;
  readonly #tools: MeasuringTools | undefined;
  readonly #plan: CutPlan;
  /** Measured once, however often less is cut. */
  readonly #allocators: Map<PruneAllocation, Allocator> = new Map();

  constructor(run: ModelRun<PruneOptions>, work: PruneWork, tools: MeasuringTools | undefined, plan: CutPlan) {
    this.#run = run;
    this.#work = work;
    this.#tools = tools;
    this.#plan = plan;
  }

  async make(options: InContext<PruneOptions>, allocation: PruneAllocation): Promise<PruneCandidate> {
    const { plan, removed, amount, ...more } = await this.#choose(options, allocation);
    const { stages } = this.#run;
    stages.start('prune');
    const cut = finishCut(plan, removed, amount);
    stages.end(`${cut.groups.filter(({ units, kept }) => kept < units).length} groups`);
    const finished = await this.#finish(cut, options);
    const { targetMacs, targetParams, targetLatency } = options;
    const isTarget = targetMacs !== undefined || targetParams !== undefined || targetLatency !== undefined;
    // Less is taken where it hurts most, where that can be measured.
    const careful = options.allocation === undefined && !options.global && this.#tools ? 'sensitivity' : allocation;
    return {
      ...finished,
      cut: { ...(finished.cut as FinishedCut), allocation, ...more },
      ...(isTarget
        ? {}
        : {
            less: {
              amount: options.amount ?? PRUNE_DEFAULTS.amount,
              again: (less: number) => this.make({ ...options, amount: less }, careful),
              ...((options.steps ?? PRUNE_DEFAULTS.steps) > 1
                ? {}
                : { same: (a: number, b: number) => this.#isSame(a, b, options, careful) }),
            },
          }),
    };
  }

  async #choose(options: InContext<PruneOptions>, allocation: PruneAllocation): Promise<Chosen> {
    const { steps = PRUNE_DEFAULTS.steps, targetLatency } = options;
    const isEven = allocation === 'uniform' || allocation === 'global';
    let plan = this.#plan;
    let allocator = await this.#allocator(allocation, options);
    if (targetLatency) {
      const { choice, attempts, targetSpeedUp } = await searchLatency(
        {
          most: 1,
          grain: 1 / 256,
          choose: (share) => allocator(Math.min(share, 1 - Number.EPSILON)),
          amountOf: (units) => shareOf(plan, units),
          build: async (units) => cleaned(plan.cut(units).model),
          time: pairClock(this.#run, this.#work.split.judging),
          limit: 'with all that may be cut gone',
        },
        targetLatency,
        this.#run.stages,
      );
      return { plan, removed: choice, amount: shareOf(plan, choice), attempts, targetSpeedUp };
    }
    let chosen = chooseUnits(plan, allocator, isEven, options);
    for (let step = 1; step < steps; step++) {
      // A count of units is no share: a part of it is cut at first.
      const part = (chosen.amount * step) / steps;
      const units = allocator(isEven && chosen.amount >= 1 ? Math.max(1, Math.round(part)) : part);
      const partly = finishCut(plan, units, part);
      const pruned = await repairIfCloser(repairWish(partly), this.#run, this.#work, options);
      plan = await rescored(plan, units, pruned.model, options, measureFor(options, this.#work, this.#tools));
      allocator = await chooseAllocator(plan, allocation, options, this.#tools);
      chosen = chooseUnits(plan, allocator, isEven, options);
    }
    return {
      plan,
      removed: chosen.removed,
      amount:
        isEven || options.amount !== undefined ? chosenAmount(chosen.amount, options) : shareOf(plan, chosen.removed),
      ...(steps > 1 ? { steps } : {}),
    };
  }

  /** Widths are aligned, so that amounts close to each other may take the same. */
  async #isSame(a: number, b: number, options: InContext<PruneOptions>, allocation: PruneAllocation): Promise<boolean> {
    const allocator = await this.#allocator(allocation, options);
    const isEven = allocation === 'uniform' || allocation === 'global';
    const [first, second] = [a, b].map(
      (amount) => new Set(chooseUnits(this.#plan, allocator, isEven, { ...options, amount }).removed),
    ) as [Set<PruneUnit>, Set<PruneUnit>];
    return first.size === second.size && [...first].every((unit) => second.has(unit));
  }

  async #allocator(allocation: PruneAllocation, options: InContext<PruneOptions>): Promise<Allocator> {
    const known = this.#allocators.get(allocation);
    if (known) return known;
    const made = await chooseAllocator(this.#plan, allocation, options, this.#tools);
    this.#allocators.set(allocation, made);
    return made;
  }

  async #finish(cut: StructuredCut, options: InContext<PruneOptions>): Promise<PruneCandidate> {
    const { runtime, split } = this.#work;
    const { stages } = this.#run;
    const outcome = runtime && (await checkCut(cut, split.judging, runtime, options, stages));
    const { model, repair, warnings } = await repairIfCloser(repairWish(cut), this.#run, this.#work, options);
    const { amount, groups, whole } = cut;
    return {
      model: await cleaned(model),
      cut: {
        amount,
        groups,
        whole,
        ...(typeof outcome === 'object' ? { checked: outcome } : {}),
        repair,
        warnings: [
          ...(typeof outcome === 'string' ? [`The cut was not checked against zeros: ${outcome}.`] : []),
          ...[typeof outcome === 'object' ? unseenSentence(outcome) : undefined].flatMap((words) => words ?? []),
          ...warnings,
        ],
      },
    };
  }
}

/** Units that were chosen, and what is reported of it. */
interface Chosen {
  readonly plan: CutPlan;
  readonly removed: readonly PruneUnit[];
  readonly amount: number;
  readonly attempts?: readonly PruneAttemptReport[];
  readonly targetSpeedUp?: number;
  readonly steps?: number;
}

/** A repair of a cut: of all layers that read what was narrowed, and those behind them. */
function repairWish({ base: original, model, dependencies: { table }, kept }: StructuredCut): RepairWish {
  const changed = new Set<string>();
  for (const node of original.graph.nodes)
    for (const [slot, value] of node.inputs.entries()) {
      const axes = value && table.known(value, node, slot);
      if (axes?.some((axis) => kept.of(axis))) for (const output of node.outputs) if (output) changed.add(output.name);
    }
  const keptOf = (value: Value, axis: number): Int32Array | undefined => kept.of(table.known(value)?.at(axis));
  return { original, unrepaired: model, pruned: model.clone(), changed, keptOf };
}

function chosenAmount(found: number, { amount, targetMacs, targetParams }: PruneOptions): number {
  return targetMacs === undefined && targetParams === undefined ? (amount ?? PRUNE_DEFAULTS.amount) : found;
}

async function cleaned(model: Model): Promise<Model> {
  await optimizeGraph(model, { level: 'basic' });
  return model;
}
