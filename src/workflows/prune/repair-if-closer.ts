import type { Model } from '../../ir/model.js';
import type { RepairReport } from '../../report/prune-types.js';
import type { InContext, PruneOptions } from '../options.js';
import type { ModelRun } from '../produce/model-run.js';
import type { PruneWork } from './before-work.js';
import { closerOf } from './closer-of.js';
import { type RepairInput, repairLayers } from './repair.js';

/** A changed network that may be repaired. */
export interface RepairWish extends Omit<RepairInput, 'fitted' | 'heldOut'> {
  /** What is delivered where the repair is no better. */
  readonly unrepaired: Model;
}

/** What stands of a repair. */
export interface KeptRepair {
  readonly model: Model;
  readonly repair: readonly RepairReport[];
  readonly warnings: readonly string[];
}

/**
 * Fits layers anew where there is data, and keeps all of it only where the outputs of the whole network come closer to those of the
 * original on held-out samples.
 */
export async function repairIfCloser(
  { unrepaired, ...input }: RepairWish,
  run: ModelRun<PruneOptions>,
  { runtime, split }: PruneWork,
  options: InContext<PruneOptions> = run.options,
): Promise<KeptRepair> {
  const { calibration, judging } = split;
  if (!runtime || !calibration) return { model: unrepaired, repair: [], warnings: [] };
  const { stages, memoryBytes } = run;
  const host = await runtime.host();
  const fitted = { kind: 'data', ...calibration } as const;
  const repair = await repairLayers(
    { ...input, fitted, heldOut: judging },
    { runtime: host, memoryBytes, options, stages },
  );
  if (repair.every(({ left }) => left !== undefined)) return { model: unrepaired, repair, warnings: [] };
  const models = [unrepaired, input.pruned] as const;
  if ((await closerOf(input.original, models, judging, host, options, stages)) === 1)
    return { model: input.pruned, repair, warnings: [] };
  const left = 'the outputs of the whole network were no closer to the original with the repair';
  return {
    model: unrepaired,
    repair: repair.map((each) => ({ ...each, left: each.left ?? left })),
    warnings: [`The repair is left out: on held-out samples, ${left}.`],
  };
}
