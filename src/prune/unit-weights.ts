import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AxisId } from './axis-table.js';
import type { Dependencies, DependencyGroup } from './dependency-groups.js';
import type { AxisRole } from './rule-context.js';

/** An axis of a constant that units of a group have indices of. */
export interface WeightAxis {
  readonly value: Value;
  readonly tensor: Tensor;
  /** Position among the axes of the tensor. */
  readonly at: number;
  readonly axis: AxisId;
  readonly role: AxisRole;
  /** The node that computes with it, also where views or conversions lie between. */
  readonly node: Node;
}

/** Views and conversions that lead from a constant to the node that computes with it. */
const BETWEEN: ReadonlySet<string> = new Set([
  'Transpose',
  'Cast',
  'Identity',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'DequantizeLinear',
]);

/** Float weights of a group, each axis once. */
export function weightAxesOf({ table }: Dependencies, group: DependencyGroup): WeightAxis[] {
  const own = new Map<Value, AxisId[]>();
  for (const axis of group.axes) {
    const value = table.places[axis]?.value;
    if (value) own.set(value, [...(own.get(value) ?? []), axis]);
  }
  const found = new Map<AxisId, WeightAxis>();
  for (const { axis, role, node } of group.marks) {
    const start = table.places[axis]?.value;
    for (const each of start ? (own.get(constantBehind(start)) ?? []) : []) {
      const { value, axis: at } = table.places[each] ?? {};
      const tensor = constantTensor(value);
      if (value === undefined || at === undefined || !tensor || !isFloat(tensor.dataType) || found.has(each)) continue;
      found.set(each, { value, tensor, at, axis: each, role, node });
    }
  }
  return [...found.values()];
}

function constantBehind(start: Value): Value {
  let value = start;
  while (!constantTensor(value) && value.producer && BETWEEN.has(value.producer.opType)) {
    const next = value.producer.input(0);
    if (next === undefined) break;
    value = next;
  }
  return value;
}
