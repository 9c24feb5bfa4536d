import type { Node } from '../../ir/node.js';
import type { Tensor } from '../../tensor/tensor.js';
import { makeConstant } from '../constants.js';
import type { Match } from '../engine/rewrite.js';
import { releaseInputs } from './release-inputs.js';

/** The change of a node with one output into the constant that it always gives; a reason where the output must be computed. */
export function becomeConstant(node: Node, tensor: Tensor): Match {
  const output = node.output();
  if (output.isGraphOutput || output.pinned) return `"${output.name}" is an output of its graph`;
  if (output.uses.size === 0) return undefined;
  return {
    nodes: [node],
    apply() {
      releaseInputs(node, () => {
        makeConstant(output, tensor);
        node.graph.remove(node);
      });
      return undefined;
    },
  };
}
