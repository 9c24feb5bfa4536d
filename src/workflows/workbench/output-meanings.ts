import { namedOtherwise, namedScores, type OutputMeaning, type OutputMeanings } from '../../evaluate/output-meaning.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';

/** Operators that hand on what their first input says, in another form. */
const CARRIERS: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Dropout',
  'Clip',
  'QuantizeLinear',
  'DequantizeLinear',
  'Squeeze',
  'Unsqueeze',
  'Reshape',
  'Flatten',
]);
/** Those of them after which classes are looked for on the last axis, wherever they were. */
const RESHAPERS: ReadonlySet<string> = new Set(['Squeeze', 'Unsqueeze', 'Reshape', 'Flatten']);
/** How many of them are followed. */
const MOST_CARRIERS = 12;

/** Classifiers of `ai.onnx.ml`: the class itself, then scores. */
const CLASSIFIERS: ReadonlySet<string> = new Set([
  'TreeEnsembleClassifier',
  'LinearClassifier',
  'SVMClassifier',
  'LabelEncoder',
]);

/**
 * Which outputs are scores of classes, or name the class itself, as far as the end of the graph tells: Softmax and the like
 * give scores, what ArgMax or TopK reads is scores too, and what they give is the answer. Names such as `logits` say so as well.
 */
export function outputMeanings(model: Model): OutputMeanings {
  const meanings = new Map<string, OutputMeaning>();
  for (const output of model.graph.outputs) {
    const meaning = fromGraph(output, model) ?? fromName(output.name);
    if (meaning) meanings.set(output.name, meaning);
  }
  return meanings;
}

function fromName(name: string): OutputMeaning | undefined {
  return namedScores(name)
    ? { kind: 'scores', axis: -1, exclusive: false, because: 'its name suggests scores' }
    : undefined;
}

function fromGraph(output: Value, model: Model): OutputMeaning | undefined {
  let value: Value = output;
  let reshaped = false;
  for (let steps = 0; steps <= MOST_CARRIERS; steps++) {
    const read = readAs(value, model, reshaped);
    if (read) return read;
    const node: Node | undefined = value.producer;
    if (!node) return undefined;
    const ends = endsIn(node, value, model, reshaped);
    if (ends) return ends.exclusive || !namedOtherwise(output.name) ? ends : undefined;
    if (node.domain !== '' || !CARRIERS.has(node.opType)) return undefined;
    const input = node.input(0);
    if (!input) return undefined;
    reshaped ||= RESHAPERS.has(node.opType);
    value = input;
  }
  return undefined;
}

const scores = (axis: number, because: string, exclusive = true): OutputMeaning => ({
  kind: 'scores',
  axis,
  exclusive,
  because,
});
const answer = (opType: string): OutputMeaning => ({
  kind: 'answer',
  exclusive: true,
  because: `the graph ends in ${opType}`,
});

function endsIn(node: Node, value: Value, model: Model, reshaped: boolean): OutputMeaning | undefined {
  const { opType } = node;
  if (node.domain === 'ai.onnx.ml' && CLASSIFIERS.has(opType))
    return value.outputIndex === 0 ? answer(opType) : scores(-1, `the graph ends in ${opType}`);
  if (node.domain !== '') return undefined;
  if (opType === 'ArgMax' || opType === 'ArgMin') return answer(opType);
  if (opType === 'TopK') return value.outputIndex === 1 ? answer(opType) : undefined;
  const because = `the graph ends in ${opType}`;
  if (opType === 'Softmax' || opType === 'LogSoftmax') return scores(reshaped ? -1 : axisOf(node, model), because);
  return opType === 'Sigmoid' ? scores(-1, because, false) : undefined;
}

/** What reads a value may tell what it is: the largest of it is looked for, or it is made to shares. */
function readAs(value: Value, model: Model, reshaped: boolean): OutputMeaning | undefined {
  for (const { node, slot } of value.uses) {
    if (slot !== 0 || node.domain !== '') continue;
    const { opType } = node;
    const because = `${opType} reads it`;
    if (opType === 'ArgMax') return scores(reshaped ? -1 : node.int('axis', 0), because);
    if (opType === 'TopK') return scores(reshaped ? -1 : node.int('axis', -1), because);
    if ((opType === 'Softmax' || opType === 'LogSoftmax') && givesOutput(node))
      return scores(reshaped ? -1 : axisOf(node, model), because);
  }
  return undefined;
}

/** Softmax inside of attention reads what is no output's meaning; at the end of the graph it does. */
function givesOutput(node: Node): boolean {
  return node.output().outputOf.length > 0;
}

/** Before opset 13 the default axis was the second. */
function axisOf(node: Node, model: Model): number {
  return node.int('axis', model.opset() < 13 ? 1 : -1);
}
