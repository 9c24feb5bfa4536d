import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
import { attendedFrom, attendedValues } from './attended-values.js';
import { alongChannels, rankOf, type ScaledConstant } from './channel-axis.js';
import { channelsThrough, joinedBackward } from './homogeneous.js';

/** A layer that reads channels, with the axis of its weight that they meet. */
export interface ScaledReader {
  readonly node: Node;
  readonly slot: number;
  readonly axis: number;
  /** What it reads, and the axis of the channels there. */
  readonly value: Value;
  readonly channelAxis: number;
}

/**
 * Channels that can be scaled without changing what the model computes: whatever writes them is divided by a factor a channel,
 * whatever reads them is multiplied by it, and all operators between hand the factor on.
 */
export interface ScaleGroup {
  readonly channels: number;
  readonly constants: readonly ScaledConstant[];
  readonly readers: readonly ScaledReader[];
  /** What writes the channels: layers alone, or a normalization or product with a constant too. */
  readonly writers: 'layers' | 'normalization';
  /** Name of the first value, for reports. */
  readonly name: string;
}

/** Normalizations over the last axis, and the inputs that scale and shift their first output. */
const LAST_AXIS_NORMALIZATIONS: ReadonlyMap<string, readonly number[]> = new Map([
  [':LayerNormalization', [1, 2]],
  [':RMSNormalization', [1]],
  [':SimplifiedLayerNormalization', [1]],
  ['com.microsoft:SkipLayerNormalization', [2, 3]],
  ['com.microsoft:SkipSimplifiedLayerNormalization', [2]],
]);

/** Most values of one group: what is larger is a residual stream through the whole model, and is followed too. */
const MOST_VALUES = 5000;

/**
 * Every group of channels that may be scaled, in the order of the graph. Cross-layer equalization (Nagel et al. 2019) and
 * SmoothQuant (Xiao et al. 2023) choose factors for them. Types are to be known (`inferTypes`).
 */
export function scaleGroups(model: Model): ScaleGroup[] {
  const groups: ScaleGroup[] = [];
  const seen = new Set<Value>();
  for (const node of model.graph.nodes) {
    for (const slot of node.inputs.keys()) {
      const value = node.input(slot);
      const reader = value && readerOf(value, node, slot);
      if (!value || !reader || seen.has(value)) continue;
      for (const start of starts(value)) {
        const flood = new Flood(reader.channelAxis, reader.channels);
        const group = flood.from(start);
        for (const each of flood.values.keys()) seen.add(each);
        if (!group) continue;
        groups.push(group);
        break;
      }
    }
  }
  return groups;
}

/** Where channels of a value can be followed from: of a product of two values, such as a gated layer, either one takes the factors. */
function starts(value: Value): Value[] {
  const { producer } = value;
  if (!producer?.is('Mul')) return [value];
  const operands = producer.inputs.filter((input) => input !== undefined && !constantTensor(input));
  return operands.length < 2 ? [value] : operands.filter((operand) => operand !== undefined);
}

interface Reader extends ScaledReader {
  readonly channels: number;
}

/** The layer with weights that a use of a value is, where each channel meets weights of its own. */
export function readerOf(value: Value, node: Node, slot: number): Reader | undefined {
  if (slot !== 0 || node.graph !== value.graph) return undefined;
  const weight = node.input(1);
  const tensor = constantTensor(weight);
  if (!weight || !tensor || tensor.dataType !== DataType.FLOAT || weight.uses.size !== 1) return undefined;
  const rank = rankOf(value);
  if (node.is('Conv')) {
    const channels = tensor.dims[1] as number;
    const group = node.int('group', 1);
    if (group === 1) return { node, slot: 1, axis: 1, value, channelAxis: 1, channels };
    // Depthwise, one output a channel: the output has the channel of its input.
    if (channels !== 1 || tensor.dims[0] !== group) return undefined;
    return { node, slot: 1, axis: 0, value, channelAxis: 1, channels: group };
  }
  if (rank === undefined || tensor.rank !== 2 || rank < 1) return undefined;
  if (node.is('MatMul'))
    return { node, slot: 1, axis: 0, value, channelAxis: rank - 1, channels: tensor.dims[0] as number };
  if (!node.is('Gemm') || node.int('transA', 0) !== 0) return undefined;
  const axis = node.int('transB', 0) === 0 ? 0 : 1;
  return { node, slot: 1, axis, value, channelAxis: 1, channels: tensor.dims[axis] as number };
}

/** Follows channels from one value to all that must be scaled with it. */
class Flood {
  readonly values: Map<Value, number> = new Map();
  readonly #channels: number;
  readonly #constants: ScaledConstant[] = [];
  readonly #readers: ScaledReader[] = [];
  readonly #writers: Set<'layers' | 'normalization'> = new Set();
  readonly #passed: Set<Node> = new Set();
  /** Factors of products with scaled channels, which must not be scaled themselves. */
  readonly #factors: Value[] = [];
  readonly #start: number;

  constructor(axis: number, channels: number) {
    this.#start = axis;
    this.#channels = channels;
  }

