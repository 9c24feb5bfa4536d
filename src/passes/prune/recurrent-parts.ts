import { attribute } from '../../ir/attribute.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { floatValues } from '../../prune/repair/repair-layers.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { replaceConstantInput } from '../constants.js';

/** Inputs of LSTM, GRU and RNN. */
const [X, W, R, B, LENGTHS, INITIAL_STATE] = [0, 1, 2, 3, 4, 5] as const;

/** One product of a recurrent layer beside it: what a direction makes of its inputs, or of its states before. */
interface Part {
  /** MatMul by a constant, with its bias added behind it. */
  readonly product: Node;
  readonly sum: Node;
  readonly direction: number;
  readonly slot: typeof W | typeof R;
}

/**
 * The linear parts of LSTM, GRU and RNN layers beside them: x·Wᵀ + b and h·Rᵀ + b for each direction, all gates at once, where h are the
 * states one step before. They can be fitted as other products are, and what they are given goes back into the layers. States are those
 * of a copy of the layer with the weights R of now, so that what a part reads stays what it is while the layer changes.
 */
export class RecurrentParts {
  readonly #added: Node[] = [];
  readonly #parts: Map<Node, { readonly part: Part; readonly layer: Node; readonly copy: Node }> = new Map();
  /** By the name of what it gives: the layer. */
  readonly #layerOf: Map<string, Node> = new Map();
  readonly #taken: Set<Node> = new Set();
  readonly #states: Map<Node, string> = new Map();

  constructor(model: Model) {
    for (const node of [...model.graph.nodes]) if (isRecurrent(node) && whyWhole(node) === undefined) this.#take(node);
  }

  get isEmpty(): boolean {
    return this.#taken.size === 0;
  }

  has(node: Node): boolean {
    return this.#taken.has(node);
  }

  /** What the parts read of layers whose outputs are among these, by name. */
  statesOf(changed: ReadonlySet<string>): string[] {
    return [...this.#states].flatMap(([layer, name]) =>
      layer.outputs.some((output) => output && changed.has(output.name)) ? [name] : [],
    );
  }

  /** The weights R [directions, gates, states] of the layer of which a part gives a value, by its name. */
  weightOf(name: string): Value | undefined {
    return this.#layerOf.get(name)?.input(R);
  }

  /** Writes what the part of a product has now into its layer. */
  putBack(product: Node): void {
    const found = this.#parts.get(product);
    if (!found) return;
    const { part, layer, copy } = found;
    setWeights(layer, part);
    setBias(layer, part);
    if (part.slot !== W) return;
    setWeights(copy, part);
    setBias(copy, part);
  }

  /** Takes the parts out of the model again. */
  remove(): void {
    for (const node of this.#added.reverse()) {
      const constants = node.inputs.filter((value) => value?.tensor);
      node.graph.remove(node);
      for (const value of constants) if (value?.uses.size === 0) node.graph.removeInitializer(value);
    }
  }

  #take(layer: Node): void {
    this.#taken.add(layer);
    const { graph } = layer;
    const label = nodeLabel(layer);
    const add = (
      opType: string,
      name: string,
      inputs: readonly (Value | undefined)[],
      attributes: Readonly<Record<string, number>> = {},
    ): Node => {
      const list = Object.entries(attributes).map(([key, value]) => attribute(key, value));
      const outputs = [{ name: `${label}/${name}` }];
      const node = graph.addNode({ opType, inputs, outputs, attributes: list }, layer);
      this.#added.push(node);
      return node;
    };
    const ints = (...values: number[]): Value => graph.addInitializer(`${label}/positions`, Tensor.int64(values));
    const floats = (data: Float64Array, dims: readonly number[]): Value =>
      graph.addInitializer(`${label}/part`, Tensor.float32(Float32Array.from(data), dims));
    const [directions = 1, gates = 1] = constantTensor(layer.input(W))?.dims ?? [];
    const hidden = constantTensor(layer.input(R))?.dims[2] as number;
    const part = (direction: number, slot: Part['slot'], read: Value): void => {
      const way = directions === 1 ? '' : direction === 0 ? ' forward' : ' backward';
      const name = `${slot === W ? 'inputs' : 'states'}${way}`;
      const { weights, width } = partWeights(layer, direction, slot);
      const product = add('MatMul', name, [read, floats(weights, [width, gates])]);
      product.name = `${label}, ${name}`;
      const bias = floats(partBias(layer, direction, slot), [gates]);
      const sum = add('Add', `${name} with bias`, [product.output(), bias]);
      this.#layerOf.set(product.output().name, layer);
      this.#parts.set(product, { part: { product, sum, direction, slot }, layer, copy });
    };
    const x = layer.input(X) as Value;
    const copy = add(layer.opType, 'states', [x, ...layer.inputs.slice(1).map((value) => ownCopy(value, layer))]);
    for (const each of layer.attributes.values()) copy.setAttribute(each);
    this.#taken.add(copy);
    const y = copy.output();
    this.#states.set(layer, y.name);
    for (let direction = 0; direction < directions; direction++) part(direction, W, x);
    for (let direction = 0; direction < directions; direction++) {
      const isBackward = direction === 1 || layer.string('direction', 'forward') === 'reverse';
      const own = add('Slice', 'own', [y, ints(direction), ints(direction + 1), ints(1)]).output();
      const slice = (start: number, end: number): Value =>
        add('Slice', 'steps', [own, ints(start), ints(end), ints(0)]).output();
      const given = layer.input(INITIAL_STATE);
      const first = given
        ? add('Reshape', 'first', [
            add('Slice', 'given', [given, ints(direction), ints(direction + 1), ints(0)]).output(),
            ints(1, 1, -1, hidden),
          ]).output()
        : add('Mul', 'first', [slice(0, 1), floats(new Float64Array(1), [1])]).output();
      const before = isBackward ? [slice(1, 2 ** 31 - 1), first] : [first, slice(0, -1)];
      part(direction, R, add('Concat', 'before', before, { axis: 0 }).output());
    }
  }
}

