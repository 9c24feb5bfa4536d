import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import { S8_WEIGHTS, S32_BIASES, U8_ACTIVATIONS } from '../../quantize/scheme.js';
import { definePass } from '../pass.js';
import { assignSchemes } from './assign-schemes.js';
import { useIntegerOperators } from './integer-operators.js';
import type { QuantizeStaticOptions } from './static-options.js';
import { usablePlan } from './static-plan.js';
import { StaticRewriter } from './static-rewriter.js';
import { WeightScan } from './weight-scan.js';

export type { QuantizeStaticOptions } from './static-options.js';

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
    overrides: { description: 'schemes of single nodes and tensors', default: [], internal: true },
    saturates: { description: 'keep sums of two products within 16 bits', default: false },
    leastMaximum: { description: 'least reach of a range of activations', default: 0 },
    format: { description: 'pairs (qdq) or operators on integers (qoperator)', default: 'qdq' },
    operators: { description: 'operators of qoperator: portable or ort', default: 'portable' },
    opTypes: { description: 'quantize every node of these op types', default: [] },
    growthBytes: { description: 'limit in bytes on copies of shared weights', default: 0 },
    kept: { description: 'reasons to keep layers, by first output', default: new Map(), internal: true },
  },
  run(model, options) {
    if (model.opset() < 10) {
      return { changed: 0, notes: [`opset ${model.opset()} has no QuantizeLinear: upgrade to opset 13 first`] };
    }
    const notes: string[] = [];
    const assigned = assignSchemes(model, options, options.overrides);
    const scan = new WeightScan((node) => assigned.schemes.weights(node), model.opset() >= 13);
    const { plan, types, refused } = usablePlan(model, options, assigned, scan);
    if (scan.withoutChannels)
      notes.push(`opset ${model.opset()} allows one scale per weight only: upgrade to opset 13 for one per channel`);
    const rewriter = new StaticRewriter(plan, { ...options, types, schemes: assigned.schemes }, scan);
    const changed = rewriter.run();
    if (options.format === 'qoperator') useIntegerOperators(model, options.operators);
    if (options.saturates) notes.push(saturationNote(rewriter.narrowed, plan.weighted.length));
    const refusals = [...plan.left.filter(({ node }) => !refused.has(node)), ...toLeft(refused)].map(
      ({ node, reason }): Refusal => ({ pass: 'quantize-static', node: nodeLabel(node), opType: node.opType, reason }),
    );
    return { changed, refusals, notes };
  },
});

const toLeft = (refused: ReadonlyMap<Node, string>) => [...refused].map(([node, reason]) => ({ node, reason }));

/** What was done so that 16-bit sums fit. */
function saturationNote(narrowed: readonly Node[], layers: number): string {
  const all = `${layers} layer${layers === 1 ? '' : 's'}`;
  if (narrowed.length === 0) return `no pair of weights in ${all} can overflow 16-bit sums: all keep 8 bits`;
  const names = narrowed.slice(0, 3).map((node) => `"${nodeLabel(node)}"`);
  const more = narrowed.length > names.length ? ', …' : '';
  return `${narrowed.length} of ${all} have channels of less than 8 bits, so that 16-bit sums cannot overflow: ${names.join(', ')}${more}`;
}
