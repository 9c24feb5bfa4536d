/** Carries out a plan of static quantization. */
import { floatAttribute } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import type { Use, Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { biasScales, parametersForBias, quantizeBias } from '../../quantize/bias.js';
import type { StaticPlan } from '../../quantize/plan.js';
import { plannedRange } from '../../quantize/planned-range.js';
import { type QuantizationParameters, type QuantizationScheme, quantizationParameters } from '../../quantize/scheme.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { WeightedNode } from '../../quantize/weighted.js';
import { type WeightParameters, weightParameters, weightRanges } from '../../quantize/weights.js';
import type { Tensor } from '../../tensor/tensor.js';
import { dropIfUnused } from '../constants.js';
import { absorbConsumer } from '../nodes.js';
import { QdqWriter } from './qdq-writer.js';

export interface RewriteOptions {
  readonly ranges: RangeMap;
  readonly activations: QuantizationScheme;
  /** `float` leaves biases as they are. */
  readonly biases: QuantizationScheme | 'float';
}

/** Scales and zero points of weights, each weight read once for each axis. */
export class WeightScan {
  readonly #scheme: QuantizationScheme;
  readonly #known: Map<Tensor, Map<number | undefined, WeightParameters | undefined>> = new Map();

  constructor(scheme: QuantizationScheme) {
    this.#scheme = scheme;
  }

  /** Undefined when the weight holds NaN or an infinity. */
  parameters({ weight, axis }: WeightedNode): WeightParameters | undefined {
    const perChannel = this.#scheme.granularity.kind === 'channel';
    const channelAxis = perChannel ? axis : undefined;
    let byAxis = this.#known.get(weight);
    if (!byAxis) {
      byAxis = new Map();
      this.#known.set(weight, byAxis);
    }
    if (!byAxis.has(channelAxis)) {
      // Kernels take one zero point for all channels, so ranges per channel have to be symmetric.
      const symmetric = this.#scheme.symmetric || perChannel;
      const scheme: QuantizationScheme = {
        ...this.#scheme,
        symmetric,
        granularity: perChannel ? { kind: 'channel', axis } : { kind: 'tensor' },
      };
      const ranges = weightRanges(weight, channelAxis, symmetric);
      byAxis.set(channelAxis, ranges && weightParameters(ranges, scheme));
    }
    return byAxis.get(channelAxis);
  }
}

export class StaticRewriter {
  readonly #plan: StaticPlan;
  readonly #options: RewriteOptions;
  readonly #scan: WeightScan;
  readonly #writer: QdqWriter;
  readonly #scheme: QuantizationScheme;

  constructor(plan: StaticPlan, options: RewriteOptions, scan: WeightScan) {
    this.#plan = plan;
    this.#options = options;
    this.#scan = scan;
    this.#writer = new QdqWriter(options.activations);
    this.#scheme = options.activations;
  }

  /** Number of nodes that compute with integers now. */
  run(): number {
    const { weighted, unweighted, clamps } = this.#plan;
    const replaced = new Set<Value>();
    for (const one of weighted) this.#rewriteWeights(one, replaced);
    for (const { node, slots } of unweighted) this.#rewriteConstants(node, slots, replaced);
    // Uses are collected before anything is inserted, so that a pair never feeds another one by accident.
    const pairs = [...this.#plan.tensors].map(([value, root]) => ({ value, root, uses: this.#integerUses(value) }));
    for (const clamp of clamps.values()) this.#removeClamp(clamp);
    for (const { value, root, uses } of pairs) this.#addPairs(value, root, uses);
    for (const value of replaced) dropIfUnused(value);
    return weighted.length + unweighted.length;
  }

  #parameters(root: Value): QuantizationParameters {
    const range = plannedRange(this.#plan, root, this.#options.ranges);
    return quantizationParameters(range.min, range.max, this.#scheme);
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

  #addPairs(value: Value, root: Value, integerUses: readonly Use[]): void {
    const parameters = this.#parameters(root);
    let source = value;
    if (this.#plan.produced.has(value)) {
      if (value.isGraphOutput) this.#writer.addPairBeforeOutput(value, root, parameters);
      else source = this.#writer.addPair(value.graph, value, [...value.uses], root, parameters);
    }
    const done = this.#plan.produced.has(value) ? value.graph : undefined;
    const byGraph = new Map<Graph, Use[]>();
    for (const { node, slot } of integerUses) {
      if (node.graph === done) continue;
      const uses = byGraph.get(node.graph) ?? [];
      uses.push({ node, slot });
      byGraph.set(node.graph, uses);
    }
    for (const [graph, uses] of byGraph) this.#writer.addPair(graph, source, uses, root, parameters);
  }

  #rewriteWeights(one: WeightedNode, replaced: Set<Value>): void {
    const { node, weight, bias } = one;
    const input = node.input(0) as Value;
    const weightValue = node.input(1) as Value;
    let parameters = this.#scan.parameters(one);
    if (!parameters) return;
    if (bias && this.#options.biases !== 'float') {
      const inputScale = this.#parameters(this.#plan.tensors.get(input) ?? input).scale;
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
      const ranges = weightRanges(tensor, undefined, this.#scheme.symmetric);
      if (!ranges) continue;
      const parameters = weightParameters(ranges, this.#scheme);
      node.setInput(slot, this.#writer.dequantizedWeight(value, tensor, parameters, node));
      replaced.add(value);
    }
  }
}
