import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { isRecurrent, RecurrentParts, whyWhole } from '../../passes/prune/recurrent-parts.js';
import { biasOf, setFits } from '../../passes/prune/set-fits.js';
import { layerTarget } from '../../prune/repair/layer-target.js';
import { fitLinear, type LinearFit, type NormalSums, RIDGE, squaredError } from '../../prune/repair/least-squares.js';
import { type RepairLayer, repairLayer, weightsOf } from '../../prune/repair/repair-layers.js';
import type { RepairReport } from '../../report/prune-types.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { SampleSource } from '../../samples/types.js';
import type { InContext, PruneOptions } from '../options.js';
import type { Stages } from '../stages.js';
import { forEachLayer } from '../workbench/stepped-sums.js';

/** What a repair starts from. */
export interface RepairInput {
  /** The network as it was. */
  readonly original: Model;
  /** The same after a change, with names of the original where it has its values; changed in place. */
  readonly pruned: Model;
  /** Names of values of the original that the change itself altered: all behind them differ. */
  readonly changed: ReadonlySet<string>;
  /** Indices along an axis of a value of the original that are left; undefined for all. */
  keptOf(value: Value, axis: number): Int32Array | undefined;
  /** Samples that the weights are fitted to. */
  readonly fitted: SampleSource;
  /** Samples that decide whether a fit is kept. */
  readonly heldOut: SampleSource;
}

/** What a repair runs with. */
export interface RepairTools {
  readonly runtime: RuntimeHost;
  /** What the child may take, in bytes. */
  readonly memoryBytes: number;
  readonly options: InContext<PruneOptions>;
  readonly stages: Stages;
}

/**
 * Fits the weights of each layer behind a change anew, in the order of the network: from what the changed network hands to the layer to
 * what the original layer gave, by least squares (sequential reconstruction). A fit is kept where the error on held-out samples
 * falls. No labels are needed.
 */
export async function repairLayers(input: RepairInput, tools: RepairTools): Promise<RepairReport[]> {
  const { pruned, fitted, heldOut, keptOf } = input;
  const { runtime, memoryBytes, options, stages } = tools;
  const reports = new Map<Node, RepairReport>();
  const parts = new RecurrentParts(pruned);
  const original = parts.isEmpty ? input.original : input.original.clone();
  const originalParts = parts.isEmpty ? parts : new RecurrentParts(original);
  const changed = new Set([...input.changed, ...parts.statesOf(input.changed)]);
  const layers = layersBehind({ original, pruned, changed }, parts).flatMap(({ node, layer }) => {
    if (typeof layer === 'string') reports.set(node, { layer: nodeLabel(node), left: layer });
    const target = original.graph.values.get(layerTarget(node).value.name);
    if (typeof layer === 'string' || !target) return [];
    const gates = originalParts.weightOf(target.name);
    const known = input.original.graph.values.get((gates ?? target).name);
    return [{ node, kept: known && keptOf(known, gates || layer.kind !== 'matrix' ? 1 : -1) }];
  });
  stages.start('repair', layers.length);
  const setting = { sources: [fitted, heldOut], runtime, memoryBytes, options };
  await forEachLayer({ changed: pruned, original }, layers, setting, ({ layer, sums: [own = [], others = []] }, at) => {
    reports.set(layer.node, keepBetter(layer, own, others));
    parts.putBack(layer.node);
    stages.advance(at + 1, layers.length);
  });
  const inOrder = [...pruned.graph.nodes].flatMap((node) => reports.get(node) ?? []);
  parts.remove();
  stages.end(`${inOrder.filter(({ left }) => left === undefined).length} layers`);
  return inOrder;
}

interface LayerBehind {
  readonly node: Node;
  readonly layer: RepairLayer | string;
}

/** Layers whose inputs changed, or that make up for what is behind them; in the order of the network. */
function layersBehind(
  { original, pruned, changed }: Pick<RepairInput, 'original' | 'pruned' | 'changed'>,
  parts: RecurrentParts,
): LayerBehind[] {
  const differing = new Set(changed);
  return [...pruned.graph.nodes].flatMap((node): LayerBehind[] => {
    const isBehind = node.inputs.some((input) => input && differing.has(input.name));
    if (isBehind) for (const output of node.outputs) if (output) differing.add(output.name);
    const twin = original.graph.values.get(node.outputs[0]?.name ?? '')?.producer;
    if (twin?.opType !== node.opType || !(isBehind || isBeforeDropped(node, changed))) return [];
    const layer = parts.has(node) ? undefined : (whyNotApart(node) ?? repairLayer(node));
    return layer === undefined ? [] : [{ node, layer }];
  });
}

function whyNotApart(node: Node): string | undefined {
  return isRecurrent(node) ? whyWhole(node) : undefined;
}

/** A sum behind which a block is gone hands on what the layer gives: it is to give what the sum gave. */
function isBeforeDropped(node: Node, changed: ReadonlySet<string>): boolean {
  if (repairLayer(node) === undefined) return false;
  const { value } = layerTarget(node);
  return value.producer?.is('Identity') === true && changed.has(value.name);
}

/** Ridges that are tried, one after the other while the error on held-out samples falls: few samples bear only a small change. */
const RIDGES = [RIDGE, 10 * RIDGE, 100 * RIDGE] as const;

/** Gives the layer the fitted weights where they are better on held-out samples. */
function keepBetter(layer: RepairLayer, fitted: readonly NormalSums[], heldOut: readonly NormalSums[]): RepairReport {
  const name = nodeLabel(layer.node);
  const { bias } = layer;
  const given = weightsOf(layer).map((weights, group): LinearFit => ({ weights, bias: biasOf(layer, group) }));
  const errorOf = (candidates: readonly LinearFit[]): number =>
    heldOut.reduce((sum, sums, group) => sum + squaredError(sums, candidates[group] as LinearFit), 0);
  const energy = heldOut.reduce((sum, sums) => sum + sums.energy.reduce((total, each) => total + each, 0), 0);
  let best: { readonly fits: readonly LinearFit[]; readonly error: number } | undefined;
  for (const ridge of RIDGES) {
    const fits = given.flatMap((each, group) => {
      const sums = fitted[group];
      return (sums && fitLinear(sums, each, bias !== undefined, ridge)) ?? [];
    });
    if (fits.length < given.length) break;
    const error = errorOf(fits);
    if (best && !(error < best.error)) break;
    best = { fits, error };
  }
  if (!best) return { layer: name, left: 'its inputs are all zero or not finite' };
  const before = errorOf(given);
  const shares = { before: share(before, energy), after: share(best.error, energy) };
  if (!(best.error < before)) return { layer: name, ...shares, left: 'the fit is no better on held-out samples' };
  setFits(layer, best.fits);
  return { layer: name, ...shares };
}

function share(error: number, energy: number): number {
  return energy > 0 ? Math.sqrt(error / energy) : 0;
}
