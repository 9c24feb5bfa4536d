import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import type { Use, Value } from '../../ir/value.js';
import { productUnits } from '../../quantize/activation-products.js';
import { fixedRange } from '../../quantize/operator-classes.js';
import { type QuantizationScheme, quantizationParameters, quantizedTypeName } from '../../quantize/scheme.js';
import { planTensorRt, type TensorRtPlan } from '../../quantize/tensorrt-plan.js';
import { TENSORRT_SCHEMES } from '../../quantize/tensorrt-schemes.js';
import type { RangeMap, ValueRange } from '../../quantize/value-range.js';
import { dropIfUnused } from '../constants.js';
import { nodeSelector } from '../node-filter.js';
import { definePass } from '../pass.js';
import { nodeKey } from './float16/plan.js';
import { QdqWriter } from './qdq-writer.js';
import { WeightScan } from './weight-scan.js';

export interface QuantizeTensorRtOptions {
  /** Observed minimum and maximum by tensor name, for every tensor that `planTensorRt` asks to observe. */
  ranges: RangeMap;
  /** Node names, globs or op types; only these when not empty. */
  include: readonly string[];
  /** Node names, globs or op types that stay in float. */
  exclude: readonly string[];
  /** Weights stay FLOAT in front of a QuantizeLinear, which TensorRT before 10 needs; otherwise they are INT8 constants. */
  floatWeights: boolean;
  /** INT8 or FLOAT8E4M3FN, symmetric. */
  activations: QuantizationScheme;
  weights: QuantizationScheme;
  /** Reasons why products of two activations stay in float, by their first output; the others are quantized. Undefined: all stay. */
  products: ReadonlyMap<string, string> | undefined;
}

/**
 * INT8 as TensorRT's explicit quantization takes it: quantized(x) = clip(round(x / scale)) with signed integers, zero point 0
 * everywhere, one scale for an activation and one for each output channel of a weight; biases stay FLOAT. With FLOAT8E4M3FN in place of
 * INT8, quantized(x) is x / scale rounded to 4 significant bits, and 448 where it is beyond.
 *
 * Fires on Conv, ConvTranspose, Gemm and MatMul with constant FLOAT weights, whose data and weight get a Quantize/Dequantize pair, and on
 * the skip connection of an Add after a quantized convolution; and on both operands of the products of two activations that `products`
 * lets pass. Refuses layers whose range is missing, zero or not finite, whose
 * weights are not finite, and opsets below 13 (19 for FLOAT8E4M3FN). Numerics: lossy. Reference: NVIDIA TensorRT
 * documentation, "Explicit Quantization"; Wu et al. 2020 (arXiv 2004.09602).
 */
export const quantizeTensorrt = definePass<QuantizeTensorRtOptions>({
  name: 'quantize-tensorrt',
  summary: "Places symmetric INT8 pairs as TensorRT's explicit quantization wants them.",
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [13, null],
  options: {
    ranges: { description: 'observed range of each tensor', default: new Map(), internal: true },
    include: { description: 'only these nodes: names, globs or op types', default: [] },
    exclude: { description: 'not these nodes: names, globs or op types', default: [] },
    floatWeights: { description: 'weights stay FLOAT before a QuantizeLinear', default: false },
    activations: { description: 'scheme of activations', default: TENSORRT_SCHEMES.int8.activations, internal: true },
    weights: { description: 'scheme of weights', default: TENSORRT_SCHEMES.int8.weights, internal: true },
    products: { description: 'products of activations to leave, by first output', default: undefined, internal: true },
  },
  run(model, options) {
    const { storage } = options.activations;
    const needed = Object.values(TENSORRT_SCHEMES).find((each) => each.activations.storage === storage)?.opset ?? 21;
    if (model.opset() < needed) {
      const what = quantizedTypeName(options.activations);
      return {
        changed: 0,
        notes: [`opset ${model.opset()} has no ${what} with scales per channel: upgrade to opset ${needed} first`],
      };
    }
    const scan = new WeightScan(() => options.weights, true);
    const { plan, refused } = usablePlan(model, options, scan);
    writePlan(plan, options, scan);
    const left = [
      ...plan.left.filter(({ node }) => !refused.has(node)),
      ...[...refused].map(([node, reason]) => ({ node, reason })),
    ];
    const refusals = left.map(
      ({ node, reason }): Refusal => ({
        pass: 'quantize-tensorrt',
        node: nodeLabel(node),
        opType: node.opType,
        reason,
      }),
    );
    const { length } = plan.products;
    const notes = length === 0 ? [] : [`${length} product${length === 1 ? '' : 's'} of two activations quantized`];
    return { changed: plan.weighted.length + length, refusals, notes };
  },
});

