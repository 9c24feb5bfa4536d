import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { elementType, knownDims, type OpsetAdapter } from './adapter.js';

export const NORMALIZATION_ADAPTERS: readonly OpsetAdapter[] = [
  {
    opType: 'BatchNormalization',
    version: 9,
    check: (node) => (node.int('spatial', 1) === 1 ? undefined : 'spatial = 0 has no later equivalent'),
    apply: (node) => {
      node.removeAttribute('spatial');
    },
  },
  {
    opType: 'BatchNormalization',
    version: 14,
    check: (node) => (node.outputs.length > 1 ? 'it has the outputs of training' : undefined),
    apply: () => {},
  },
  {
    opType: 'GroupNormalization',
    version: 21,
    check: (node) => (channelsPerGroup(node) ? undefined : 'its number of channels is unknown'),
    apply: (node) => {
      const repeats = channelsPerGroup(node) ?? 1;
      if (repeats === 1) return;
      node.setInput(1, repeated(node, 1, 'scale', repeats));
      node.setInput(2, repeated(node, 2, 'bias', repeats));
    },
  },
];

function channelsPerGroup(node: Node): number | undefined {
  const channels = knownDims(node.input(0))?.[1];
  const groups = node.int('num_groups', 0);
  return channels && groups > 0 && channels % groups === 0 ? channels / groups : undefined;
}

/** Scale and bias were per group before version 21 and are per channel since: [G] → [G,1] → [G,repeats] → [G·repeats]. */
function repeated(node: Node, slot: number, what: string, repeats: number): Value {
  const graph = node.graph;
  const label = `${nodeLabel(node)}_${what}`;
  const dataType = elementType(node.input(slot));
  const type = dataType === undefined ? undefined : tensorType(dataType);
  const step = (opType: string, input: Value | undefined, shape: readonly number[]): Value =>
    graph
      .addNode(
        {
          opType,
          inputs: [input, addConstant(graph, `${label}_shape`, Tensor.int64(shape), node)],
          outputs: [{ name: `${label}_repeated`, type }],
        },
        node,
      )
      .output();
  return step('Reshape', step('Expand', step('Reshape', node.input(slot), [-1, 1]), [1, repeats]), [-1]);
}
