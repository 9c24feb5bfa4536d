import type { Model } from '../../ir/model.js';
import type { Dependencies, DependencyGroup } from '../../prune/dependency-groups.js';
import { activationModel, type UnitReader, unitReaders } from '../../prune/repair/activation-model.js';
import { axisSums } from '../../prune/unit-scores.js';
import { weightAxesOf } from '../../prune/unit-weights.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { SampleSource } from '../../samples/types.js';
import type { PruneOptions } from '../options.js';
import { sumOutputs } from '../workbench/layer-sums.js';

/**
 * How much each unit moves the layers behind it: the variance of what it gives times the squared norm of the weights that read it,
 * over the samples of `source`. The mean of a unit costs nothing, since a bias takes its place. Groups of which that cannot be
 * told are left out.
 */
export async function activationScores(
  model: Model,
  dependencies: Dependencies,
  groups: readonly DependencyGroup[],
  source: SampleSource,
  runtime: RuntimeHost,
  options: PruneOptions,
): Promise<ReadonlyMap<DependencyGroup, Float64Array>> {
  const readers = groups.map((group) => unitReaders(dependencies, group));
  const { model: observed, outputs } = activationModel(model, readers.flat());
  const names = [...new Set(outputs.flatMap(({ sum, squares, rows }) => [sum, squares, rows]))].filter(
    (name) => name !== '',
  );
  if (names.length === 0) return new Map();
  const [sums = new Map<string, Float64Array>()] = await sumOutputs(observed, names, [source], runtime, options);
  const variances = new Map<UnitReader, Float64Array>();
  for (const [at, reader] of readers.flat().entries()) {
    const { sum = '', squares = '', rows = '' } = outputs[at] ?? {};
    const count = sums.get(rows)?.[0] ?? 0;
    const [total, square] = [sums.get(sum), sums.get(squares)];
    if (total && square && count > 0)
      variances.set(
        reader,
        square.map((each, index) => Math.max(0, each / count - ((total[index] as number) / count) ** 2)),
      );
  }
  const scores = new Map<DependencyGroup, Float64Array>();
  for (const [at, group] of groups.entries()) {
    const score = groupScores(dependencies, group, readers[at] ?? [], variances);
    if (score) scores.set(group, score);
  }
  return scores;
}

function groupScores(
  dependencies: Dependencies,
  group: DependencyGroup,
  readers: readonly UnitReader[],
  variances: ReadonlyMap<UnitReader, Float64Array>,
): Float64Array | undefined {
  const weights = weightAxesOf(dependencies, group).filter(({ role }) => role === 'consumes');
  const scores = new Float64Array(group.units.length);
  let known = false;
  for (const reader of readers) {
    const variance = variances.get(reader);
    const weight = weights.find(({ node }) => node === reader.node);
    if (!variance || !weight) continue;
    known = true;
    const norms = axisSums(weight.tensor, weight.at, 2);
    for (const [unit, { parts }] of group.units.entries())
      for (const { axis, indices } of parts)
        if (axis === reader.axis)
          for (const index of indices)
            scores[unit] = (scores[unit] as number) + (variance[index] as number) * (norms[index] as number);
  }
  return known ? scores : undefined;
}
