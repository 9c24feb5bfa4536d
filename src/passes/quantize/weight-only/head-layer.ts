import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import { constantTensor } from '../../../ir/walk.js';

/** Outputs from which on scores are those of a vocabulary: among so many, small errors change which is largest. */
const VOCABULARY = 2048;
/** Nodes between a product and an output of the graph that are looked at. */
const MOST_STEPS = 4;
/** What may stand there: nothing that mixes scores. */
const PASSED: ReadonlySet<string> = new Set(['Add', 'Cast', 'Identity', 'Mul', 'Div', 'Reshape', 'Squeeze', 'Tanh']);

/** Why a product is the last layer of a language model, which gives the scores of tokens; undefined where it is not. */
export function headOf(node: Node, outputs: number): string | undefined {
  const name = `${nodeLabel(node)} ${node.input(1)?.name ?? ''}`;
  if (/lm_head/i.test(name)) return 'it is the lm_head, whose errors choose other tokens';
  if (outputs < VOCABULARY) return undefined;
  let value = node.output();
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    if (value.isGraphOutput) return `it gives the ${outputs} scores of the model, whose errors choose other tokens`;
    const [use] = value.uses;
    if (value.uses.size !== 1 || !use || !PASSED.has(use.node.opType)) return undefined;
    const others = use.node.inputs.filter((input) => input !== value);
    if (!others.every((input) => !input || constantTensor(input))) return undefined;
    value = use.node.output();
  }
  return undefined;
}
