import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import { biasOf, setFits } from '../../passes/prune/set-fits.js';
import type { Dependencies } from '../../prune/dependency-groups.js';
import type { KeptAxes } from '../../prune/kept-axes.js';
import { fitLinear, type LinearFit, type NormalSums, squaredError } from '../../prune/repair/least-squares.js';
import { normalModel } from '../../prune/repair/normal-model.js';
import { type RepairLayer, repairLayer, weightsOf } from '../../prune/repair/repair-layers.js';
import type { RepairReport } from '../../report/prune-types.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { SampleSource } from '../../samples/types.js';
import type { InContext, PruneOptions } from '../options.js';
import type { Stages } from '../stages.js';
import { groupSums, sumOutputs } from '../workbench/layer-sums.js';

/** What a repair starts from. */
export interface RepairInput {
  /** The network as it was. */
  readonly original: Model;
  /** The same with units cut, node by node in the same order; changed in place. */
  readonly pruned: Model;
  /** Of the original. */
  readonly dependencies: Dependencies;
  readonly kept: KeptAxes;
  /** Samples that the weights are fitted to. */
  readonly fitted: SampleSource;
  /** Samples that decide whether a fit is kept. */
  readonly heldOut: SampleSource;
}

/**
 * Fits the weights of each layer behind a cut anew, in the order of the network: from what the pruned network hands to the layer to
 * what the original layer gave, by least squares (sequential reconstruction). A fit is kept where the error on held-out samples
 * falls. No labels are needed.
 */
export async function repairLayers(
  { original, pruned, dependencies, kept, fitted, heldOut }: RepairInput,
  runtime: RuntimeHost,
  options: InContext<PruneOptions>,
  stages: Stages,
): Promise<RepairReport[]> {
  const byOutput = new Map([...original.graph.nodes].map((twin) => [twin.outputs[0]?.name, twin]));
  const nodes = [...pruned.graph.nodes].filter((node) => byOutput.get(node.outputs[0]?.name)?.opType === node.opType);
  const behindCut = nodesBehindCut(pruned, original, dependencies, kept);
  const layers = nodes.flatMap((node) => {
    const layer = behindCut.has(node) ? repairLayer(node) : undefined;
    return layer === undefined ? [] : [{ node, layer }];
  });
  const reports: RepairReport[] = [];
  stages.start('repair', layers.length);
  for (const [at, { node, layer: first }] of layers.entries()) {
    options.signal?.throwIfAborted();
    // Weights of layers before have changed meanwhile, and so may those of this one where they are shared.
    const layer = typeof first === 'string' ? first : repairLayer(node);
    const twin = byOutput.get(node.outputs[0]?.name);
    if (typeof layer === 'string' || layer === undefined || twin === undefined) {
      reports.push({ layer: nodeLabel(node), left: typeof layer === 'string' ? layer : 'it has no counterpart' });
      continue;
    }
    const axis = layer.kind === 'matrix' ? -1 : 1;
    const keptOutputs = kept.of(dependencies.table.known(twin.output())?.at(axis));
    const { model, outputs } = normalModel(pruned, layer, original, twin, keptOutputs);
    const sums = await sumOutputs(model, Object.values(outputs), [fitted, heldOut], runtime, options);
    const [own = [], others = []] = sums.map((each) => groupSums(layer, outputs, each));
    reports.push(keepBetter(layer, own, others));
    stages.advance(at + 1, layers.length);
  }
  stages.end(`${reports.filter(({ left }) => left === undefined).length} layers`);
  return reports;
}

/** Nodes whose inputs, or own weights' inputs, changed by the cut. */
function nodesBehindCut(pruned: Model, original: Model, { table }: Dependencies, kept: KeptAxes): Set<Node> {
  const changed = new Set<string>();
  for (const node of original.graph.nodes)
    for (const [slot, value] of node.inputs.entries()) {
      const axes = value && table.known(value, node, slot);
      if (axes?.some((axis) => kept.of(axis))) for (const output of node.outputs) if (output) changed.add(output.name);
    }
  const behind = new Set<Node>();
  for (const node of pruned.graph.nodes) {
    const isBehind = node.inputs.some((input) => input && changed.has(input.name));
    if (isBehind) behind.add(node);
    if (isBehind || node.outputs.some((output) => output && changed.has(output.name)))
      for (const output of node.outputs) if (output) changed.add(output.name);
  }
  return behind;
}

/** Gives the layer the fitted weights where they are better on held-out samples. */
function keepBetter(layer: RepairLayer, fitted: readonly NormalSums[], heldOut: readonly NormalSums[]): RepairReport {
  const name = nodeLabel(layer.node);
  const { bias } = layer;
  const before = weightsOf(layer).map((weights, group): LinearFit => ({ weights, bias: biasOf(layer, group) }));
  const after = before.map((given, group) => {
    const sums = fitted[group];
    return sums && fitLinear(sums, given, bias !== undefined);
  });
  if (after.some((fit) => fit === undefined)) return { layer: name, left: 'its inputs are all zero or not finite' };
  const fits = after as readonly LinearFit[];
  const errorOf = (candidates: readonly LinearFit[]): number =>
    heldOut.reduce((sum, sums, group) => sum + squaredError(sums, candidates[group] as LinearFit), 0);
  const energy = heldOut.reduce((sum, sums) => sum + sums.energy.reduce((total, each) => total + each, 0), 0);
  const [errorBefore, errorAfter] = [errorOf(before), errorOf(fits)];
  const shares = { before: share(errorBefore, energy), after: share(errorAfter, energy) };
  if (!(errorAfter < errorBefore)) return { layer: name, ...shares, left: 'the fit is no better on held-out samples' };
  setFits(layer, fits);
  return { layer: name, ...shares };
}

function share(error: number, energy: number): number {
  return energy > 0 ? Math.sqrt(error / energy) : 0;
}
