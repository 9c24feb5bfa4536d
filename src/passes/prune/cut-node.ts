import { attribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import type { Dim } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import type { Elements } from '../../ops/infer-types.js';
import type { AxisId, AxisTable } from '../../prune/axis-table.js';
import type { KeptAxes } from '../../prune/kept-axes.js';
import { shapeOf } from '../../prune/rule-context.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant, replaceConstantInput } from '../constants.js';
import { editedSizes, type SizeEdit, type SizeEdits } from './size-edits.js';

/** A node whose axes are cut: what it read before, and what it has to say instead. */
export class CutNode {
  readonly node: Node;
  readonly table: AxisTable;
  readonly kept: KeptAxes;
  readonly #inputs: readonly (Value | undefined)[];
  readonly #outputShapes: readonly (readonly Dim[] | undefined)[];
  readonly #inputShapes: readonly (readonly Dim[] | undefined)[];
  readonly #elements: ReadonlyMap<Value, Elements>;

  constructor(node: Node, table: AxisTable, kept: KeptAxes, elements: ReadonlyMap<Value, Elements>) {
    this.node = node;
    this.table = table;
    this.kept = kept;
    this.#elements = elements;
    this.#inputs = node.inputs.slice();
    this.#inputShapes = node.inputs.map((value) => constantTensor(value)?.dims ?? shapeOf(value));
    this.#outputShapes = node.outputs.map(shapeOf);
  }

  /** Version of the operator set that the node belongs to. */
  get opset(): number {
    return this.node.graph.model.opset(this.node.domain);
  }

  /** An input as it was before the cut. */
  original(slot: number): Value | undefined {
    return this.#inputs[slot];
  }

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

  /** Whether anything of these axes is gone. */
  isCut(axes: readonly AxisId[]): boolean {
    return axes.some((axis) => this.sizeEdit(axis) !== undefined);
  }

  /** What becomes of the size of an axis; undefined where it stays. */
  sizeEdit(axis: AxisId | undefined): SizeEdit | undefined {
    const { table, kept } = this;
    const whole = kept.of(axis);
    if (whole !== undefined) return { value: whole.length };
    const scaled = table.scaled(axis);
    const cut = scaled && [scaled.outer, scaled.inner].find((each) => kept.of(each) !== undefined);
    return cut === undefined ? undefined : { times: kept.size(cut), over: table.size(cut) };
  }

  /** Elements of an input of sizes or positions, as they were: as far as known. */
  items(slot: number): readonly Dim[] | undefined {
    const value = this.#inputs[slot];
    return constantTensor(value)?.integers() ?? (value && this.#elements.get(value)?.items);
  }

  /** The same, where all of them are known. */
  integers(slot: number): number[] | undefined {
    const items = this.items(slot);
    return items?.every((item) => typeof item === 'number') ? (items as number[]).slice() : undefined;
  }

  setIntegers(slot: number, values: readonly number[], dims: readonly number[] = [values.length]): void {
    const given = this.#inputs[slot];
    const isNarrow = given?.type?.kind === 'tensor' && given.type.dataType === DataType.INT32;
    const tensor = isNarrow ? Tensor.int32(values, dims) : Tensor.int64(values, dims);
    if (constantTensor(given)) replaceConstantInput(this.node, slot, tensor);
    else this.node.setInput(slot, addConstant(this.node.graph, `${this.node.output().name}_cut`, tensor, this.node));
  }

  /** Changes elements of an input: in a constant where all are known, else in what the model computes. */
  editItems(slot: number, edits: SizeEdits): void {
    const items = this.items(slot);
    const given = this.#inputs[slot];
    const count = items?.length ?? this.inputShape(slot)?.[0];
    if (edits.size === 0 || given === undefined || typeof count !== 'number') return;
    const values = Array.from({ length: count }, (_, at) => {
      const edit = edits.get(at);
      if (edit !== undefined && 'value' in edit) return edit.value;
      const item = items?.[at];
      return edit === undefined || typeof item !== 'number' ? item : (item * edit.times) / edit.over;
    });
    const isComputed = [...edits].some(([at, edit]) => !('value' in edit) && typeof items?.[at] !== 'number');
    if (!isComputed && values.every((value) => typeof value === 'number')) {
      this.setIntegers(slot, values as number[]);
      return;
    }
    this.node.setInput(slot, editedSizes(this.node.graph, given, edits, count, this.node));
  }

  setInts(name: string, values: readonly number[]): void {
    this.node.setAttribute(attribute(name, values));
  }
  setInt(name: string, value: number): void {
    this.node.setAttribute(attribute(name, value));
  }
}
