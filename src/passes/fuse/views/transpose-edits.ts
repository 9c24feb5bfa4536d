import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { type Dim, tensorType, type ValueType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { permuted } from '../../../ops/eval/layout.js';
import { addConstant, dropIfUnused } from '../../constants.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { forward } from '../../nodes.js';
import { dataTypeOf, shapeOf } from '../../types.js';
import { composePerms, invertPerm, isIdentityPerm, type Perm, permOf } from './perms.js';
import type { TransposeRegion } from './transpose-region.js';

/** Moves nodes of a region to the stored order: rewires them and puts the Transposes where the two orders meet. */
export class TransposeEdits {
  readonly #region: TransposeRegion;
  readonly #nodes: ReadonlySet<Node>;
  readonly #context: RewriteContext;
  /** What is stored of a value, where that is there. */
  readonly #stored: Map<Value, Value> = new Map();

  constructor(region: TransposeRegion, nodes: ReadonlySet<Node>, context: RewriteContext) {
    this.#region = region;
    this.#nodes = nodes;
    this.#context = context;
  }

  apply(): void {
    const { perms, moved } = this.#region;
    const wants = new Map([...perms.keys()].map((value) => [value, this.#region.readers(value)]));
    for (const [value, perm] of perms) {
      const producer = value.producer;
      if (producer && this.#nodes.has(producer)) this.#storeOutput(producer, value, perm);
    }
    for (const [value, perm] of perms) {
      const readers = wants.get(value);
      const isWanted = readers?.moving.some((node) => this.#nodes.has(node)) ?? false;
      if (isWanted && !this.#stored.has(value)) this.#stored.set(value, this.#storedFrom(value, perm));
    }
    for (const node of this.#nodes) this.#rewire(node);
    for (const node of this.#nodes) moved.get(node)?.adjust?.(this.#context);
    for (const [value, perm] of perms) {
      if (this.#stored.has(value)) this.#settleTransposes(value, perm, wants.get(value)?.undoing ?? []);
    }
    for (const [value, perm] of perms) this.#keepPlain(value, perm);
  }

  /** Lets a moved node compute what is stored instead of `value`, which is left without producer for now. */
  #storeOutput(node: Node, value: Value, perm: Perm): void {
    const stored = node.graph.newValue(node.graph.model.freshName(`${value.name}_moved`), storedType(value, perm));
    node.setOutput(value.outputIndex, stored);
    this.#stored.set(value, stored);
  }

  /** What is stored of a value that no moved node computes. */
  #storedFrom(value: Value, perm: Perm): Value {
    const source = this.#region.madeBy(value)?.input(0);
    if (source) return source;
    const transposed = this.#region.transposedBy(value);
    const input = transposed?.input(0);
    const first = transposed && permOf(transposed, perm.length);
    const whole = composePerms(first, invertPerm(perm)) ?? invertPerm(perm);
    return this.#addTranspose(input ?? value, value, whole, storedType(value, perm));
  }

  /** A Transpose of `source` right behind what computes `value`, or at the start where no node of this graph does. */
  #addTranspose(source: Value, value: Value, perm: Perm, type: ValueType | undefined): Value {
    const { graph } = this.#region;
    const producer = value.graph === graph ? value.producer : undefined;
    const name = `${value.name}_moved`;
    const spec = { opType: 'Transpose', name, inputs: [source], attributes: [attribute('perm', perm)] };
    return graph.addNode({ ...spec, outputs: [{ name, type }] }, producer ? producer.next : graph.nodes.first).output();
  }

  #rewire(node: Node): void {
    for (const [slot, perm] of (this.#region.moved.get(node)?.inputs ?? []).entries()) {
      const value = node.input(slot);
      if (!value || !perm) continue;
      const tensor = this.#context.constant(value);
      const stored = this.#stored.get(value);
      if (!tensor) {
        if (stored) node.setInput(slot, stored);
        continue;
      }
      const dims = [...new Array<number>(perm.length - tensor.rank).fill(1), ...tensor.dims];
      const whole = permuted(UNLIMITED, tensor.reshaped(dims), invertPerm(perm));
      const first = whole.dims.findIndex((dim) => dim !== 1);
      const lead = first < 0 ? whole.rank - tensor.rank : Math.min(first, whole.rank - 1);
      node.setInput(slot, addConstant(node.graph, `${value.name}_moved`, whole.reshaped(whole.dims.slice(lead)), node));
      dropIfUnused(value);
    }
  }

  /** Gives readers of Transposes that made what is stored that value itself, and others a permutation from there. */
  #settleTransposes(value: Value, perm: Perm, undoing: readonly Node[]): void {
    for (const node of undoing) {
      const output = node.output();
      const isNamed = output.isGraphOutput;
      const stored = this.#stored.get(value);
      if (stored) forward(output, stored);
      // A graph output took over: it is what is stored now.
      if (isNamed) this.#stored.set(value, output);
    }
    const stored = this.#stored.get(value);
    if (value.producer || !stored) return;
    for (const { node } of [...value.uses]) {
      const whole =
        node.is('Transpose') && node.graph === this.#region.graph && composePerms(perm, permOf(node, perm.length));
      if (!whole || isIdentityPerm(whole)) continue;
      node.setAttribute(attribute('perm', whole));
      node.setInput(0, stored);
    }
  }

  /** Computes a value that was replaced by what is stored, where something still reads it; else its name goes to that. */
  #keepPlain(value: Value, perm: Perm): void {
    const stored = this.#stored.get(value);
    const producer = stored?.producer;
    if (value.producer || !stored || !producer || !this.#nodes.has(producer)) return;
    if (value.uses.size > 0 || value.isGraphOutput || value.pinned) {
      const spec = { opType: 'Transpose', name: `${value.name}_moved`, inputs: [stored] };
      producer.graph.addNode({ ...spec, outputs: [value], attributes: [attribute('perm', perm)] }, producer.next);
      return;
    }
    producer.graph.forget(value);
    if (!stored.isGraphOutput) stored.name = value.name;
  }
}

const UNLIMITED = { allow: () => undefined };

/** The type of what is stored of a value: axis `perm[i]` of it is axis `i` of the value. */
function storedType(value: Value, perm: Perm): ValueType | undefined {
  const dataType = dataTypeOf(value);
  const shape = shapeOf(value);
  if (dataType === undefined) return undefined;
  const dims = shape && invertPerm(perm).map((axis): Dim => shape[axis]);
  return tensorType(dataType, dims);
}
