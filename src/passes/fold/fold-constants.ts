import type { Node } from '../../ir/node.js';
import { evaluateNode, hasKernel } from '../../ops/eval/evaluate-node.js';
import type { Tensor } from '../../tensor/tensor.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { growth, knownBytes, largestResult, replaceByConstants, whyNotFolded } from './constant-results.js';
import { foldByRunning } from './fold-by-running.js';

/** Of the memory that is allowed, what one kernel works with. */
const WORK_SHARE = 1 / 2;

/**
 * f(c₁, c₂, …) = c for constants c₁, c₂, …: computed once here instead of in every session.
 *
 * Fires when all inputs of a deterministic node are constants that callers cannot override: by built-in kernels, and by
 * ONNX Runtime where there is none, if the caller provides it. An output of a graph becomes a Constant node. Chains
 * with large intermediate results, such as a table that is normalized and projected, are folded as a whole where the
 * result is small enough. Refuses results that would make the file larger than the growth limit allows, quantization
 * and dequantization, values that opaque parts of the model name, and what cannot be computed. Numerics: integers and
 * data movement are exact; floats are rounded once an operation, where another runtime may round the last digit
 * differently.
 */
export const foldConstants = defineRewrite<object>({
  name: 'fold-constants',
  summary: 'Computes nodes whose inputs are all constant.',
  group: 'fold',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: '*',
  rules() {
    const failed = new Map<Node, string>();
    return {
      match: (node, context) => failed.get(node) ?? matchConstant(node, context),
      settle: (context) => foldByRunning(context, failed),
    };
  },
});

function matchConstant(node: Node, context: RewriteContext): Match {
  if (node.is('Constant') || node.outputs.length === 0) return undefined;
  const inputs: (Tensor | undefined)[] = [];
  for (const input of node.inputs) {
    const tensor = context.constant(input);
    if (input && !tensor) return undefined;
    inputs.push(tensor);
  }
  const reason = whyNotFolded(node);
  if (reason !== undefined) return reason;
  if (!hasKernel(node.domain, node.opType))
    return context.evaluate || node.subgraphs().length > 0 ? undefined : 'only ONNX Runtime could compute it';
  const known = growth(node, node.outputs.map(knownBytes), context);
  if (typeof known === 'string') return known;
  const results = evaluateNode(node, inputs, context.opset(node, node.domain), {
    maxBytes: largestResult(context),
    maxWorkBytes: WORK_SHARE * context.memoryBytes,
  });
  if (typeof results === 'string') return results;
  const exact = growth(
    node,
    results.map((tensor) => tensor?.byteLength),
    context,
  );
  if (typeof exact === 'string') return exact;
  return { nodes: [node], apply: () => replaceByConstants(node, results) };
}
