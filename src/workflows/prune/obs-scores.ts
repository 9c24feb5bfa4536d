import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Dependencies, DependencyGroup } from '../../prune/dependency-groups.js';
import { unitReaders } from '../../prune/repair/activation-model.js';
import { centredGram } from '../../prune/repair/least-squares.js';
import { removalCosts } from '../../prune/repair/removal-cost.js';
import { type RepairLayer, repairLayer, weightsOf } from '../../prune/repair/repair-layers.js';
import type { Stages } from '../stages.js';
import { forEachLayer, type SumsSetting } from '../workbench/stepped-sums.js';

/** Inputs of a layer beyond which its matrix is not inverted. */
const MOST_INPUTS = 2400;

/**
 * What each unit costs the layers that read it when their other inputs are fitted anew, on samples: structured optimal brain
 * surgeon. Groups none of whose readers can be told are left out.
 */
export async function obsScores(
  model: Model,
  dependencies: Dependencies,
  groups: readonly DependencyGroup[],
  setting: SumsSetting,
  stages: Stages,
): Promise<ReadonlyMap<DependencyGroup, Float64Array>> {
  const readers = new Map<Node, DependencyGroup[]>();
  for (const group of groups)
    for (const { node } of unitReaders(dependencies, group))
      readers.set(node, [...new Set([...(readers.get(node) ?? []), group])]);
  const layers = [...model.graph.nodes].flatMap((node) => {
    const layer = readers.has(node) ? repairLayer(node) : undefined;
    return typeof layer === 'object' && layer.groups === 1 && layer.inputs <= MOST_INPUTS ? [{ node }] : [];
  });
  const scores = new Map<DependencyGroup, Float64Array>();
  await forEachLayer({ changed: model, original: undefined }, layers, setting, ({ layer, sums: [own = []] }, at) => {
    stages.advance(at + 1, layers.length);
    const { node } = layer;
    const [first] = own;
    const [weights] = weightsOf(layer);
    if (!first || !weights || first.rows === 0) return;
    const gram = layer.bias ? centredGram(first) : new Float64Array(first.gram);
    const inputAxis = dependencies.table.known(node.input(0) as NonNullable<ReturnType<Node['input']>>, node, 0);
    const axis = inputAxis?.at(layer.kind === 'convolution' ? 1 : -1);
    const behind = readers.get(node) ?? [];
    const sets = behind.map((group) => group.units.map(({ parts }) => rowsOf(layer, parts, axis)));
    const costs = removalCosts(weights, gram, layer.inputs, sets.flat());
    if (!costs) return;
    let next = 0;
    for (const group of behind) {
      const score = scores.get(group) ?? new Float64Array(group.units.length);
      for (let unit = 0; unit < score.length; unit++)
        score[unit] = (score[unit] as number) + (costs[next++] as number) / first.rows;
      scores.set(group, score);
    }
  });
  return scores;
}

/** Rows of the layer's weights that read a unit: its channels at every position of the window. */
function rowsOf(
  { inputs, tensor, kind }: RepairLayer,
  parts: DependencyGroup['units'][number]['parts'],
  axis: number | undefined,
): number[] {
  const indices = parts.flatMap((part) => (part.axis === axis ? part.indices : []));
  if (kind === 'matrix') return [...indices];
  const channels = tensor.dims[1] as number;
  return Array.from({ length: inputs / channels }, (_, place) =>
    indices.map((index) => place * channels + index),
  ).flat();
}
