import { attribute } from '../../ir/attribute.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import type { AxisId } from '../axis-table.js';
import type { Dependencies, DependencyGroup } from '../dependency-groups.js';

/** What a layer reads along an axis of units. */
export interface UnitReader {
  readonly node: Node;
  /** The tensor that the layer multiplies its weight by. */
  readonly value: Value;
  /** Position of the axis in it. */
  readonly at: number;
  readonly axis: AxisId;
}

/** Names of the outputs that hold Σx and Σx² along the axis of a reader, and how many x there are. */
export interface ActivationOutputs {
  readonly sum: string;
  readonly squares: string;
  readonly rows: string;
}

/** Layers that multiply what units give by constant weights, where each index is read by its own weights. */
export function unitReaders({ table }: Dependencies, group: DependencyGroup): UnitReader[] {
  return group.marks.flatMap(({ node, role }) => {
    if (role !== 'consumes' || (node.is('Conv') ? node.int('group', 1) !== 1 : !node.is('Gemm') && !node.is('MatMul')))
      return [];
    const value = node.input(0);
    const axes = value && table.known(value, node, 0);
    if (!value || !axes || (node.is('Gemm') && node.int('transA', 0) === 1)) return [];
    const at = node.is('Conv') ? 1 : axes.length - 1;
    const axis = axes[at];
    return axis !== undefined && group.axes.includes(axis) ? [{ node, value, at, axis }] : [];
  });
}

/** A copy of the model that gives the sums of what each reader reads, instead of its own outputs. */
export function activationModel(
  model: Model,
  readers: readonly UnitReader[],
): { readonly model: Model; readonly outputs: readonly ActivationOutputs[] } {
  const copy = model.clone();
  const { graph } = copy;
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  const node = (opType: string, inputs: readonly Value[], attributes: Readonly<Record<string, number>> = {}): Value =>
    graph
      .addNode({
        opType,
        inputs,
        outputs: [{ name: copy.freshName(`activation_${opType}`) }],
        attributes: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      })
      .output();
  const ints = (values: readonly number[]): Value => graph.addInitializer('activation_ints', Tensor.int64(values));
  const made = new Map<string, ActivationOutputs>();
  const outputs = readers.map(({ value, at }) => {
    const key = `${value.name} ${at}`;
    const known = made.get(key);
    const own = graph.values.get(value.name);
    if (known || !own) return known ?? { sum: '', squares: '', rows: '' };
    const rank = value.type?.kind === 'tensor' ? (value.type.shape?.length ?? 0) : 0;
    const size = value.type?.kind === 'tensor' ? Number(value.type.shape?.[at]) : 0;
    const perm = [at, ...Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== at)];
    const turned = graph
      .addNode({
        opType: 'Transpose',
        inputs: [own],
        outputs: [{ name: copy.freshName('activation_turned') }],
        attributes: [attribute('perm', perm)],
      })
      .output();
    // Squares of halves overflow.
    const isFloat = value.type?.kind === 'tensor' && value.type.dataType === DataType.FLOAT;
    const wide = isFloat ? turned : node('Cast', [turned], { to: DataType.FLOAT });
    const flat = node('Reshape', [wide, ints([size, -1])]);
    const total = (x: Value): Value =>
      copy.opset() >= 13
        ? node('ReduceSum', [x, ints([1])], { keepdims: 0 })
        : graph
            .addNode({
              opType: 'ReduceSum',
              inputs: [x],
              outputs: [{ name: copy.freshName('activation_sum') }],
              attributes: [attribute('axes', [1]), attribute('keepdims', 0)],
            })
            .output();
    const values = [total(flat), total(node('Mul', [flat, flat])), node('Gather', [node('Shape', [flat]), ints([1])])];
    for (const each of values) graph.addOutput(each);
    const [sum, squares, rows] = values.map(({ name }) => name) as [string, string, string];
    const result = { sum, squares, rows };
    made.set(key, result);
    return result;
  });
  return { model: copy, outputs };
}
