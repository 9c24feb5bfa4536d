/** Carries out a plan of static quantization. */
import { floatAttribute } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import type { Use, Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import type { AssignedSchemes, TensorSchemes } from '../../quantize/assigned-schemes.js';
import { biasScales, parametersForBias, quantizeBias } from '../../quantize/bias.js';
import type { StaticPlan } from '../../quantize/plan.js';
import { plannedRange } from '../../quantize/planned-range.js';
import { withoutSaturation } from '../../quantize/saturation.js';
import { type QuantizationScheme, quantizationParameters, sameScheme } from '../../quantize/scheme.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { WeightedNode } from '../../quantize/weighted.js';
import { type WeightParameters, weightParameters, weightRanges } from '../../quantize/weights.js';
import type { Tensor } from '../../tensor/tensor.js';
import { dropIfUnused } from '../constants.js';
import { absorbConsumer } from '../nodes.js';
import { type ActivationParameters, QdqWriter } from './qdq-writer.js';
import type { WeightScan } from './weight-scan.js';

export interface RewriteOptions {
  readonly ranges: RangeMap;
  readonly schemes: AssignedSchemes;
  readonly types: TensorSchemes;
  /** Keeps weights so small that sums of two products fit 16 bits. */
  readonly saturates: boolean;
  /** Every range of an activation reaches so far above its minimum. */
  readonly leastMaximum: number;
}

/** A tensor with what writes it as integers, and the uses that read it so. */
interface TensorPairs {
  readonly value: Value;
  /** The tensor whose range it takes. */
  readonly root: Value;
  readonly written: QuantizationScheme | undefined;
  readonly uses: readonly (Use & { readonly scheme: QuantizationScheme })[];
}

export class StaticRewriter {
  readonly #plan: StaticPlan;
  readonly #options: RewriteOptions;
  readonly #scan: WeightScan;
  readonly #writer: QdqWriter;
  /** Layers whose weights were made smaller so that sums of two products fit 16 bits. */
  readonly narrowed: Node[] = [];
  /** Those made smaller, by what they were. */
  readonly #fitting: Map<WeightParameters, WeightParameters> = new Map();

  constructor(plan: StaticPlan, options: RewriteOptions, scan: WeightScan) {
    this.#plan = plan;
    this.#options = options;
    this.#scan = scan;
    this.#writer = new QdqWriter();
  }

  /** Number of nodes that compute with integers now. */
  run(): number {
    const { weighted, unweighted, clamps } = this.#plan;
    const replaced = new Set<Value>();
    for (const one of weighted) this.#rewriteWeights(one, replaced);
    for (const { node, slots } of unweighted) this.#rewriteConstants(node, slots, replaced);
    // Uses are collected before anything is inserted, so that a pair never feeds another one by accident.
    const { types } = this.#options;
    const pairs = [...this.#plan.tensors].map(([value, root]) => ({
      value,
      root,
      written: types.written(value),
      uses: this.#integerUses(value).map((use) => ({ ...use, scheme: types.read(value, use.node) })),
    }));
    for (const clamp of clamps.values()) this.#removeClamp(clamp);
    for (const pair of pairs) this.#addPairs(pair);
    for (const value of replaced) dropIfUnused(value);
    return weighted.length + unweighted.length;
  }

  #parameters(root: Value, scheme: QuantizationScheme): ActivationParameters {
    const { min, max } = plannedRange(this.#plan, root, this.#options.ranges);
    const highest = Math.max(max, Math.min(min, 0) + this.#options.leastMaximum);
    return { ...quantizationParameters(min, highest, scheme), scheme };
  }

  /** The uses of a value that the plan turns to integers, those of quantized nodes at their data slots. */
  #integerUses(value: Value): Use[] {
    return [...value.uses].filter(({ node, slot }) => this.#dataSlots.get(node)?.includes(slot));
  }

  get #dataSlots(): ReadonlyMap<Node, readonly number[]> {
    this.#slots ??= new Map([
      ...this.#plan.weighted.map(({ node }) => [node, [0]] as const),
      ...this.#plan.unweighted.map(({ node, slots }) => [node, slots] as const),
    ]);
    return this.#slots;
  }
  #slots: ReadonlyMap<Node, readonly number[]> | undefined;

  #removeClamp(clamp: Node): void {
    const producer = clamp.input(0)?.producer;
    if (!producer) return;
    const bounds = clamp.inputs.slice(1);
    absorbConsumer(producer, clamp);
    for (const bound of bounds) if (bound) dropIfUnused(bound);
  }

  /** The pair of the writer, which all uses read, and further ones for readers in other graphs or of other types. */
  #addPairs({ value, root, written, uses }: TensorPairs): void {
    let source = value;
    if (written) {
      const parameters = this.#parameters(root, written);
      if (value.isGraphOutput) this.#writer.addPairBeforeOutput(value, root, parameters);
      else source = this.#writer.addPair(value.graph, value, [...value.uses], root, parameters);
    }
    const groups: { readonly graph: Graph; readonly scheme: QuantizationScheme; readonly uses: Use[] }[] = [];
    for (const { node, slot, scheme } of uses) {
      if (written && node.graph === value.graph && sameScheme(scheme, written)) continue;
      let group = groups.find((each) => each.graph === node.graph && sameScheme(each.scheme, scheme));
      if (!group) {
        group = { graph: node.graph, scheme, uses: [] };
        groups.push(group);
      }
      group.uses.push({ node, slot });
    }
    for (const { graph, scheme, uses: readers } of groups)
      this.#writer.addPair(graph, source, readers, root, this.#parameters(root, scheme));
  }

  #rewriteWeights(one: WeightedNode, replaced: Set<Value>): void {
    const { node, weight, bias } = one;
    const input = node.input(0) as Value;
    const weightValue = node.input(1) as Value;
    let parameters = this.#weightParameters(one);
    if (!parameters) return;
    if (bias && this.#options.schemes.biases !== 'float') {
      const root = this.#plan.tensors.get(input) ?? input;
      const inputScale = this.#parameters(root, this.#options.types.read(input, node)).scale;
      const values = this.#biasValues(one, bias.tensor);
      parameters = parametersForBias(inputScale, parameters, values);
      const biasValue = bias.node.input(bias.slot) as Value;
      const scale = biasScales(inputScale, parameters.scales);
      const integers = quantizeBias(values, scale);
      bias.node.setInput(
        bias.slot,
        this.#writer.dequantizedBias(node.graph, biasValue.name, integers, scale, bias.node),
      );
      if (node.is('Gemm') && node.float('beta', 1) !== 1) node.setAttribute(floatAttribute('beta', 1));
      replaced.add(biasValue);
    }
    // The weight holds it now.
    if (node.is('Gemm')) node.removeAttribute('alpha');
    node.setInput(1, this.#writer.dequantizedWeight(weightValue, weight, parameters, node));
    replaced.add(weightValue);
  }

  #weightParameters(one: WeightedNode): WeightParameters | undefined {
    const whole = this.#scan.parameters(one);
    const { saturates, types } = this.#options;
    if (!whole || !saturates || types.read(one.node.input(0) as Value, one.node).bits !== 8) return whole;
    const known = this.#fitting.get(whole);
    const fitting = known ?? withoutSaturation(one, whole);
    this.#fitting.set(whole, fitting);
    if (fitting !== whole) this.narrowed.push(one.node);
    return fitting;
  }

  /** One value a channel, with the `beta` of a Gemm in it. */
  #biasValues({ node, channels }: WeightedNode, tensor: Tensor): Float32Array {
    const beta = node.is('Gemm') ? node.float('beta', 1) : 1;
    const values = tensor.float32Array();
    const all = values.length === channels ? values : new Float32Array(channels).fill(values[0] as number);
    return beta === 1 ? all : all.map((value) => value * beta);
  }

  /** Constants that a quantized Add, Mul or Concat reads are activations: one scale, the type of activations. */
  #rewriteConstants(node: Node, slots: readonly number[], replaced: Set<Value>): void {
    for (const slot of slots) {
      const value = node.input(slot);
      const tensor = constantTensor(value);
      if (!value || !tensor) continue;
      const scheme = this.#options.types.read(value, node);
      const ranges = weightRanges(tensor, undefined, scheme.symmetric);
      if (!ranges) continue;
      const parameters = weightParameters(ranges, scheme);
      node.setInput(slot, this.#writer.dequantizedWeight(value, tensor, parameters, node));
      replaced.add(value);
    }
  }
}