/** Plans again without the layers that cannot be quantized, until every range and weight the plan needs is there. */
function usablePlan(
  model: Model,
  options: QuantizeTensorRtOptions,
  scan: WeightScan,
): { readonly plan: TensorRtPlan; readonly refused: ReadonlyMap<Node, string> } {
  const selected = nodeSelector(model, options);
  const refused = new Map<Node, string>();
  const units = options.products ? productUnits(model) : [];
  for (;;) {
    const mayBe = (node: Node): boolean => selected(node) && !refused.has(node);
    const plan = planTensorRt(model, mayBe, options.products && ((node) => options.products?.get(nodeKey(node))));
    const before = refused.size;
    for (const one of plan.weighted) {
      const reason = whyUnusable(one.node.input(0) as Value, options.ranges);
      if (reason !== undefined) refused.set(one.node, reason);
      else if (!scan.parameters(one)) refused.set(one.node, 'its weight has NaN or infinite values');
    }
    for (const node of plan.products) {
      const reasons = [0, 1].map((slot) => whyUnusable(node.input(slot) as Value, options.ranges));
      const reason = reasons.find((each) => each !== undefined);
      if (reason === undefined) continue;
      refused.set(node, reason);
      const others = units.find(({ nodes }) => nodes.includes(node))?.nodes ?? [];
      for (const other of others)
        if (other !== node) refused.set(other, 'the other product of its attention stays in float');
    }
    if (refused.size === before) return { plan, refused };
  }
}

/** What was observed, or what the operator gives whatever it is fed: a Softmax between 0 and 1. */
function rangeOf(value: Value, ranges: RangeMap): ValueRange | undefined {
  return fixedRange(value.producer) ?? ranges.get(value.name);
}

function whyUnusable(value: Value, ranges: RangeMap): string | undefined {
  const { name } = value;
  const range = rangeOf(value, ranges);
  if (!range) return `no range was observed for "${name}": no sample reached it`;
  const { min, max } = range;
  if (!Number.isFinite(min) || !Number.isFinite(max) || min > max)
    return `the range of "${name}" is not finite: [${min}, ${max}]`;
  return min === 0 && max === 0 ? `"${name}" was 0 in all samples: its range is unknown` : undefined;
}

function writePlan(
  plan: TensorRtPlan,
  { ranges, floatWeights, activations }: QuantizeTensorRtOptions,
  scan: WeightScan,
): void {
  const writer = new QdqWriter();
  const replaced = new Set<Value>();
  for (const one of plan.weighted) {
    const { node, weight } = one;
    const parameters = scan.parameters(one);
    const original = node.input(1) as Value;
    if (!parameters) continue;
    // The weight holds it now.
    if (node.is('Gemm')) node.removeAttribute('alpha');
    const write = floatWeights ? 'pairedWeight' : 'dequantizedWeight';
    node.setInput(1, writer[write](original, weight, parameters, node));
    replaced.add(original);
  }
  for (const [value, uses] of plan.tensors) {
    const range = rangeOf(value, ranges);
    // A skip connection without a usable range stays in float: the Add is then not fused, and right.
    if (!range || whyUnusable(value, ranges) !== undefined) continue;
    const parameters = { ...quantizationParameters(range.min, range.max, activations), scheme: activations };
    for (const [graph, inside] of byGraph(uses)) writer.addPair(graph, value, inside, value, parameters);
  }
  for (const value of replaced) dropIfUnused(value);
}

function byGraph(uses: readonly Use[]): ReadonlyMap<Graph, readonly Use[]> {
  const groups = new Map<Graph, Use[]>();
  for (const use of uses) {
    const group = groups.get(use.node.graph);
    if (group) group.push(use);
    else groups.set(use.node.graph, [use]);
  }
  return groups;
}
