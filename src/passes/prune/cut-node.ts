import { attribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import type { Dim } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import type { AxisId, AxisTable } from '../../prune/axis-table.js';
import type { KeptAxes } from '../../prune/kept-axes.js';
import { shapeOf } from '../../prune/rule-context.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant, replaceConstantInput } from '../constants.js';

/** A node whose axes are cut: what it read before, and what it has to say instead. */
export class CutNode {
  readonly node: Node;
  readonly table: AxisTable;
  readonly kept: KeptAxes;
  readonly #inputs: readonly (Value | undefined)[];
  readonly #outputShapes: readonly (readonly Dim[] | undefined)[];
  readonly #inputShapes: readonly (readonly Dim[] | undefined)[];

  constructor(node: Node, table: AxisTable, kept: KeptAxes) {
    this.node = node;
    this.table = table;
    this.kept = kept;
    this.#inputs = node.inputs.slice();
    this.#inputShapes = node.inputs.map((value) => constantTensor(value)?.dims ?? shapeOf(value));
    this.#outputShapes = node.outputs.map(shapeOf);
  }

  /** An input as it was before the cut. */
  readonly original = (slot: number): Value | undefined => this.#inputs[slot];

  input(slot: number): readonly AxisId[] {
    const value = this.#inputs[slot];
    return (value && this.table.known(value, this.node, slot)) ?? [];
  }

  output(index = 0): readonly AxisId[] {
    const value = this.node.outputs[index];
    return (value && this.table.known(value)) ?? [];
  }

  /** Sizes before the cut. */
  inputShape(slot: number): readonly Dim[] | undefined {
    return this.#inputShapes[slot];
  }
  outputShape(index = 0): readonly Dim[] | undefined {
    return this.#outputShapes[index];
  }

  isCut(axes: readonly AxisId[]): boolean {
    return axes.some((axis) => this.kept.of(axis) !== undefined);
  }

  /** Integers of a constant input, as they were. */
  integers(slot: number): number[] | undefined {
    return constantTensor(this.#inputs[slot])?.integers();
  }

  setIntegers(slot: number, values: readonly number[], dims: readonly number[] = [values.length]): void {
    const type = constantTensor(this.#inputs[slot])?.dataType;
    const tensor = type === 6 ? Tensor.int32(values, dims) : Tensor.int64(values, dims);
    if (this.#inputs[slot] && constantTensor(this.#inputs[slot])) replaceConstantInput(this.node, slot, tensor);
    else this.node.setInput(slot, addConstant(this.node.graph, `${this.node.output().name}_cut`, tensor, this.node));
  }

  setInts(name: string, values: readonly number[]): void {
    this.node.setAttribute(attribute(name, values));
  }
  setInt(name: string, value: number): void {
    this.node.setAttribute(attribute(name, value));
  }
}
