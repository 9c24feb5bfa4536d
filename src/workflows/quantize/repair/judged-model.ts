import type { Model } from '../../../ir/model.js';
import type { Value } from '../../../ir/value.js';

/** Operators after which a decision is all or nothing: what they read tells errors apart before they have flipped anything. */
const SQUASHING: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);
/** Operators that hand on what they read in another form. */
const CARRIERS: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Squeeze',
  'Unsqueeze',
  'Reshape',
  'Flatten',
  'Transpose',
  'QuantizeLinear',
  'DequantizeLinear',
]);
const MOST_CARRIERS = 12;

/**
 * A copy of a model whose outputs are what errors are measured on: the scores before a Softmax or Sigmoid at the end of the graph, since
 * a saturated probability shows no error until it shows nothing else; other outputs as they are. Outputs are named by their place.
 */
export function judgedModel(model: Model): Model {
  return withOutputs(model, ({ graph }) =>
    graph.outputs.map((output, at): [string, Value] => [`judged_${at}`, beforeSquashing(output)]),
  );
}

/** A copy of a model whose outputs are values of its graph under new names. @param choose names and values of the copy */
export function withOutputs(model: Model, choose: (copy: Model) => Iterable<readonly [string, Value]>): Model {
  const copy = model.clone();
  const { graph } = copy;
  const chosen = [...choose(copy)];
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  for (const [name, value] of chosen) {
    const output = { name: copy.freshName(name), ...(value.type ? { type: value.type } : {}) };
    graph.addOutput(graph.addNode({ opType: 'Identity', inputs: [value], outputs: [output] }).output());
  }
  return copy;
}

function beforeSquashing(output: Value): Value {
  let value = output;
  for (let steps = 0; steps < MOST_CARRIERS; steps++) {
    const node = value.producer;
    const input = node?.input(0);
    if (!node || !input || node.domain !== '' || node.graph !== output.graph) return output;
    if (SQUASHING.has(node.opType)) return input;
    if (!CARRIERS.has(node.opType)) return output;
    value = input;
  }
  return output;
}
