import type { Node } from '../../ir/node.js';
import { constantNodeTensor } from '../../ir/walk.js';
import { Tensor } from '../../tensor/tensor.js';
import { insideFunction, makeConstant } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match } from '../engine/rewrite.js';

/**
 * A Constant node becomes an initializer of its graph, with the same name: one node less, and the form in which every pass
 * and runtime expects weights.
 *
 * Fires on every dense form of Constant: `value`, `value_float(s)`, `value_int(s)`, `value_string(s)`; in subgraphs too.
 * Below IR version 4, where an initializer would have to be an input as well, the version is raised to 4.
 * Refuses: a constant that is an output of its graph. Sparse constants and those in local functions, which have no
 * initializers, stay. Numerics: exact.
 */
export const liftConstants = defineRewrite<object>({
  name: 'lift-constants',
  summary: 'Turns Constant nodes into initializers.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Constant'],
  rules: () => ({ match: matchConstant }),
});

function matchConstant(node: Node): Match {
  const output = node.outputs[0];
  if (!output || insideFunction(node.graph)) return undefined;
  const tensor = contentOf(node);
  if (!tensor) return undefined;
  if (output.isGraphOutput) return `"${output.name}" is an output of its graph`;
  return {
    nodes: [node],
    apply() {
      makeConstant(output, tensor);
      node.graph.remove(node);
      return undefined;
    },
  };
}

function contentOf(node: Node): Tensor | undefined {
  const one = node.attributes.get('value_string')?.value;
  if (one?.kind === 'string') return Tensor.strings([], () => [one.value]);
  const many = node.attributes.get('value_strings')?.value;
  if (many?.kind === 'strings') return Tensor.strings([many.value.length], () => many.value);
  return constantNodeTensor(node);
}
