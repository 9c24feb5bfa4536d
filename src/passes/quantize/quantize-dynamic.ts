import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import { ALLOWED_OPERATORS } from '../levels.js';
import { nodeSelector } from '../node-filter.js';
import { definePass } from '../pass.js';
import { DYNAMIC_DEFAULTS, type DynamicOptions } from './dynamic-options.js';
import { planDynamic } from './dynamic-plan.js';
import { DynamicRewriter } from './dynamic-rewriter.js';
import { DynamicWeights } from './dynamic-weights.js';

const NAME = 'quantize-dynamic';

export interface QuantizeDynamicOptions extends DynamicOptions {
  /** Node names, globs or op types that stay in float. */
  readonly exclude: readonly string[];
}

/**
 * Dynamic INT8: x·W = (quantized(x) ×ᵢₙₜ quantized(W)) · scale(x) · scale(W), where the range is taken from each x, so
 * no samples are needed. Written as DynamicQuantizeLinear, MatMulInteger, Cast and Mul, which ONNX Runtime fuses to one
 * node.
 *
 * Fires on MatMul and Gemm with constant FLOAT weights, on Gather from large constant tables, and with `operators:
 * 'ort'` on LSTM; in all graphs. A batch of matrices has one scale per column of each matrix; a table used by a lookup
 * and, transposed, by a MatMul is stored once. Refuses Conv, whose dynamic form is slow and has one scale per weight,
 * small layers, and weights that are also read in FP32 where the file would grow. Numerics: lossy. Reference: ONNX
 * operators DynamicQuantizeLinear-11 and MatMulInteger-10.
 */
export const quantizeDynamic = definePass<QuantizeDynamicOptions>({
  name: NAME,
  summary: 'Quantizes the weights of MatMul, Gemm and embeddings to INT8, and activations at run time.',
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [11, null],
  options: {
    include: { description: 'only these nodes: names, globs or op types', default: [] },
    exclude: { description: 'not these nodes: names, globs or op types', default: [] },
    weights: { description: 'scheme of weights', default: DYNAMIC_DEFAULTS.weights, internal: true },
    embeddings: { description: 'also tables of embeddings', default: DYNAMIC_DEFAULTS.embeddings },
    operators: { description: 'operators to use', default: DYNAMIC_DEFAULTS.operators, choices: ALLOWED_OPERATORS },
    smallestWeight: {
      description: 'weights with fewer elements stay in FP32',
      default: DYNAMIC_DEFAULTS.smallestWeight,
    },
    growthBytes: { description: 'limit in bytes on copies of shared weights', default: DYNAMIC_DEFAULTS.growthBytes },
    kept: { description: 'reasons to keep layers, by first output', default: DYNAMIC_DEFAULTS.kept, internal: true },
  },
  run(model, options) {
    if (model.opset() < 11) {
      return { changed: 0, notes: [`opset ${model.opset()} has no DynamicQuantizeLinear: upgrade to opset 11 first`] };
    }
    const plan = planDynamic(model, options, nodeSelector(model, options));
    const rewriter = new DynamicRewriter(new DynamicWeights(options, plan.shared));
    const refusals: Refusal[] = [...plan.left].map(([node, reason]) => refusal(node, reason));
    let changed = 0;
    for (const job of plan.jobs.values()) {
      const kept = refusal(job.node, '');
      const reason = rewriter.rewrite(job);
      if (reason === undefined) changed++;
      else refusals.push({ ...kept, reason });
    }
    rewriter.dropReplaced();
    return { changed, refusals };
  },
});

function refusal(node: Node, reason: string): Refusal {
  return { pass: NAME, node: nodeLabel(node), opType: node.opType, reason };
}
