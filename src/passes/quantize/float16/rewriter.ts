import { attribute } from '../../../ir/attribute.js';
import type { Graph } from '../../../ir/graph.js';
import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import type { Use, Value } from '../../../ir/value.js';
import { constantTensor, walkGraphs } from '../../../ir/walk.js';
import { DataType, type DataTypeCode, dataTypeName } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { elementTypeOf, isFloat32, isFloat32Constant, typeAttribute } from './classes.js';
import { fitsNarrow } from './constant-range.js';
import { replaceConstant, toNarrowTensor } from './constants.js';
import type { NarrowFloat } from './narrow-float.js';
import type { Demand } from './node-plan.js';
import type { Float16Plan } from './plan.js';
import type { Float16Report } from './report.js';

/** From here on a constant that is used in both types stands in the file once. */
const SHARED_BYTES = 64 * 1024;

/** Counts of what was changed. */
export interface RewriteCounts {
  constants: number;
  values: number;
  casts: number;
}

/** Carries a plan out. Every value keeps one type; a use that wants the other one gets it through one Cast for all such uses. */
export class Float16Rewriter {
  readonly counts: RewriteCounts = { constants: 0, values: 0, casts: 0 };
  readonly #model: Model;
  readonly #plan: Float16Plan;
  readonly #keepIo: boolean;
  readonly #report: Float16Report;
  readonly #to: NarrowFloat;
  /** Values that become FLOAT16. */
  readonly #narrow: Set<Value>;
  readonly #casts: Map<Value, Value> = new Map();

  constructor(model: Model, plan: Float16Plan, options: { keepIo: boolean; report: Float16Report; to: NarrowFloat }) {
    this.#model = model;
    this.#plan = plan;
    this.#keepIo = options.keepIo;
    this.#report = options.report;
    this.#to = options.to;
    this.#narrow = new Set(plan.bodyInputs);
    for (const [node, { outputs }] of plan.nodes) {
      outputs.forEach((narrow, at) => {
        const output = node.outputs[at];
        if (narrow && output) this.#narrow.add(output);
      });
    }
  }

