import type { Model } from '../../../ir/model.js';
import { withoutBlocks } from '../../../passes/prune/drop-blocks.js';
import { blockGain } from '../../../prune/block-gain.js';
import { layerWeights } from '../../../prune/layer-weights.js';
import type { ResidualBlock } from '../../../prune/residual-blocks.js';
import type { InContext, PruneOptions } from '../../options.js';
import { withOutputTrials } from '../../workbench/output-trials.js';
import type { MeasuringTools } from '../measuring-tools.js';

/** A block in the order in which blocks go. */
export interface RankedBlock {
  readonly block: ResidualBlock;
  /** Noise over signal of the outputs without this block and those before it; absent where no model was run. */
  readonly change?: number;
}

/** Trials in all: of many blocks several go at once. */
const MOST_TRIALS = 300;
const TRIAL_SAMPLES = 64;

/**
 * Blocks in the order in which they are best dropped. With samples: always the one without which the outputs, with all before it
 * dropped already, stay closest to those of the original. Else by the size of their weights, smallest first.
 * @param wanted how many will go, at most
 */
export async function rankBlocks(
  base: Model,
  blocks: readonly ResidualBlock[],
  wanted: number,
  options: InContext<PruneOptions>,
  tools: MeasuringTools | undefined,
): Promise<RankedBlock[]> {
  if (!tools) {
    const weights = layerWeights(base);
    const gains = new Map(blocks.map((block) => [block, blockGain(block, weights)]));
    return [...blocks].sort((a, b) => (gains.get(a) ?? 0) - (gains.get(b) ?? 0)).map((block) => ({ block }));
  }
  const { runtime, original, source, stages } = tools;
  const rounds = Math.min(wanted, Math.max(1, Math.floor(MOST_TRIALS / blocks.length)));
  const perRound = Math.ceil(wanted / rounds);
  const total = trialsOf(blocks.length, wanted, perRound);
  stages.start('rank blocks', total);
  const ranked = await withOutputTrials(
    runtime,
    { original, source, samples: TRIAL_SAMPLES, options },
    async (trial) => {
      const order: RankedBlock[] = [];
      let left = [...blocks];
      let done = 0;
      while (order.length < wanted && left.length > 0) {
        const tried: { readonly block: ResidualBlock; readonly change: number }[] = [];
        for (const block of left) {
          options.signal?.throwIfAborted();
          tried.push({ block, change: await trial(withoutBlocks(base, [...order.map((each) => each.block), block])) });
          stages.advance(++done, total);
        }
        tried.sort((a, b) => a.change - b.change);
        const taken = tried.slice(0, Math.min(perRound, wanted - order.length));
        order.push(...taken);
        left = left.filter((block) => !taken.some((each) => each.block === block));
        if (order.length >= wanted) order.push(...tried.slice(taken.length));
      }
      return order;
    },
  );
  stages.end(`${total} trials`);
  return ranked;
}

function trialsOf(blocks: number, wanted: number, perRound: number): number {
  let trials = 0;
  for (let gone = 0; gone < wanted; gone += perRound) trials += blocks - gone;
  return trials;
}
