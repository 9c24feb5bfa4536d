import { attribute } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import type { RepairLayer } from './repair-layers.js';

/** What a layer reads, as [groups, K, rows]. */
export function inputRows(build: Builder, x: Value, layer: RepairLayer): Value {
  if (layer.kind === 'matrix') return build.rowsOf(x, layer);
  if (layer.kind === 'convolution') return build.windows(x, layer);
  return build.transposedWindows(x, layer);
}

/** Nodes that values are computed by, down to values that are known otherwise. */
export function ancestorsOf(
  values: Iterable<Value | undefined>,
  isKnown: (value: Value) => boolean = () => false,
): Set<Node> {
  const needed = new Set<Node>();
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined || pending.length > 0; value = pending.pop()) {
    const node = value && !isKnown(value) ? value.producer : undefined;
    if (!node || needed.has(node)) continue;
    needed.add(node);
    for (const each of readBy(node)) pending.push(each);
  }
  return needed;
}

/** What a node reads, its subgraphs included. */
export function readBy(node: Node): Value[] {
  const read = node.inputs.filter((value) => value !== undefined);
  for (const { graph } of node.subgraphs()) {
    read.push(...graph.outputs);
    for (const inner of graph.nodes) read.push(...readBy(inner));
  }
  return read;
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
  without(sum: Value, others: readonly Value[], layer: RepairLayer): Value {
    let rest = sum;
    for (const other of others) rest = this.node('Sub', [rest, this.wide(other, layer)]);
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
