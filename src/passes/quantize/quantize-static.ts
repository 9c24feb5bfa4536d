import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import type { Use, Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { planStatic, type StaticPlan } from '../../quantize/plan.js';
import { knownRange, losesProbabilities, lostChannel, plannedRange } from '../../quantize/planned-range.js';
import {
  type QuantizationScheme,
  quantizationParameters,
  quantizedTypeName,
  S8_WEIGHTS,
  S32_BIASES,
  U8_ACTIVATIONS,
} from '../../quantize/scheme.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { Tensor } from '../../tensor/tensor.js';
import { keptNodes } from '../kept-nodes.js';
import { nodeSelector } from '../node-filter.js';
import { definePass } from '../pass.js';
import { StaticRewriter, WeightScan } from './static-rewriter.js';

export interface QuantizeStaticOptions {
  /** Observed minimum and maximum by tensor name, for every tensor that `planStatic` asks to observe. */
  ranges: RangeMap;
  /** Node names, globs or op types; only these when not empty. */
  include: readonly string[];
  /** Node names, globs or op types that stay in float. */
  exclude: readonly string[];
  /** UINT8 or INT8 with one scale. */
  activations: QuantizationScheme;
  /** UINT8 or INT8 with one scale, or one for each output channel. */
  weights: QuantizationScheme;
  /** INT32, which ONNX Runtime's integer Conv and Gemm need, or `float` for biases as they are. */
  biases: QuantizationScheme | 'float';
  /** Quantize every node of these op types, inputs and outputs, as ONNX Runtime's Python quantizer does; empty: the plan decides. */
  opTypes: readonly string[];
  /** Bytes by which INT8 copies of weights that something else reads in FP32 may make the file larger. */
  growthBytes: number;
  /** Reasons to keep layers in float, by the name of their first output. */
  kept: ReadonlyMap<string, string>;
}

/**
 * Static INT8 in the QDQ form: quantized(x) = clip(round(x / scale) + zeroPoint). Weights become 8-bit constants behind
 * a DequantizeLinear, biases INT32 ones, and activations pass through a quantize–dequantize pair, which runtimes with
 * INT8 kernels fuse to integer operators.
 *
 * Fires on Conv, Gemm and MatMul with constant FLOAT weights, and on nodes between two quantized ones that have an INT8
 * kernel. Refuses nodes whose range is missing or not finite, whose weights are not finite, and opsets below 10; one
 * scale per channel needs opset 13. Numerics: lossy. Reference: Jacob et al. 2018 (arXiv 1712.05877); ONNX Runtime
 * `quantize_static`.
 */
export const quantizeStatic = definePass<QuantizeStaticOptions>({
  name: 'quantize-static',
  summary: 'Quantizes weights and activations to INT8 with measured ranges.',
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [10, null],
  options: {
    ranges: { description: 'observed range of each tensor', default: new Map(), internal: true },
    include: { description: 'only these nodes: names, globs or op types', default: [] },
    exclude: { description: 'not these nodes: names, globs or op types', default: [] },
    activations: { description: 'scheme of activations', default: U8_ACTIVATIONS, internal: true },
    weights: { description: 'scheme of weights', default: S8_WEIGHTS, internal: true },
    biases: { description: "scheme of biases, or 'float'", default: S32_BIASES, internal: true },
    opTypes: { description: 'quantize every node of these op types', default: [] },
    growthBytes: { description: 'limit in bytes on copies of shared weights', default: 0 },
    kept: { description: 'reasons to keep layers, by first output', default: new Map(), internal: true },
  },
  run(model, options) {
    if (quantizedTypeName(options.activations) === 's8' && quantizedTypeName(options.weights) === 'u8') {
      throw new ServeOptError('SO1002', 'INT8 activations cannot be combined with UINT8 weights', {
        hint: 'use s8 weights, or u8 activations',
      });
    }
    if (model.opset() < 10) {
      return { changed: 0, notes: [`opset ${model.opset()} has no QuantizeLinear: upgrade to opset 13 first`] };
    }
    const notes: string[] = [];
    let { weights } = options;
    if (weights.granularity.kind === 'channel' && model.opset() < 13) {
      weights = { ...weights, granularity: { kind: 'tensor' } };
      notes.push(`opset ${model.opset()} allows one scale per weight only: upgrade to opset 13 for one per channel`);
    }
    const scan = new WeightScan(weights);
    const { plan, refused } = usablePlan(model, options, scan);
    const rewriter = new StaticRewriter(plan, options, scan);
    const changed = rewriter.run();
    const refusals = [...plan.left.filter(({ node }) => !refused.has(node)), ...toLeft(refused)].map(
      ({ node, reason }): Refusal => ({ pass: 'quantize-static', node: nodeLabel(node), opType: node.opType, reason }),
    );
    return { changed, refusals, notes };
  },
});

const toLeft = (refused: ReadonlyMap<Node, string>) => [...refused].map(([node, reason]) => ({ node, reason }));

/** Plans again without the nodes that cannot be quantized, until every range and weight the plan needs is there. */
function usablePlan(
  model: Model,
  options: QuantizeStaticOptions,
  scan: WeightScan,
): { readonly plan: StaticPlan; readonly refused: ReadonlyMap<Node, string> } {
  const selected = nodeSelector(model, options);
  const refused = keptNodes(model, options.kept);
  for (;;) {
    const plan = planStatic(model, {
      select: (node) => selected(node) && !refused.has(node),
      opTypes: options.opTypes.length > 0 ? options.opTypes : undefined,
      dropClamps: !options.activations.symmetric,
    });
    const before = refused.size;
    for (const weighted of plan.weighted) {
      if (!scan.parameters(weighted)) refused.set(weighted.node, 'its weight has NaN or infinite values');
      else if (!holdsFinite(weighted.bias?.tensor)) refused.set(weighted.node, 'its bias has NaN or infinite values');
    }
    refuseWithoutRange(plan, options.ranges, refused);
    refuseLosingChannels(plan, options, refused);
    if (refused.size === before && options.opTypes.length === 0) refuseCopies(plan, options.growthBytes, refused);
    if (refused.size === before) return { plan, refused };
  }
}

const holdsFinite = (tensor: Tensor | undefined): boolean => !tensor || tensor.float32Array().every(Number.isFinite);

/** Refuses the nodes that read or write a tensor without a usable range. */
function refuseWithoutRange(plan: StaticPlan, ranges: RangeMap, refused: Map<Node, string>): void {
  const planned = new Set<Node>();
  for (const { node, bias } of plan.weighted) planned.add(node).add(bias?.node ?? node);
  for (const { node } of plan.unweighted) planned.add(node);
  const owners = new Map<Node, Node>();
  for (const { node, bias } of plan.weighted) if (bias) owners.set(bias.node, node);
  for (const [value, root] of plan.tensors) {
    const reason = whyUnusable(root, plan, ranges);
    if (reason === undefined) continue;
    const clamp = plan.clamps.get(value);
    const source = plan.produced.has(value) ? (clamp ? clamp.input(0)?.producer : value.producer) : undefined;
    const touching = [...value.uses].map((use) => use.node);
    if (source) touching.push(source);
    for (const node of touching) if (planned.has(node)) refused.set(owners.get(node) ?? node, reason);
  }
}

function whyUnusable(root: Value, plan: StaticPlan, ranges: RangeMap): string | undefined {
  const range = knownRange(root, ranges, plan);
  if (!range) return `no range was observed for "${root.name}": no sample reached it`;
  const isUsable = Number.isFinite(range.min) && Number.isFinite(range.max) && range.min <= range.max;
  if (!isUsable) return `the range of "${root.name}" is not finite: [${range.min}, ${range.max}]`;
  if (range.min === 0 && range.max === 0) return `"${root.name}" was 0 in all samples: its range is unknown`;
  if (!plan.pinsFixedRanges && losesProbabilities(root, range))
    return `8 bits would round most of the probabilities in "${root.name}" to 0`;
  return undefined;
}

/** Refuses the convolutions that would lose a channel of what leaves the model. */
function refuseLosingChannels(plan: StaticPlan, options: QuantizeStaticOptions, refused: Map<Node, string>): void {
  for (const [node, value] of plan.heads) {
    const range = options.ranges.get(value.name);
    if (refused.has(node) || !range) continue;
    const { min, max } = plannedRange(plan, value, options.ranges);
    const channel = lostChannel(range, quantizationParameters(min, max, options.activations).scale);
    if (channel !== undefined)
      refused.set(
        node,
        `one scale for all channels of "${value.name}", an output of the model, would lose channel ${channel}`,
      );
  }
}

/**
 * Refuses the layers whose weights something else reads in FP32: these stay in the file, and the INT8 copy makes it larger. Not where
 * what the others save is more than that.
 */
function refuseCopies({ weighted }: StaticPlan, growthBytes: number, refused: Map<Node, string>): void {
  const nodes = new Set(weighted.map(({ node }) => node));
  const copied = new Map<Value, Use>();
  let balance = 0;
  for (const value of new Set(weighted.map(({ node }) => node.input(1) as Value))) {
    const tensor = constantTensor(value) as Tensor;
    const other = [...value.uses].find(({ node, slot }) => slot !== 1 || !nodes.has(node));
    if (other) copied.set(value, other);
    balance += tensor.size - (other ? 0 : tensor.byteLength);
  }
  if (balance <= growthBytes) return;
  for (const { node } of weighted) {
    const value = node.input(1) as Value;
    const other = copied.get(value)?.node;
    if (!other) continue;
    const reader = `${other.opType} "${nodeLabel(other)}"`;
    refused.set(
      node,
      `"${value.name}" is also read in FP32 (by ${reader}), so INT8 weights would make the file larger`,
    );
  }
}