  /** True when the plan makes nothing FLOAT16. */
  get isEmpty(): boolean {
    if (this.#narrow.size > 0) return false;
    for (const { inputs } of this.#plan.nodes.values()) if (inputs.includes('float16')) return false;
    return true;
  }

  run(): void {
    if (!this.#keepIo) this.#narrowInterface();
    const values = [...walkGraphs(this.#model.graph)].flatMap((graph) => [...graph.values.values()]);
    for (const node of this.#plan.order) this.#retype(node);
    for (const value of values) if (isFloat32Constant(value)) this.#convertConstant(value);
    for (const value of values) {
      if (isFloat32(value) && !isFloat32Constant(value) && !value.sparse) this.#convertValue(value);
    }
    for (const graph of this.#plan.bodyOutputs.keys()) this.#convertBodyOutputs(graph);
    this.#convertModelOutputs();
    for (const value of this.#narrow) this.#setType(value, this.#to.dataType);
    for (const node of this.#plan.order) this.#dropEmptyCast(node);
  }

  #narrowInterface(): void {
    for (const input of this.#model.graph.inputs) {
      if (!isFloat32(input) || isFloat32Constant(input) || input.sparse) continue;
      this.#narrow.add(input);
      if (input.tensor) input.tensor = toNarrowTensor(input.name, input.tensor, this.#to, this.#report);
    }
  }

  /** Attributes that say or hold the type of what a node makes. Constant nodes are converted as constants. */
  #retype(node: Node): void {
    const plan = this.#plan.nodes.get(node);
    if (!plan) return;
    const name = typeAttribute(node);
    if (plan.outputs[0]) {
      if (name !== undefined) node.setAttribute(attribute(name, this.#to.dataType));
      if (node.is('ConstantOfShape')) {
        const fill = node.tensor('value') ?? Tensor.float32([0]);
        node.setAttribute(attribute('value', toNarrowTensor(node.output().name, fill, this.#to, this.#report)));
      }
    } else if (name !== undefined && !node.attributes.has(name) && isFloat32(node.outputs[0])) {
      // Without the attribute the output would follow an input that may have become FLOAT16.
      node.setAttribute(attribute(name, DataType.FLOAT));
    }
  }

  #demand(use: Use): Demand {
    return this.#plan.nodes.get(use.node)?.inputs[use.slot] ?? 'float32';
  }

  /** A constant used only in FLOAT16 is replaced; one used in both types gets a second form, or a Cast where it is large. */
  #convertConstant(value: Value): void {
    const tensor = constantTensor(value);
    if (!tensor) return;
    const narrowUses = [...value.uses].filter((use) => this.#demand(use) === 'float16');
    const bodyOutputs = this.#wantedByBodyOutputs(value);
    if (narrowUses.length === 0 && bodyOutputs.length === 0) return;
    const wideUse = [...value.uses].some((use) => this.#demand(use) === 'float32');
    const isWide = wideUse || value.pinned || value.outputOf.length !== bodyOutputs.length;
    if (isWide && tensor.byteLength >= SHARED_BYTES && fitsNarrow(tensor, this.#to)) {
      // A second form would make the file larger than it was. Runtimes fold the Cast when they load it.
      for (const use of narrowUses) use.node.setInput(use.slot, this.#cast(value));
      for (const { graph, at } of bodyOutputs) graph.replaceOutput(at, this.#cast(value));
      return;
    }
    this.counts.constants++;
    const half = toNarrowTensor(value.name, tensor, this.#to, this.#report);
    if (!isWide) {
      replaceConstant(value, half);
      return;
    }
    const second = addConstant(value.graph, `${value.name}_${this.#to.name}`, half, value.producer);
    for (const use of narrowUses) use.node.setInput(use.slot, second);
    for (const { graph, at } of bodyOutputs) graph.replaceOutput(at, second);
  }

  /** Positions where a subgraph gives the value out in FLOAT16. */
  #wantedByBodyOutputs(value: Value): { readonly graph: Graph; readonly at: number }[] {
    return [...new Set(value.outputOf)].flatMap((graph) => {
      const demands = this.#plan.bodyOutputs.get(graph) ?? [];
      return graph.outputs.flatMap((out, at) => (out === value && demands[at] === 'float16' ? [{ graph, at }] : []));
    });
  }

  /** Puts Casts between the type of a value and the uses that want the other one. */
  #convertValue(value: Value): void {
    const narrow = this.#narrow.has(value);
    if (narrow) this.counts.values++;
    const unwanted: Demand = narrow ? 'float32' : 'float16';
    for (const use of [...value.uses]) {
      if (this.#demand(use) === unwanted) use.node.setInput(use.slot, this.#cast(value));
    }
  }

  /** The value in its other type, through a Cast right after what makes it. */
  #cast(value: Value): Value {
    const known = this.#casts.get(value);
    if (known) return known;
    const to = this.#narrow.has(value) ? DataType.FLOAT : this.#to.dataType;
    const graph = value.graph;
    const node = graph.addNode(
      {
        opType: 'Cast',
        inputs: [value],
        outputs: [{ name: `${value.name}_${suffix(to)}`, type: tensorType(to, shapeOf(value)) }],
        attributes: [attribute('to', to)],
      },
      value.producer ? value.producer.next : graph.nodes.first,
    );
    this.#casts.set(value, node.output());
    this.counts.casts++;
    return node.output();
  }

  #convertBodyOutputs(graph: Graph): void {
    const demands = this.#plan.bodyOutputs.get(graph) ?? [];
    graph.outputs.forEach((output, at) => {
      if (!isFloat32(output) || isFloat32Constant(output)) return;
      const wanted = demands[at] === 'float16';
      if (wanted !== this.#narrow.has(output)) graph.replaceOutput(at, this.#cast(output));
    });
  }

  /** An output of the model keeps its name: what makes it gets a new one, and a Cast makes the output. */
  #convertModelOutputs(): void {
    const graph = this.#model.graph;
    for (const output of new Set(graph.outputs)) {
      const producer = output.producer;
      if (!producer || !isFloat32(output) || isFloat32Constant(output)) continue;
      const narrow = this.#narrow.has(output);
      if (narrow !== this.#keepIo) continue;
      const inner = this.#casts.get(output);
      this.#renameProducer(output, producer, narrow, inner);
    }
  }

  #renameProducer(output: Value, producer: Node, narrow: boolean, existingCast: Value | undefined): void {
    const graph = output.graph;
    const from = narrow ? this.#to.dataType : DataType.FLOAT;
    const to = narrow ? DataType.FLOAT : this.#to.dataType;
    const name = this.#model.freshName(`${output.name}_${suffix(from)}`);
    const inner = graph.newValue(name, tensorType(from, shapeOf(output)));
    const uses = [...output.uses];
    producer.setOutput(output.outputIndex, inner);
    for (const use of uses) use.node.setInput(use.slot, inner);
    if (existingCast?.producer) {
      // The uses that wanted the other type take the output itself; the Cast made for them goes.
      existingCast.replaceUsesWith(output);
      graph.remove(existingCast.producer);
      this.counts.casts--;
    }
    graph.addNode(
      {
        opType: 'Cast',

        inputs: [inner],
        outputs: [output],
        attributes: [attribute('to', to)],
      },
      producer.next,
    );
    this.counts.casts++;
    if (narrow) this.#narrow.delete(output);
    else this.#narrow.add(output);
  }

  #setType(value: Value, dataType: DataTypeCode): void {
    value.type = tensorType(dataType, shapeOf(value));
  }

  /** A Cast of the model that now goes from FLOAT16 to FLOAT16. */
  #dropEmptyCast(node: Node): void {
    const input = node.input(0);
    const output = node.outputs[0];
    if (!node.is('Cast') || !input || !output || output.isGraphOutput || output.pinned) return;
    if (!this.#narrow.has(output) || elementTypeOf(input) !== this.#to.dataType) return;
    output.replaceUsesWith(input);
    node.graph.remove(node);
  }
}

function shapeOf(value: Value): ReturnType<typeof tensorType>['shape'] {
  return value.type?.kind === 'tensor' ? value.type.shape : value.tensor?.dims;
}

function suffix(dataType: DataTypeCode): string {
  return dataType === DataType.FLOAT ? 'float32' : dataTypeName(dataType);
}
