import { bug } from '../../errors.js';
import { attribute } from '../../ir/attribute.js';
import { copyInitializers, copyNodes, type ValueMapping } from '../../ir/copy-nodes.js';
import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import type { RepairLayer } from './repair-layers.js';

/** Names of the outputs of a model that computes the sums of a layer. */
export interface NormalOutputs {
  readonly gram: string;
  readonly cross: string;
  readonly sumX: string;
  readonly sumY: string;
  readonly energy: string;
  readonly rows: string;
}

/**
 * A model that runs the pruned and the original network on one input and gives the sums of a layer's normal equations: x is what
 * the pruned network hands to the layer, y what the original layer makes of its own input.
 * @param layer of `pruned`; `twin` is the same node of `original`
 * @param kept outputs of the twin that the layer still has; undefined for all
 */
export function normalModel(
  pruned: Model,
  layer: RepairLayer,
  original: Model,
  twin: Node,
  kept: Int32Array | undefined,
): { readonly model: Model; readonly outputs: NormalOutputs } {
  const model = pruned.clone();
  const { graph } = model;
  const x = graph.values.get(layer.node.input(layer.data)?.name ?? '');
  if (!x) throw bug('a layer has no data');
  const residual = residualOf(layer.node);
  const y = copyOriginal(original, residual ? twinOf(original, residual.add) : twin, graph);
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  const build = new Builder(graph);
  const inputs = inputRows(build, build.wide(x, layer), layer);
  const wanted = build.wide(kept ? build.take(y, kept, layer) : y, layer);
  const outputs = build.targets(residual ? build.without(wanted, residual, layer) : wanted, layer);
  const named = {
    gram: build.product(inputs, inputs),
    cross: build.product(inputs, outputs),
    sumX: build.sum(inputs),
    sumY: build.sum(outputs),
    energy: build.sum(build.node('Mul', [outputs, outputs])),
    rows: build.node('Slice', [build.node('Shape', [inputs]), build.ints([2]), build.ints([3])]),
  };
  for (const value of Object.values(named)) graph.addOutput(value);
  dropUnneeded(graph);
  return {
    model,
    outputs: Object.fromEntries(
      Object.entries(named).map(([key, value]) => [key, value.name]),
    ) as unknown as NormalOutputs,
  };
}

/** What a layer reads, as [groups, K, rows]. */
export function inputRows(build: Builder, x: Value, layer: RepairLayer): Value {
  if (layer.kind === 'matrix') return build.rowsOf(x, layer);
  if (layer.kind === 'convolution') return build.windows(x, layer);
  return build.transposedWindows(x, layer);
}

/** A sum behind a layer: of its result, maybe a bias, and what came another way. */
interface Residual {
  readonly add: Node;
  readonly others: readonly Value[];
}

/**
 * The sum that a layer's result goes into, with nothing but a bias between. There, the layer is to give what the sum of the original
 * has and the other way of the pruned network lacks, so that errors of the layers before it are made up for.
 */
function residualOf(node: Node): Residual | undefined {
  const others: Value[] = [];
  let value = node.output();
  for (let steps = 0; steps < 3; steps++) {
    if (value.uses.size !== 1 || value.isGraphOutput) return undefined;
    const [use] = value.uses;
    if (!use?.node.is('Add')) return undefined;
    const other = use.node.input(1 - use.slot);
    if (!other || other === value) return undefined;
    others.push(other);
    if (!constantTensor(other)) {
      const [own, way] = [shapeLength(value), shapeLength(other)];
      return own !== undefined && own === way ? { add: use.node, others } : undefined;
    }
    value = use.node.output();
  }
  return undefined;
}

function shapeLength({ type }: Value): number | undefined {
  return type?.kind === 'tensor' ? type.shape?.length : undefined;
}

function twinOf(original: Model, node: Node): Node {
  const twin = original.graph.values.get(node.output().name)?.producer;
  if (!twin) throw bug('the original has no counterpart of a sum');
  return twin;
}