export function isRecurrent(node: Node): boolean {
  return node.is('LSTM') || node.is('GRU') || node.is('RNN');
}

/** Why the linear parts of a recurrent layer are not looked at; undefined where they are. */
export function whyWhole(node: Node): string | undefined {
  if (node.int('layout', 0) === 1) return 'its batch comes first';
  if (node.input(LENGTHS)) return 'its sequences have lengths of their own';
  for (const slot of [W, R, B])
    if (node.input(slot) && constantTensor(node.input(slot))?.dataType !== DataType.FLOAT)
      return 'its weights are no constants in FLOAT';
  return node.graph.model.opset() < 10 ? 'its operator set has no Slice by inputs' : undefined;
}

function ownCopy(value: Value | undefined, { graph }: Node): Value | undefined {
  const tensor = constantTensor(value);
  return value && tensor ? graph.addInitializer(`${value.name}/copy`, tensor) : value;
}

/** Of [directions, gates, width], those of one direction as [width, gates]. */
function partWeights(
  layer: Node,
  direction: number,
  slot: Part['slot'],
): { readonly weights: Float64Array; readonly width: number } {
  const tensor = constantTensor(layer.input(slot)) as Tensor;
  const [, gates = 0, width = 0] = tensor.dims;
  const values = floatValues(tensor);
  const weights = new Float64Array(gates * width);
  for (let i = 0; i < width; i++)
    for (let gate = 0; gate < gates; gate++)
      weights[i * gates + gate] = values[(direction * gates + gate) * width + i] as number;
  return { weights, width };
}

/** Of [directions, 2 · gates]: first those of the inputs, then those of the states. */
function partBias(layer: Node, direction: number, slot: Part['slot']): Float64Array {
  const gates = constantTensor(layer.input(W))?.dims[1] as number;
  const tensor = constantTensor(layer.input(B));
  const start = (2 * direction + (slot === W ? 0 : 1)) * gates;
  return tensor ? floatValues(tensor).slice(start, start + gates) : new Float64Array(gates);
}

function setWeights(layer: Node, { product, direction, slot }: Part): void {
  const tensor = constantTensor(layer.input(slot)) as Tensor;
  const [, gates = 0, width = 0] = tensor.dims;
  const values = floatValues(tensor);
  const own = floatValues(constantTensor(product.input(1)) as Tensor);
  for (let i = 0; i < width; i++)
    for (let gate = 0; gate < gates; gate++)
      values[(direction * gates + gate) * width + i] = own[i * gates + gate] as number;
  replaceConstantInput(layer, slot, Tensor.float32(Float32Array.from(values), tensor.dims));
}

function setBias(layer: Node, { sum, direction, slot }: Part): void {
  const [directions = 1, gates = 0] = (constantTensor(layer.input(W)) as Tensor).dims;
  const tensor = constantTensor(layer.input(B));
  const values = tensor ? floatValues(tensor) : new Float64Array(2 * directions * gates);
  const own = floatValues(constantTensor(sum.input(1)) as Tensor);
  values.set(own, (2 * direction + (slot === W ? 0 : 1)) * gates);
  replaceConstantInput(layer, B, Tensor.float32(Float32Array.from(values), [directions, 2 * gates]));
}
