import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import type { RangeMap } from '../../quantize/observers.js';
import { fixedRange } from '../../quantize/operator-classes.js';
import { planStatic, type StaticPlan } from '../../quantize/plan.js';
import type { QuantizedType } from '../../quantize/scheme.js';
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
  /** One scale an output channel of a weight. */
  perChannel: boolean;
  /** 7-bit weights. */
  reduceRange: boolean;
  activationType: QuantizedType;
  weightType: QuantizedType;
  /** Activation ranges centred on zero. */
  activationSymmetric: boolean;
  /** Biases as INT32; ONNX Runtime's integer Conv and Gemm need it. */
  quantizeBias: boolean;
  /** Quantize every node of these op types, inputs and outputs, as ONNX Runtime's Python quantizer does; empty: the plan decides. */
  opTypes: readonly string[];
}

/**
 * Static INT8 in the QDQ form: quantized(x) = clip(round(x / scale) + zeroPoint). Weights become 8-bit constants behind a
 * DequantizeLinear, biases INT32 ones, and activations pass through a quantize–dequantize pair, which runtimes with
 * INT8 kernels join to integer operators.
 *
 * Fires on Conv, Gemm and MatMul with constant FLOAT weights, and on what lies between two quantized nodes and has an INT8 kernel.
 * Refuses nodes whose range is missing or not finite, whose weights are not finite, and opsets below 10; one scale a
 * channel needs opset 13. Numerics: lossy. Reference: Jacob et al. 2018 (arXiv 1712.05877); ONNX Runtime `quantize_static`.
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
    perChannel: { description: 'one scale an output channel', default: true },
    reduceRange: { description: '7-bit weights, for CPUs without VNNI', default: false },
    activationType: { description: 'type of activations', default: 'u8', choices: ['u8', 's8'] },
    weightType: { description: 'type of weights', default: 's8', choices: ['u8', 's8'] },
    activationSymmetric: { description: 'activation ranges centred on zero', default: false },
    quantizeBias: { description: 'biases as INT32', default: true },
    opTypes: { description: 'quantize every node of these op types', default: [] },
  },
  run(model, options) {
    if (options.activationType === 's8' && options.weightType === 'u8') {
      throw new ServeOptError('SO1002', 'INT8 activations cannot go with UINT8 weights', {
        hint: 'use s8 weights, or u8 activations',
      });
    }
    if (model.opset() < 10) {
      return { changed: 0, notes: [`opset ${model.opset()} has no QuantizeLinear: upgrade to opset 13 first`] };
    }
    const notes: string[] = [];
    const perChannel = options.perChannel && model.opset() >= 13;
    if (options.perChannel && !perChannel) {
      notes.push(`opset ${model.opset()} allows one scale a weight only: upgrade to opset 13 for one a channel`);
    }
    const scan = new WeightScan({ ...options, perChannel });
    const { plan, refused } = usablePlan(model, options, scan);
    const rewriter = new StaticRewriter(plan, { ...options, perChannel }, scan);
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
  const refused = new Map<Node, string>();
  for (;;) {
    const plan = planStatic(model, {
      select: (node) => selected(node) && !refused.has(node),
      opTypes: options.opTypes.length > 0 ? options.opTypes : undefined,
      dropClamps: !options.activationSymmetric,
    });
    const before = refused.size;
    for (const weighted of plan.weighted) {
      if (!scan.parameters(weighted)) refused.set(weighted.node, 'its weight holds NaN or an infinity');
    }
    refuseWithoutRange(plan, options.ranges, refused);
    if (refused.size === before) return { plan, refused };
  }
}

/** Refuses the nodes that read or write a tensor without a usable range. */
function refuseWithoutRange(plan: StaticPlan, ranges: RangeMap, refused: Map<Node, string>): void {
  const planned = new Set<Node>();
  for (const { node, bias } of plan.weighted) planned.add(node).add(bias?.node ?? node);
  for (const { node } of plan.unweighted) planned.add(node);
  const owners = new Map<Node, Node>();
  for (const { node, bias } of plan.weighted) if (bias) owners.set(bias.node, node);
  for (const [value, root] of plan.tensors) {
    const range = fixedRange(root.producer) ?? ranges.get(root.name);
    if (range && Number.isFinite(range.min) && Number.isFinite(range.max) && range.min <= range.max) continue;
    const reason = range
      ? `the range of "${root.name}" is not finite: [${range.min}, ${range.max}]`
      : `no range was observed for "${root.name}": no sample led there`;
    const clamp = plan.clamps.get(value);
    const source = plan.produced.has(value) ? (clamp ? clamp.input(0)?.producer : value.producer) : undefined;
    const touching = [...value.uses].map((use) => use.node);
    if (source) touching.push(source);
    for (const node of touching) if (planned.has(node)) refused.set(owners.get(node) ?? node, reason);
  }
}
