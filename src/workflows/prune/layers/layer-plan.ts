import { ServeOptError } from '../../../errors.js';
import type { Model } from '../../../ir/model.js';
import { nodeLabel } from '../../../ir/problem.js';
import { matchNodes } from '../../../passes/node-filter.js';
import { optimizeGraph } from '../../../passes/optimize-graph.js';
import { withoutBlocks } from '../../../passes/prune/drop-blocks.js';
import { type ResidualBlock, type ResidualBlocks, residualBlocks } from '../../../prune/residual-blocks.js';
import { plural } from '../../../report/format.js';
import type { DroppedBlockReport, OutsideLayerReport } from '../../../report/prune-types.js';
import { roundHalfEven } from '../../../tensor/round-half-even.js';
import { type InContext, PRUNE_DEFAULTS, type PruneOptions } from '../../options.js';
import { withLayersInlined } from '../../quantize/inlined-functions.js';
import { outOfReach } from '../cut-errors.js';
import type { MeasuringTools } from '../measuring-tools.js';
import { type ModelSize, modelSize } from '../model-size.js';
import { reaches } from '../target-search.js';
import { type RankedBlock, rankBlocks } from './rank-blocks.js';

/** A model of which whole blocks can be dropped, with these in the order in which they go. */
export class LayerPlan {
  readonly base: Model;
  readonly found: ResidualBlocks;
  readonly ranked: readonly RankedBlock[];
  readonly rankedBy: 'output change' | 'weights';
  readonly options: PruneOptions;

  constructor(
    base: Model,
    found: ResidualBlocks,
    ranked: readonly RankedBlock[],
    rankedBy: LayerPlan['rankedBy'],
    options: PruneOptions,
  ) {
    this.base = base;
    this.found = found;
    this.ranked = ranked;
    this.rankedBy = rankedBy;
    this.options = options;
  }

  /** A copy without the first `count` blocks of the order, cleaned. */
  async without(count: number): Promise<Model> {
    const model = this.uncleaned(count);
    await optimizeGraph(model, { level: 'basic' });
    return model;
  }

  /** The same with all nodes still there. */
  uncleaned(count: number): Model {
    return withoutBlocks(
      this.base,
      this.ranked.slice(0, count).map(({ block }) => block),
    );
  }

  /** How many blocks go. @throws SO3101 where that is none, or a target of size cannot be reached */
  async count(): Promise<number> {
    const { amount = PRUNE_DEFAULTS.amount, targetMacs, targetParams } = this.options;
    if (targetMacs === undefined && targetParams === undefined) return countOfBlocks(amount, this.ranked.length);
    const before = modelSize(this.base, this.options);
    let size: ModelSize = before;
    for (let count = 1; count <= this.ranked.length; count++) {
      size = modelSize(await this.without(count), this.options);
      if (reaches(size, before, this.options)) return count;
    }
    throw outOfReach(before, size, this.options, `without any of the ${this.ranked.length} blocks`);
  }

  blockReports(count: number): DroppedBlockReport[] {
    const rank = new Map(this.ranked.map((each, at) => [each.block, { ...each, at }]));
    return this.found.blocks.map((block) => {
      const own = rank.get(block);
      return {
        name: block.name,
        layers: block.layers.length,
        dropped: own !== undefined && own.at < count,
        ...(own?.change === undefined ? {} : { change: own.change }),
      };
    });
  }

  outsideReports(): OutsideLayerReport[] {
    return this.found.outside.map(({ node, reason }) => ({ layer: nodeLabel(node), operator: node.opType, reason }));
  }
}

/** Finds blocks and ranks them: by what the outputs lose with data, else by their weights. @throws SO3101 where there is none */
export async function planLayers(
  model: Model,
  options: InContext<PruneOptions>,
  tools: MeasuringTools | undefined,
): Promise<LayerPlan> {
  const base = (await withLayersInlined(model)).clone();
  await optimizeGraph(base, { level: 'basic' });
  const found = residualBlocks(base);
  const chosen = chosenBlocks(base, found.blocks, options);
  if (chosen.length === 0) throw nothingToDrop(found);
  const { amount = PRUNE_DEFAULTS.amount, targetMacs, targetParams, targetLatency } = options;
  const isTarget = targetMacs !== undefined || targetParams !== undefined || targetLatency !== undefined;
  const wanted = isTarget ? chosen.length : countOfBlocks(amount, chosen.length);
  const measuring = tools?.hasData ? tools : undefined;
  const ranked = await rankBlocks(base, chosen, wanted, options, measuring);
  return new LayerPlan(base, found, ranked, measuring ? 'output change' : 'weights', options);
}

function chosenBlocks(
  base: Model,
  blocks: readonly ResidualBlock[],
  { include = [], exclude = [] }: PruneOptions,
): readonly ResidualBlock[] {
  const wanted = include.length > 0 ? matchNodes(base, include) : undefined;
  const unwanted = matchNodes(base, exclude);
  return blocks.filter(
    ({ nodes }) => !nodes.some((node) => unwanted.has(node)) && (!wanted || nodes.some((node) => wanted.has(node))),
  );
}

/** A share of the blocks, rounded half to even, or a number of them; all of them may go. @throws SO3101 */
function countOfBlocks(amount: number, blocks: number): number {
  const count = amount < 1 ? roundHalfEven(amount * blocks) : amount;
  if (count > blocks)
    throw new ServeOptError(
      'SO3101',
      `An amount of ${amount} is more than the model has: ${blocks} blocks can be dropped`,
      {
        hint: `write --amount ${blocks}, or less`,
      },
    );
  if (count >= 1) return count;
  throw new ServeOptError(
    'SO3101',
    `An amount of ${amount} rounds to none of the ${blocks} blocks that can be dropped`,
    {
      hint: 'write --amount 1 for one block',
    },
  );
}

function nothingToDrop({ blocks, outside }: ResidualBlocks): ServeOptError {
  const counts = new Map<string, number>();
  for (const { reason } of outside) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [first] = [...counts].sort((a, b) => b[1] - a[1]);
  const why =
    blocks.length > 0
      ? `none of the ${blocks.length} blocks was chosen`
      : first === undefined
        ? 'it has no layers with constant weights'
        : `of ${plural(outside.length, 'layer')} with weights, ${first[1] === outside.length ? 'all stay' : `${first[1]} stay`}: ${first[0]}`;
  return new ServeOptError('SO3101', 'No layers of this model can be dropped', {
    why,
    hint: 'serve-opt prune MODEL --amount 0.3 cuts channels, heads and neurons instead',
  });
}
