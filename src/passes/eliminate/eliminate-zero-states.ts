import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { uniformNumber } from '../fold/uniform-value.js';
import { releaseInputs } from './release-inputs.js';

/**
 * RNN, GRU and LSTM with h₀ = 0 or c₀ = 0: the same without that input, since an omitted state is zero.
 *
 * Fires for each initial state whose elements are all 0, whatever its shape: constants, ConstantOfShape, and what is
 * repeated, gathered, cast or concatenated from them, so that zeros shaped by the batch of the input are removed with
 * the nodes that compute the shape. Refuses nothing. Numerics: exact. Reference: ONNX operators RNN, GRU and LSTM.
 */
export const eliminateZeroStates = defineRewrite<object>({
  name: 'eliminate-zero-states',
  summary: 'Removes initial states of RNN, GRU and LSTM that are all zero.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['RNN', 'GRU', 'LSTM'],
  rules: () => ({ match }),
});

const INITIAL_H = 5;
const INITIAL_C = 6;

function match(node: Node, context: RewriteContext): Match {
  const states = node.is('LSTM') ? [INITIAL_H, INITIAL_C] : [INITIAL_H];
  const zeros = states.filter((slot) => Object.is(uniformNumber(node.input(slot), context), 0));
  if (zeros.length === 0) return undefined;
  return {
    nodes: [node],
    apply() {
      releaseInputs(node, () => node.setInputs(withoutLast(node.inputs, zeros)));
      return node;
    },
  };
}

/** Inputs with some left out; what is left out at the end is not there at all. */
function withoutLast<T>(inputs: readonly (T | undefined)[], slots: readonly number[]): (T | undefined)[] {
  const kept = inputs.map((input, slot) => (slots.includes(slot) ? undefined : input));
  while (kept.length > 0 && kept.at(-1) === undefined) kept.pop();
  return kept;
}