/** Copies what leads to the output of a node; graph inputs are those of the same name. */
function copyOriginal(original: Model, twin: Node, graph: Graph): Value {
  const mapping: ValueMapping = new Map();
  for (const input of original.graph.inputs) {
    const own = graph.values.get(input.name);
    if (own) mapping.set(input, own);
  }
  const needed = ancestorsOf([twin.output()]);
  const constants = new Set<Value>();
  for (const node of needed) for (const input of node.inputs) if (input) constants.add(input);
  for (const node of needed)
    for (const { graph: inner } of node.subgraphs())
      for (const each of inner.nodes) for (const input of each.inputs) if (input) constants.add(input);
  const inOrder = [...original.graph.nodes].filter((node) => needed.has(node));
  copyInitializersOf(original.graph, graph, mapping, constants);
  copyNodes(inOrder, graph, mapping, { namePrefix: 'original/' });
  const copied = mapping.get(twin.output());
  if (!copied) throw bug('a copied layer has no output');
  return copied;
}

function copyInitializersOf(from: Graph, to: Graph, mapping: ValueMapping, wanted: ReadonlySet<Value>): void {
  for (const value of from.initializers) if (!wanted.has(value) && !mapping.has(value)) mapping.set(value, undefined);
  copyInitializers(from, to, mapping);
}

function ancestorsOf(values: readonly (Value | undefined)[]): Set<Node> {
  const needed = new Set<Node>();
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined || pending.length > 0; value = pending.pop()) {
    const node = value?.producer;
    if (!node || needed.has(node)) continue;
    needed.add(node);
    pending.push(...node.inputs);
    for (const { graph } of node.subgraphs()) for (const inner of graph.nodes) pending.push(...inner.inputs);
    for (const { graph } of node.subgraphs()) pending.push(...graph.outputs);
  }
  return needed;
}

/** Nodes and constants of which no output depends. */
export function dropUnneeded(graph: Graph): void {
  const needed = ancestorsOf(graph.outputs);
  for (const node of [...graph.nodes].reverse()) if (!needed.has(node)) graph.remove(node);
  for (const value of [...graph.initializers])
    if (value.uses.size === 0 && !value.isGraphOutput && !value.isGraphInput) graph.removeInitializer(value);
}

