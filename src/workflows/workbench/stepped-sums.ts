import { inferTypes } from '../../ops/infer-types.js';
import type { NormalSums } from '../../prune/repair/least-squares.js';
import {
  keyOf,
  type NormalModel,
  type NormalOutputs,
  normalModel,
  type SummedLayer,
} from '../../prune/repair/normal-model.js';
import { type KeptValue, type Networks, planSteps, type StepLayer } from '../../prune/repair/plan-steps.js';
import { type RepairLayer, repairLayer } from '../../prune/repair/repair-layers.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { StepSumsParams } from '../../runtime/jobs/step-sums.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../../runtime/session-options.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource } from '../../samples/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import type { ExecutionOptions, WorkflowContext } from '../options.js';
import { sessionOptions } from './execution-session.js';
import { groupSums } from './layer-sums.js';

/** Samples a run: activations of that many are in memory at once. */
const BATCH = 8;
/** Of the memory that the child may take, what is kept between steps. */
const KEPT_SHARE = 0.25;

/** What sums are taken over, and where. */
export interface SumsSetting {
  readonly sources: readonly SampleSource[];
  readonly runtime: RuntimeHost;
  /** What the child may take, in bytes. */
  readonly memoryBytes: number;
  readonly options: ExecutionOptions & WorkflowContext;
}

/** A layer as it is when its turn comes, with its sums over each source. */
export interface LayerTurn {
  readonly layer: RepairLayer;
  /** By source, then by group of the layer. */
  readonly sums: readonly (readonly NormalSums[])[];
}

/**
 * Hands the sums of each layer to `visit`, in the order of the network. It may change the weights of the layer: later layers are run behind
 * the changed ones. Both networks run once in all, from layer to layer, as far as what is between fits into a quarter of the memory;
 * samples beyond that start from the inputs each time.
 * @param layers of `networks.changed`; each is one for `repairLayer`
 */
export async function forEachLayer(
  networks: Networks,
  layers: readonly StepLayer[],
  setting: SumsSetting,
  visit: (turn: LayerTurn, at: number) => void,
): Promise<void> {
  const { runtime, memoryBytes, options } = setting;
  for (const model of [networks.changed, networks.original]) if (model) inferTypes(model);
  const { runs } = await runtime.request('keepRuns', { maxBytes: KEPT_SHARE * memoryBytes });
  let take: readonly KeptValue[] = [];
  let at = 0;
  for (const [step, { layers: own, keep }] of planSteps(networks, layers).entries()) {
    options.signal?.throwIfAborted();
    const summed = own.flatMap(({ node, kept }): SummedLayer[] => {
      const layer = repairLayer(node);
      return typeof layer === 'object' ? [{ layer, kept }] : [];
    });
    const bySource = await stepSums(networks, summed, { take, keep, step, runs }, setting);
    for (const [index, { layer }] of summed.entries())
      visit({ layer, sums: bySource.map((byLayer) => byLayer[index] ?? []) }, at + index);
    at += own.length;
    take = keep;
  }
  await runtime.request('dropRuns', { runs });
}

interface StepParts {
  readonly take: readonly KeptValue[];
  readonly keep: readonly KeptValue[];
  readonly step: number;
  readonly runs: number;
}

/** By source, then by layer, then by group. */
type SourceSums = NormalSums[][];

/** Goes on from what is kept; then, over samples of which nothing is, from the inputs. */
async function stepSums(
  networks: Networks,
  layers: readonly SummedLayer[],
  parts: StepParts,
  setting: SumsSetting,
): Promise<SourceSums[]> {
  const { take, keep } = parts;
  const all: SourceSums[] = setting.sources.map(() => []);
  let left = true;
  if (take.length > 0)
    left = await runStep(
      networks,
      normalModel(networks, layers, { take, keep }),
      layers,
      'kept values',
      parts,
      setting,
      all,
    );
  if (left) await runStep(networks, normalModel(networks, layers, { keep }), layers, 'inputs', parts, setting, all);
  return all;
}

/** Adds to sums. @returns whether there are samples that this did not run */
async function runStep(
  networks: Networks,
  { model, outputs, take, keep }: NormalModel,
  layers: readonly SummedLayer[],
  from: StepSumsParams['from'],
  parts: StepParts,
  { sources, runtime, options }: SumsSetting,
  all: SourceSums[],
): Promise<boolean> {
  const names = [...new Set(outputs.flatMap((each) => Object.values(each)))].filter((name) => name !== '');
  const inputs = inputSpecs(networks.changed);
  const carry = parts.take.map(keyOf).filter((key) => parts.keep.some((each) => keyOf(each) === key));
  return withWorkFolder(async (folder) => {
    const path = await writeRunnable(model, folder);
    const load = withOptions(SESSIONS.observed, sessionOptions(options));
    const { session } = await runtime.request('load', { path, options: load });
    let isAnyLeft = false;
    for (const [sourceId, source] of sources.entries()) {
      const { step, runs } = parts;
      const how = { session, from, take, keep, carry, outputs: names, inputs, batchSize: BATCH };
      const { sums, left, samples } = await runtime.request('stepSums', { runs, step, sourceId, source, ...how });
      isAnyLeft ||= left > 0;
      if (samples > 0)
        all[sourceId] = layers.map(({ layer }, at) =>
          added(all[sourceId]?.[at], groupSums(layer, outputs[at] as NormalOutputs, sums)),
        );
    }
    await runtime.request('release', { session });
    return isAnyLeft;
  });
}

function added(before: readonly NormalSums[] | undefined, more: readonly NormalSums[]): NormalSums[] {
  if (!before) return [...more];
  return more.map((each, group) => {
    const other = before[group] as NormalSums;
    const sum = (name: 'gram' | 'cross' | 'sumX' | 'sumY' | 'energy'): Float64Array =>
      each[name].map((value, at) => value + (other[name][at] as number));
    return {
      ...each,
      gram: sum('gram'),
      cross: sum('cross'),
      sumX: sum('sumX'),
      sumY: sum('sumY'),
      energy: sum('energy'),
      rows: each.rows + other.rows,
    };
  });
}
