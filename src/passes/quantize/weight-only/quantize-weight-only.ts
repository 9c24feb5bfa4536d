import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import type { Refusal } from '../../../ir/transform.js';
import { allNodes } from '../../../ir/walk.js';
import { ALLOWED_OPERATORS } from '../../levels.js';
import { nodeSelector } from '../../node-filter.js';
import { definePass } from '../../pass.js';
import { nearestMatrices, weightForm } from './weight-form.js';
import { WEIGHT_ONLY_DEFAULTS, type WeightOnlyOptions } from './weight-only-options.js';
import { WeightOnlyRewriter } from './weight-only-rewriter.js';
import { planWeights } from './weight-plan.js';

const NAME = 'quantize-weight-only';

/**
 * Weights of 8, 4 or 2 bits with a scale for each block of inputs, and activations as they were: w ≈ (code − zero point) · scale.
 * Written as MatMulNBits and GatherBlockQuantized of ONNX Runtime (`operators: 'ort'`), or as DequantizeLinear in blocks, which ONNX
 * Runtime fuses with the MatMul behind it when it loads the model.
 *
 * Fires on MatMul and Gemm with constant FLOAT or FLOAT16 weights, also behind Transpose and Cast, and on Gather from tables; in all
 * graphs. One copy serves all nodes that read a weight in one orientation, so that a table that is embedding and output layer
 * stays one. Scores of a vocabulary and tables of standard operators have 8 bits. Refuses small weights, weights that are also read
 * in FP32, and blocks before opset 21 in standard operators. Numerics: lossy. Reference: onnxruntime docs/ContribOperators.md
 * (MatMulNBits, GatherBlockQuantized), ONNX DequantizeLinear-21.
 */
export const quantizeWeightOnly = definePass<WeightOnlyOptions>({
  name: NAME,
  summary: 'Quantizes the weights of MatMul, Gemm and embeddings to 8, 4 or 2 bits in blocks.',
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [11, null],
  options: {
    include: { description: 'only these nodes: names, globs or op types', default: WEIGHT_ONLY_DEFAULTS.include },
    exclude: { description: 'not these nodes: names, globs or op types', default: WEIGHT_ONLY_DEFAULTS.exclude },
    bits: { description: 'bits of a weight: 2, 4 or 8', default: WEIGHT_ONLY_DEFAULTS.bits },
    block: { description: 'inputs that share a scale', default: WEIGHT_ONLY_DEFAULTS.block },
    symmetric: { description: 'zero points in the middle', default: WEIGHT_ONLY_DEFAULTS.symmetric },
    operators: { description: 'operators to use', default: WEIGHT_ONLY_DEFAULTS.operators, choices: ALLOWED_OPERATORS },
    accuracyLevel: {
      description: 'accuracy_level of MatMulNBits; 0 writes none',
      default: WEIGHT_ONLY_DEFAULTS.accuracyLevel,
    },
    smallestWeight: {
      description: 'weights with fewer elements stay in FP32',
      default: WEIGHT_ONLY_DEFAULTS.smallestWeight,
    },
    wider: { description: 'weights with 8 bits, by key', default: WEIGHT_ONLY_DEFAULTS.wider, internal: true },
    wideHead: {
      description: 'the layer that gives the scores of a language model has 8 bits',
      default: WEIGHT_ONLY_DEFAULTS.wideHead,
    },
    kept: {
      description: 'reasons to keep layers, by first output',
      default: WEIGHT_ONLY_DEFAULTS.kept,
      internal: true,
    },
    made: { description: 'weights that are quantized, by key', default: WEIGHT_ONLY_DEFAULTS.made, internal: true },
  },
  run(model, options) {
    const plan = planWeights(model, options, nodeSelector(model, options));
    const refusals: Refusal[] = [...plan.left].map(([node, reason]) => refusal(node, reason));
    const rewriter = new WeightOnlyRewriter(options.accuracyLevel);
    let changed = 0;
    for (const unit of plan.units) {
      const made = options.made.get(unit.key) ?? nearestMatrices(unit);
      if (typeof made === 'string') {
        refusals.push(...unit.uses.map(({ node }) => refusal(node, made)));
        continue;
      }
      changed += unit.uses.length;
      rewriter.rewrite(unit, Array.isArray(made) ? weightForm(unit, made) : made);
    }
    const done = changed > 0 ? 0 : alreadyQuantized(model);
    return {
      changed,
      refusals,
      notes:
        done === 0
          ? []
          : [`Weights are quantized already: ${done === 1 ? '1 node reads' : `${done} nodes read`} weights in blocks.`],
    };
  },
});

/** Nodes that read weights in blocks. */
function alreadyQuantized(model: Model): number {
  let count = 0;
  for (const node of allNodes(model)) {
    const isPair = node.is('DequantizeLinear') && node.int('block_size', 0) > 0;
    if (isPair || node.opType === 'MatMulNBits' || node.opType === 'GatherBlockQuantized') count++;
  }
  return count;
}

function refusal(node: Node, reason: string): Refusal {
  return { pass: NAME, node: nodeLabel(node), opType: node.opType, reason };
}