/** Makes nodes one after the other. */
export class Builder {
  readonly #graph: Graph;
  readonly #opset: number;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#opset = graph.model.opset();
  }

  node(
    opType: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
  ): Value {
    return this.#graph
      .addNode({
        opType,
        inputs,
        outputs: [{ name: this.#graph.model.freshName(`repair_${opType}`) }],
        attributes: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      })
      .output();
  }

  ints(values: readonly number[]): Value {
    return this.#graph.addInitializer('repair_ints', Tensor.int64(values));
  }

  reshape(value: Value, sizes: readonly number[]): Value {
    return this.node('Reshape', [value, this.ints(sizes)]);
  }

  transpose(value: Value, perm: readonly number[]): Value {
    return this.node('Transpose', [value], { perm });
  }

  /** In FLOAT, where the layer computes in another type: sums of halves would overflow. */
  wide(value: Value, { tensor }: RepairLayer): Value {
    return tensor.dataType === DataType.FLOAT ? value : this.node('Cast', [value], { to: DataType.FLOAT });
  }

  /** [groups, K, rows]: every window of a convolution, position by position. */
  windows(x: Value, layer: RepairLayer): Value {
    const { node, tensor, groups } = layer;
    const kernel = tensor.dims.slice(2);
    const strides = node.ints('strides') ?? kernel.map(() => 1);
    const pads = node.ints('pads') ?? kernel.flatMap(() => [0, 0]);
    return this.#windowsOf(x, layer, (tensor.dims[1] as number) * groups, strides, pads);
  }

  /**
   * The same of a transposed convolution: every input is followed by stride − 1 zeros, and the ends are padded by what the window
   * reaches beyond them. A transposed convolution by ones, channel by channel, puts the zeros in.
   */
  transposedWindows(x: Value, layer: RepairLayer): Value {
    const { node, tensor } = layer;
    const [channels = 0, , ...kernel] = tensor.dims;
    const each = (name: string, fallback: number): readonly number[] => node.ints(name) ?? kernel.map(() => fallback);
    const [strides, dilations, extra] = [each('strides', 1), each('dilations', 1), each('output_padding', 0)];
    const pads = node.ints('pads') ?? kernel.flatMap(() => [0, 0]);
    const ones = Tensor.float32(new Float32Array(channels).fill(1), [channels, 1, ...kernel.map(() => 1)]);
    const spread = strides.some((stride) => stride > 1)
      ? this.node('ConvTranspose', [x, this.#graph.addInitializer('repair_ones', ones)], { group: channels, strides })
      : x;
    const reach = kernel.map((size, k) => (dilations[k] as number) * (size - 1));
    const around = [
      ...reach.map((size, k) => size - (pads[k] as number)),
      ...reach.map((size, k) => size - (pads[kernel.length + k] as number) + (extra[k] as number)),
    ];
    return this.#windowsOf(
      spread,
      layer,
      channels,
      kernel.map(() => 1),
      around,
    );
  }

  #windowsOf(
    x: Value,
    { node, tensor, groups, inputs }: RepairLayer,
    channels: number,
    strides: readonly number[],
    pads: readonly number[],
  ): Value {
    const kernel = tensor.dims.slice(2);
    const dilations = node.ints('dilations') ?? kernel.map(() => 1);
    const padded = pads.some((pad) => pad !== 0) ? this.#pad(x, pads) : x;
    const axes = kernel.map((_, at) => at + 2);
    const slices = positions(kernel).map((position) => {
      const starts = position.map((at, k) => at * (dilations[k] as number));
      const ends = position.map((at, k) => {
        const after = (dilations[k] as number) * ((kernel[k] as number) - 1 - at);
        return after === 0 ? 2 ** 31 - 1 : -after;
      });
      const slice = this.#slice(padded, starts, ends, axes, strides);
      // [N, C, …] becomes [N, 1, C, P].
      return this.reshape(slice, [0, 1, channels, -1]);
    });
    const all = slices.length === 1 ? (slices[0] as Value) : this.node('Concat', slices, { axis: 1 });
    const split = this.reshape(all, [0, slices.length, groups, channels / groups, -1]);
    return this.reshape(this.transpose(split, [2, 1, 3, 0, 4]), [groups, inputs, -1]);
  }

  /** [1, K, rows] of the last axis. */
  rowsOf(x: Value, { inputs }: RepairLayer): Value {
    return this.reshape(this.transpose(this.reshape(x, [-1, inputs]), [1, 0]), [1, inputs, -1]);
  }

  /** [groups, O, rows]. */
  targets(y: Value, { kind, groups, outputs }: RepairLayer): Value {
    if (kind === 'matrix')
      return this.reshape(this.transpose(this.reshape(y, [-1, outputs]), [1, 0]), [1, outputs, -1]);
    const split = this.reshape(y, [0, groups, outputs, -1]);
    return this.reshape(this.transpose(split, [1, 2, 0, 3]), [groups, outputs, -1]);
  }

  /** A sum less all but one of its parts, which are those of the pruned network. */
  without(sum: Value, { others }: Residual, layer: RepairLayer): Value {
    let rest = sum;
    for (const other of others) {
      const own = this.#graph.values.get(other.name);
      if (own) rest = this.node('Sub', [rest, this.wide(own, layer)]);
    }
    return rest;
  }

  take(y: Value, kept: Int32Array, { kind }: RepairLayer): Value {
    return this.node('Gather', [y, this.ints([...kept])], { axis: kind === 'matrix' ? -1 : 1 });
  }

  product(a: Value, b: Value): Value {
    return this.node('MatMul', [a, this.transpose(b, [0, 2, 1])]);
  }

  sum(value: Value): Value {
    return this.#opset >= 13
      ? this.node('ReduceSum', [value, this.ints([2])], { keepdims: 0 })
      : this.node('ReduceSum', [value], { axes: [2], keepdims: 0 });
  }

  #pad(x: Value, pads: readonly number[]): Value {
    const half = pads.length / 2;
    const all = [0, 0, ...pads.slice(0, half), 0, 0, ...pads.slice(half)];
    return this.#opset >= 11 ? this.node('Pad', [x, this.ints(all)]) : this.node('Pad', [x], { pads: all });
  }

  #slice(
    x: Value,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps: readonly number[],
  ): Value {
    return this.node('Slice', [x, this.ints(starts), this.ints(ends), this.ints(axes), this.ints(steps)]);
  }
}

/** Every position of a window, the last axis fastest: the order of the weight. */
function positions(kernel: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const size of kernel) all = all.flatMap((before) => Array.from({ length: size }, (_, at) => [...before, at]));
  return all;
}
