import type { Model } from '../ir/model.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { DataType, type DataTypeCode } from '../tensor/dtype.js';
import { floatTensor } from '../tensor/float-values.js';
import { createRandom } from '../tensor/random.js';
import type { AxisId } from './axis-table.js';
import type { Dependencies, DependencyGroup } from './dependency-groups.js';
import type { KeptAxes } from './kept-axes.js';
import { Builder } from './repair/sum-builder.js';

/** A layer that reads what is left of a group. Names are those of the model and of its copies. */
export interface CutProbe {
  readonly group: DependencyGroup;
  /** What it reads along the axis of the units; nothing where it keeps that to itself, as recurrent layers do. */
  readonly read: readonly ReadValue[];
  /** What it makes; undefined where that cannot be looked at. */
  readonly made: ProbedValue | undefined;
}

/** A float value, and the position of one of its axes. */
export interface ProbedValue {
  /** Name of the first output of the layer. */
  readonly layer: string;
  /** The input of the layer that it is; its output where absent. */
  readonly slot?: number;
  readonly at: number;
  readonly axes: readonly AxisId[];
  readonly dataType: DataTypeCode;
}

export interface ReadValue extends ProbedValue {
  readonly slot: number;
  /** Indices of the axis before the cut. */
  readonly size: number;
}

/** Where what is left of each group that lost units is read. */
export function cutProbes({ table, groups }: Dependencies, kept: KeptAxes): CutProbe[] {
  return groups
    .filter(({ axes }) => axes.some((axis) => kept.of(axis)))
    .flatMap((group) =>
      group.marks.flatMap(({ node, role }): CutProbe[] => {
        const [value] = node.outputs;
        if (role !== 'consumes' || !value) return [];
        const read = node.inputs.flatMap((input, slot): ReadValue[] => {
          const axes = input && !constantTensor(input) ? table.known(input, node, slot) : undefined;
          const own = axes?.findIndex((axis) => group.axes.includes(axis)) ?? -1;
          const probed = probedValue(value.name, input, axes, own);
          return probed ? [{ ...probed, slot, size: table.size(probed.axes[own] as AxisId) }] : [];
        });
        const axes = table.known(value);
        const channel = node.opType.includes('Conv') ? 1 : (axes?.length ?? 0) - 1;
        return [{ group, read, made: probedValue(value.name, value, axes, channel) }];
      }),
    );
}

function probedValue(
  layer: string,
  value: Value | undefined,
  axes: readonly AxisId[] | undefined,
  at: number,
): ProbedValue | undefined {
  const type = value?.type;
  if (!value || type?.kind !== 'tensor' || !axes || axes.length < 2 || axes[at] === undefined) return undefined;
  const { dataType } = type;
  if (dataType !== DataType.FLOAT && dataType !== DataType.FLOAT16) return undefined;
  return { layer, at, axes, dataType };
}

/**
 * Adds an output, in place: the squares of what is left of a value, summed over all axes but the first and the probed one.
 * @param kept for a model that still has what was cut: it is left out
 * @returns the name of the output, the same for models with the same names; undefined where the value is no more
 */
export function addProbe(
  model: Model,
  { layer, slot, at, axes, dataType }: ProbedValue,
  kept?: KeptAxes,
): string | undefined {
  const { graph } = model;
  const made = graph.values.get(layer);
  const value = slot === undefined ? made : made?.producer?.input(slot);
  if (!value) return undefined;
  const output = `${value.name}, squared along axis ${at}`;
  if (graph.values.has(output)) return output;
  const build = new Builder(graph);
  let left = value;
  for (const [axis, id] of axes.entries()) {
    const indices = kept?.of(id);
    if (indices) left = build.node('Gather', [left, build.ints([...indices])], { axis });
  }
  const wide = dataType === DataType.FLOAT ? left : build.node('Cast', [left], { to: DataType.FLOAT });
  const stays = new Set(at === 0 ? [0, 1] : [0, at]);
  const others = axes.map((_, axis) => axis).filter((axis) => !stays.has(axis));
  const sums =
    others.length === 0
      ? build.node('Mul', [wide, wide])
      : model.opset() >= 18
        ? build.node('ReduceSumSquare', [wide, build.ints(others)], { keepdims: 0 })
        : build.node('ReduceSumSquare', [wide], { axes: others, keepdims: 0 });
  graph.addOutput(graph.addNode({ opType: 'Identity', inputs: [sums], outputs: [{ name: output }] }).output());
  return output;
}

/** Has one node read all probes, in place: they then run one after the other beside the network, not all behind it. */
export function joinProbes({ graph }: Model, names: readonly string[]): void {
  const build = new Builder(graph);
  const shapes = names.flatMap((name) => {
    const value = graph.values.get(name);
    return value ? [build.node('Shape', [value])] : [];
  });
  if (shapes.length > 0) graph.addOutput(build.node('Concat', shapes, { axis: 0 }));
}

/** Adds numbers, the same for models with the same names, to what a layer reads of a group: in place. @param kept for the cut model */
export function liftRead({ graph }: Model, { read }: CutProbe, kept?: KeptAxes): void {
  for (const { layer, at, axes, slot, size, dataType } of read) {
    const node = graph.values.get(layer)?.producer;
    const value = node?.input(slot);
    if (!node || !value) continue;
    const random = createRandom(slot, size);
    const all = Float64Array.from({ length: size }, () => random.float() - 0.5);
    const indices = kept?.of(axes[at]);
    const numbers = indices ? Float64Array.from(indices, (index) => all[index] as number) : all;
    const dims = axes.map((_, axis) => (axis === at ? numbers.length : 1));
    const lift = graph.addInitializer('lift', floatTensor(dataType, numbers, dims));
    const outputs = [{ name: `${layer}, lifted input ${slot}`, type: value.type }];
    node.setInput(slot, graph.addNode({ opType: 'Add', inputs: [value, lift], outputs }, node).output());
  }
}
