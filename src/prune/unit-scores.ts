import { floatChunks } from '../tensor/float-values.js';
import { createRandom } from '../tensor/random.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import type { DependencyGroup } from './dependency-groups.js';
import type { UnitScore } from './score-names.js';
import type { WeightAxis } from './unit-weights.js';

export interface ScoreOptions {
  /** Default `l2`. */
  readonly score?: UnitScore;
  /** Of `random`. Default 0. */
  readonly seed?: number;
}

/**
 * Scores of the units of a group, in their order.
 *
 * - `l2`, `l1`: norm of all weights that compute the unit (rows of weights and biases); `l2` of one layer is that of
 *   `torch.nn.utils.prune.ln_structured(n=2, dim=0)`.
 * - `bn`: sum of the magnitudes of the scales of BatchNormalization (Liu et al. 2017); `l2` where the group has none.
 * - `fpgm`: sum of the distances to the rows of the other units (He et al. 2019).
 * - `lamp`: the squared `l2` over the sum of those that are not smaller (Lee et al. 2021): compares across groups as it is.
 * - `random`: seeded.
 *
 * `activation` and `obs` need samples and are computed elsewhere (`activationScores`, `obsScores`); `l2` stands in for them here.
 */
export function scoreUnits(
  group: DependencyGroup,
  weights: readonly WeightAxis[],
  { score = 'l2', seed = 0 }: ScoreOptions = {},
): Float64Array {
  const { units } = group;
  if (score === 'random') {
    const random = createRandom(seed, group.axes[0] ?? 0);
    return Float64Array.from(units, () => random.float());
  }
  const rows = weights.filter(({ role, tensor }) => role === 'produces' && tensor.size > 0);
  const makers = rows.length > 0 ? rows : weights.filter(({ role }) => role === 'consumes');
  if (score === 'bn') {
    const scales = weights.filter(({ role, node, value }) => role === 'scales' && node.input(1) === value);
    if (scales.length > 0) return unitSums(group, scales, 1);
  }
  if (score === 'fpgm') return distanceSums(group, makers);
  const sums = unitSums(group, makers, score === 'l1' ? 1 : 2);
  if (score === 'lamp') return overLarger(sums);
  return score === 'l1' ? sums : sums.map(Math.sqrt);
}

/** Each score over the sum of those that are not smaller. */
function overLarger(scores: Float64Array): Float64Array {
  const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const result = new Float64Array(scores.length);
  let sum = 0;
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at] as number] as number;
    let end = at;
    for (; end < order.length && scores[order[end] as number] === score; end++) sum += score;
    for (; at < end; at++) result[order[at] as number] = sum > 0 ? score / sum : 0;
  }
  return result;
}

/** Sums of |w|^power over what belongs to each unit. */
function unitSums({ units }: DependencyGroup, weights: readonly WeightAxis[], power: 1 | 2): Float64Array {
  const sums = new Float64Array(units.length);
  for (const weight of weights) {
    const own = axisSums(weight.tensor, weight.at, power);
    for (const [at, { parts }] of units.entries())
      for (const { axis, indices } of parts)
        if (axis === weight.axis) for (const index of indices) sums[at] = (sums[at] as number) + (own[index] as number);
  }
  return sums;
}

/** Sums of |w|^power over everything but one axis. Reads the tensor once, in pieces. */
export function axisSums(tensor: Tensor, axis: number, power: 1 | 2): Float64Array {
  const size = tensor.dims[axis] as number;
  const inner = elementCount(tensor.dims.slice(axis + 1));
  const sums = new Float64Array(size);
  let at = 0;
  for (const values of floatChunks(tensor)) {
    for (let k = 0; k < values.length; ) {
      const place = at + k;
      const index = Math.floor(place / inner) % size;
      const end = Math.min(values.length, k + inner - (place % inner));
      let sum = 0;
      if (power === 2) for (; k < end; k++) sum += (values[k] as number) * (values[k] as number);
      else for (; k < end; k++) sum += Math.abs(values[k] as number);
      sums[index] = (sums[index] as number) + sum;
    }
    at += values.length;
  }
  return sums;
}

/** Sum of the Euclidean distances of each unit's rows to those of all others, by way of their inner products. */
function distanceSums({ units }: DependencyGroup, weights: readonly WeightAxis[]): Float64Array {
  const count = units.length;
  const squared = new Float64Array(count * count);
  for (const { tensor, at, axis } of weights) {
    const rows = units.map(({ parts }) => {
      const part = parts.find((each) => each.axis === axis);
      return part ? rowOf(tensor, at, part.indices) : new Float32Array(0);
    });
    for (let a = 0; a < count; a++)
      for (let b = a + 1; b < count; b++) {
        const [x, y] = [rows[a] as Float32Array, rows[b] as Float32Array];
        let sum = 0;
        for (let k = 0; k < x.length; k++) {
          const difference = (x[k] as number) - (y[k] as number);
          sum += difference * difference;
        }
        squared[a * count + b] = (squared[a * count + b] as number) + sum;
      }
  }
  const sums = new Float64Array(count);
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b < count; b++) {
      const distance = Math.sqrt(squared[a * count + b] as number);
      sums[a] = (sums[a] as number) + distance;
      sums[b] = (sums[b] as number) + distance;
    }
  return sums;
}

/** The elements of a tensor at these indices of one axis. */
function rowOf(tensor: Tensor, axis: number, indices: readonly number[]): Float32Array {
  const size = tensor.dims[axis] as number;
  const inner = elementCount(tensor.dims.slice(axis + 1));
  const outer = tensor.size / (size * inner);
  const row = new Float32Array(outer * indices.length * inner);
  const wanted = new Map(indices.map((index, at) => [index, at]));
  let place = 0;
  for (const values of floatChunks(tensor)) {
    for (let k = 0; k < values.length; k++, place++) {
      const at = wanted.get(Math.floor(place / inner) % size);
      if (at === undefined) continue;
      const block = Math.floor(place / (inner * size));
      row[(block * indices.length + at) * inner + (place % inner)] = values[k] as number;
    }
  }
  return row;
}
