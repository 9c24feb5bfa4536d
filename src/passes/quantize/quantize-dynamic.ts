import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import { allGraphs } from '../../ir/walk.js';
import { WEIGHTED_OPERATORS } from '../../quantize/operator-classes.js';
import type { QuantizedType } from '../../quantize/scheme.js';
import { insideFunction } from '../constants.js';
import { nodeSelector } from '../node-filter.js';
import { definePass } from '../pass.js';
import { DynamicRewriter } from './dynamic-rewriter.js';

export interface QuantizeDynamicOptions {
  /** Node names, globs or op types; only these when not empty. */
  include: readonly string[];
  /** Node names, globs or op types that stay in float. */
  exclude: readonly string[];
  /** One scale an output channel of a weight. */
  perChannel: boolean;
  /** 7-bit weights. */
  reduceRange: boolean;
  weightType: QuantizedType;
  /** Also tables of embeddings from 64 KiB on: one scale a row. */
  embeddings: boolean;
  /** `ort` may use operators of ONNX Runtime's own domain: that takes LSTM too. */
  target: 'portable' | 'ort';
  /** Weights with fewer elements stay in float, unless `include` names nodes. */
  smallestWeight: number;
}

/**
 * Dynamic INT8: x·W = (quantized(x) ×ᵢₙₜ quantized(W)) · scale(x) · scale(W), where the range of x is taken from each x itself, so no
 * samples are needed. Written as DynamicQuantizeLinear, MatMulInteger, Cast and Mul, which ONNX Runtime joins to one node.
 *
 * Fires on MatMul and Gemm with constant FLOAT weights, on Gather from large constant tables, and with `target: 'ort'` on LSTM; in all
 * graphs. Refuses Conv, whose dynamic form is slow and has one scale a weight, and small layers. Numerics: lossy.
 * Reference: ONNX operators DynamicQuantizeLinear-11 and MatMulInteger-10.
 */
export const quantizeDynamic = definePass<QuantizeDynamicOptions>({
  name: 'quantize-dynamic',
  summary: 'Quantizes the weights of MatMul, Gemm and embeddings to INT8, activations while running.',
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [11, null],
  options: {
    include: { description: 'only these nodes: names, globs or op types', default: [] },
    exclude: { description: 'not these nodes: names, globs or op types', default: [] },
    perChannel: { description: 'one scale an output channel', default: true },
    reduceRange: { description: '7-bit weights, for CPUs without VNNI', default: false },
    weightType: { description: 'type of weights', default: 's8', choices: ['u8', 's8'] },
    embeddings: { description: 'also tables of embeddings', default: true },
    target: { description: 'where the model will run', default: 'portable', choices: ['portable', 'ort'] },
    smallestWeight: { description: 'weights with fewer elements stay in float', default: 1024 },
  },
  run(model, options) {
    if (model.opset() < 11) {
      return { changed: 0, notes: [`opset ${model.opset()} has no DynamicQuantizeLinear: upgrade to opset 11 first`] };
    }
    const selected = nodeSelector(model, options);
    const rewriter = new DynamicRewriter(options);
    const refusals: Refusal[] = [];
    let changed = 0;
    for (const node of candidates(model)) {
      const reason = selected(node) ? rewriter.rewrite(node) : 'it is excluded';
      if (reason === undefined) changed++;
      else if (node.is('Gather') === false) {
        refusals.push({ pass: 'quantize-dynamic', node: nodeLabel(node), opType: node.opType, reason });
      }
    }
    rewriter.dropReplaced();
    if (rewriter.usesContribOperators && model.opset('com.microsoft') === 0) model.setOpset('com.microsoft', 1);
    return { changed, refusals };
  },
});

function candidates(model: Model): Node[] {
  const nodes: Node[] = [];
  for (const graph of allGraphs(model)) {
    if (insideFunction(graph)) continue;
    for (const node of graph.nodes) {
      if (node.domain === '' && (WEIGHTED_OPERATORS.has(node.opType) || node.is('Gather'))) nodes.push(node);
    }
  }
  return nodes;
}
