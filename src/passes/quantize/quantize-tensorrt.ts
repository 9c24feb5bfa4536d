import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import type { Use, Value } from '../../ir/value.js';
import type { RangeMap } from '../../quantize/observers.js';
import { quantizationParameters, S8_WEIGHTS, schemeOf } from '../../quantize/scheme.js';
import { planTensorRt, type TensorRtPlan } from '../../quantize/tensorrt-plan.js';
import { dropIfUnused } from '../constants.js';
import { nodeSelector } from '../node-filter.js';
import { definePass } from '../pass.js';
import { QdqWriter } from './qdq-writer.js';
import { WeightScan } from './static-rewriter.js';

const S8_ACTIVATIONS = schemeOf('s8', { symmetric: true });

export interface QuantizeTensorRtOptions {
  /** Observed minimum and maximum by tensor name, for every tensor that `planTensorRt` asks to observe. */
  ranges: RangeMap;
  /** Node names, globs or op types; only these when not empty. */
  include: readonly string[];
  /** Node names, globs or op types that stay in float. */
  exclude: readonly string[];
  /** Weights stay FLOAT in front of a QuantizeLinear, which TensorRT before 10 needs; otherwise they are INT8 constants. */
  floatWeights: boolean;
}

/**
 * INT8 as TensorRT's explicit quantization takes it: quantized(x) = clip(round(x / scale)) with signed integers, zero point 0
 * everywhere, one scale for an activation and one for each output channel of a weight; biases stay FLOAT.
 *
 * Fires on Conv, ConvTranspose, Gemm and MatMul with constant FLOAT weights, whose data and weight get a Quantize/Dequantize pair, and on
 * the skip connection of an Add after a quantized convolution. Refuses layers whose range is missing, zero or not finite, whose
 * weights are not finite, products of two activations, and opsets below 13. Numerics: lossy. Reference: NVIDIA TensorRT
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
  },
  run(model, options) {
    if (model.opset() < 13) {
      return { changed: 0, notes: [`opset ${model.opset()} has no scales per channel: upgrade to opset 13 first`] };
    }
    const scan = new WeightScan(S8_WEIGHTS);
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
    return { changed: plan.weighted.length, refusals };
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
  for (;;) {
    const plan = planTensorRt(model, (node) => selected(node) && !refused.has(node));
    const before = refused.size;
    for (const one of plan.weighted) {
      const reason = whyUnusable(one.node.input(0) as Value, options.ranges);
      if (reason !== undefined) refused.set(one.node, reason);
      else if (!scan.parameters(one)) refused.set(one.node, 'its weight has NaN or infinite values');
    }
    if (refused.size === before) return { plan, refused };
  }
}

function whyUnusable({ name }: Value, ranges: RangeMap): string | undefined {
  const range = ranges.get(name);
  if (!range) return `no range was observed for "${name}": no sample reached it`;
  const { min, max } = range;
  if (!Number.isFinite(min) || !Number.isFinite(max) || min > max)
    return `the range of "${name}" is not finite: [${min}, ${max}]`;
  return min === 0 && max === 0 ? `"${name}" was 0 in all samples: its range is unknown` : undefined;
}

function writePlan(plan: TensorRtPlan, { ranges, floatWeights }: QuantizeTensorRtOptions, scan: WeightScan): void {
  const writer = new QdqWriter(S8_ACTIVATIONS);
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
    const range = ranges.get(value.name);
    // A skip connection without a usable range stays in float: the Add is then not fused, and right.
    if (!range || whyUnusable(value, ranges) !== undefined) continue;
    const parameters = quantizationParameters(range.min, range.max, S8_ACTIVATIONS);
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
