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
 * Dynamic INT8: x·W = (quantized(x) ×ᵢₙₜ quantized(W)) · scale(x) · scale(W), where the range of x is taken from each x itself, so no
 * samples are needed. Written as DynamicQuantizeLinear, MatMulInteger, Cast and Mul, which ONNX Runtime joins to one node.
 *
 * Fires on MatMul and Gemm with constant FLOAT weights, on Gather from large constant tables, and with `operators: 'ort'` on LSTM; in all
 * graphs. A stack of matrices has a scale for each column of each; a table that is looked up and, transposed, multiplied by is written once.
 * Refuses Conv, whose dynamic form is slow and has one scale a weight, small layers, and weights that something else reads in FP32 where the
 * file would grow. Numerics: lossy.
 * Reference: ONNX operators DynamicQuantizeLinear-11 and MatMulInteger-10.
 */
export const quantizeDynamic = definePass<QuantizeDynamicOptions>({
  name: NAME,
  summary: 'Quantizes the weights of MatMul, Gemm and embeddings to INT8, activations while running.',
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [11, null],
  options: {
    include: { description: 'only these nodes: names, globs or op types', default: [] },
    exclude: { description: 'not these nodes: names, globs or op types', default: [] },
    perChannel: { description: 'one scale an output channel', default: DYNAMIC_DEFAULTS.perChannel },
    reduceRange: { description: '7-bit weights, for CPUs without VNNI', default: DYNAMIC_DEFAULTS.reduceRange },
    weightType: { description: 'type of weights', default: DYNAMIC_DEFAULTS.weightType, choices: ['u8', 's8'] },
    embeddings: { description: 'also tables of embeddings', default: DYNAMIC_DEFAULTS.embeddings },
    operators: { description: 'operators to use', default: DYNAMIC_DEFAULTS.operators, choices: ALLOWED_OPERATORS },
    smallestWeight: {
      description: 'weights with fewer elements stay in FP32',
      default: DYNAMIC_DEFAULTS.smallestWeight,
    },
    growthBytes: { description: 'bytes that copies of shared weights may add', default: DYNAMIC_DEFAULTS.growthBytes },
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
    if (rewriter.usesContribOperators && model.opset('com.microsoft') === 0) model.setOpset('com.microsoft', 1);
    return { changed, refusals };
  },
});

function refusal(node: Node, reason: string): Refusal {
  return { pass: NAME, node: nodeLabel(node), opType: node.opType, reason };
}