  /** The group of a value; undefined where something on the way is no scaling of channels. */
  from(value: Value): ScaleGroup | undefined {
    const queue: [Value, number][] = [[value, this.#start]];
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [each, axis] = next;
      const known = this.values.get(each);
      if (known !== undefined) {
        if (known !== axis) return undefined;
        continue;
      }
      if (this.values.size >= MOST_VALUES) return undefined;
      this.values.set(each, axis);
      const more = this.#follow(each, axis);
      if (!more) return undefined;
      queue.push(...more);
    }
    if (this.#readers.length === 0 || this.#factors.some((factor) => this.values.has(factor))) return undefined;
    if (!this.#constants.some(({ divides }) => divides)) return undefined;
    return {
      channels: this.#channels,
      constants: distinct(this.#constants),
      readers: this.#readers,
      writers: this.#writers.has('normalization') ? 'normalization' : 'layers',
      name: value.name,
    };
  }

  #follow(value: Value, axis: number): [Value, number][] | undefined {
    if (value.isGraphOutput || value.isGraphInput || value.pinned || !isFloat(value)) return undefined;
    const back = value.producer && this.#backward(value, value.producer, axis);
    if (!back) return undefined;
    const found = [...back];
    for (const { node, slot } of value.uses) {
      const ahead = this.#forward(value, node, slot, axis);
      if (!ahead) return undefined;
      found.push(...ahead);
    }
    return found;
  }

  /** What writes a value: constants that are scaled, or operators that hand factors on. */
  #backward(value: Value, node: Node, axis: number): [Value, number][] | undefined {
    if (node.graph !== value.graph) return undefined;
    const constants = this.#written(value, node, axis);
    if (constants) {
      this.#constants.push(...constants);
      return [];
    }
    const values = axis === (rankOf(value) ?? 0) - 1 ? attendedFrom(value, this.#channels) : undefined;
    if (values) return rankOf(values) === 3 ? [[values, 2]] : undefined;
    // Of two factors, the one that was followed here has the scale.
    if (node.is('Mul') && node.inputs.some((input) => input && this.values.has(input))) return [];
    return joinedBackward(node, axis, this.#channels, (constant) => this.#constants.push(constant));
  }

  /** The constants of a node that decide the scale of its output alone. */
  #written(value: Value, node: Node, axis: number): ScaledConstant[] | undefined {
    const all = (kind: 'layers' | 'normalization', ...places: [slot: number, axis: number][]) => {
      const constants = places.filter(([slot]) => node.input(slot) !== undefined);
      if (!constants.every(([slot, at]) => this.#fits(node, slot, at))) return undefined;
      this.#writers.add(kind);
      return constants.map(([slot, at]) => ({ node, slot, axis: at, divides: true }));
    };
    if (node.is('Conv') && axis === 1) return all('layers', [1, 0], [2, 0]);
    if (node.is('MatMul') && constantTensor(node.input(1))?.rank === 2 && axis === (rankOf(node.output()) ?? 0) - 1)
      return all('layers', [1, 1]);
    if (node.is('Gemm') && axis === 1) {
      const bias = constantTensor(node.input(2));
      return all('layers', [1, node.int('transB', 0) === 0 ? 1 : 0], [2, (bias?.rank ?? 1) - 1]);
    }
    if ((node.is('BatchNormalization') || node.is('InstanceNormalization')) && axis === 1)
      return all('normalization', [1, 0], [2, 0]);
    const slots = LAST_AXIS_NORMALIZATIONS.get(`${node.domain}:${node.opType}`);
    if (slots) {
      const isScaled = value === node.outputs[0] && constantTensor(node.input(slots[0] as number))?.rank === 1;
      if (!isScaled || axis !== (rankOf(value) ?? 0) - 1) return undefined;
      return all('normalization', ...slots.map((slot): [number, number] => [slot, 0]));
    }
    const slot = node.is('Mul') ? [0, 1].find((at) => constantTensor(node.input(at))) : undefined;
    if (slot === undefined) return undefined;
    const at = alongChannels(node, slot, axis, this.#channels);
    return at === undefined ? undefined : all('normalization', [slot, at]);
  }

  #fits(node: Node, slot: number, axis: number): boolean {
    const value = node.input(slot);
    const tensor = constantTensor(value);
    return (
      tensor !== undefined &&
      tensor.dataType === DataType.FLOAT &&
      tensor.dims[axis] === this.#channels &&
      // A vector that others share is copied for this node.
      (value?.uses.size === 1 || tensor.size === this.#channels)
    );
  }

  #forward(value: Value, node: Node, slot: number, axis: number): [Value, number][] | undefined {
    if (node.graph !== value.graph) return undefined;
    const reader = readerOf(value, node, slot);
    if (reader) {
      if (reader.channelAxis !== axis || reader.channels !== this.#channels) return undefined;
      this.#readers.push(reader);
      this.#constants.push({ node, slot: 1, axis: reader.axis, divides: false });
      return [];
    }
    if (this.#passed.has(node)) return [];
    this.#passed.add(node);
    const attended = axis === 2 && rankOf(value) === 3 && slot === 0 ? attendedValues(node, this.#channels) : undefined;
    if (attended) return [[attended, 2]];
    const factor = node.is('Mul') || node.is('Div') ? node.input(1 - slot) : undefined;
    if (factor) this.#factors.push(factor);
    return channelsThrough(node, slot, axis, this.#channels, (constant) => this.#constants.push(constant));
  }
}

function isFloat({ type }: Value): boolean {
  return type?.kind === 'tensor' && type.dataType === DataType.FLOAT;
}

function distinct(constants: readonly ScaledConstant[]): ScaledConstant[] {
  const seen = new Map<string, ScaledConstant>();
  const ids = new Map<Node, number>();
  for (const constant of constants) {
    const id = ids.get(constant.node) ?? ids.size;
    ids.set(constant.node, id);
    seen.set(`${id}:${constant.slot}:${constant.divides}`, constant);
  }
  return [...seen.values()];
}
