/** Reading and writing lose nothing: one model file through every way of writing. */
import { readFileSync } from 'node:fs';
import type { Model } from '../../src/ir/model.js';
import { parseModelBytes, readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import { allGraphs, allNodes } from '../../src/ir/walk.js';
import { modelBytes } from '../../src/ir/write-model.js';
import { markEverythingChanged } from '../helpers/mark-changed.js';
import { decodeWithOnnxProto, firstDifference, type Plain } from '../helpers/onnx-proto.js';

/** Larger models are not written as text: it would only take long. */
const TEXT_LIMIT_BYTES = 256 * 1024;

export interface RoundTrip {
  /** What was lost; empty for a model that came through. */
  readonly failures: readonly string[];
  /** False where the text form was not tried. */
  readonly textTried: boolean;
}

export async function checkRoundTrip(path: string): Promise<RoundTrip> {
  const failures: string[] = [];
  const source = readFileSync(path);
  const model = await readModel(path);
  let textTried = false;
  try {
    if (!source.equals(await modelBytes(model))) failures.push('an untouched model is not written byte for byte');
    if (!source.equals(await modelBytes(model.clone()))) failures.push('a clone is not written byte for byte');

    const changed = model.clone();
    markEverythingChanged(changed);
    const encoded = await modelBytes(changed);
    const theirs = decodeWithOnnxProto(source);
    const difference = firstDifference(theirs, decodeWithOnnxProto(encoded));
    if (difference !== undefined) failures.push(`encoded anew: ${difference}`);
    const again = parseModelBytes(encoded);
    if (!Buffer.from(encoded).equals(await modelBytes(again)))
      failures.push('encoded anew, then read: not byte for byte');

    if (source.length <= TEXT_LIMIT_BYTES && hasText(model)) {
      textTried = true;
      const failure = await checkText(model);
      if (failure !== undefined) failures.push(failure);
    }
  } finally {
    model.source?.close();
  }
  return { failures, textTried };
}

/** Sparse tensors, attributes of unknown kinds, external data and names defined twice have no text of their own. */
function hasText(model: Model): boolean {
  if (model.problems.length > 0) return false;
  for (const graph of allGraphs(model)) for (const value of graph.initializers) if (value.sparse) return false;
  for (const node of allNodes(model)) {
    for (const { value } of node.attributes.values()) if (value.kind === 'opaque') return false;
  }
  return model.source === undefined || model.source.externalPaths().length === 0;
}

async function checkText(model: Model): Promise<string | undefined> {
  const text = printModel(model);
  const parsed = parseModel(text);
  if (printModel(parsed) !== text) return 'text: printed again, it is another text';
  const ours = withoutTextless(decodeWithOnnxProto(await modelBytes(parsed)));
  const theirs = withoutTextless(decodeWithOnnxProto(await modelBytes(model)));
  const difference = firstDifference(theirs, ours);
  return difference === undefined ? undefined : `text: ${difference}`;
}

/** What the text syntax has no words for. Types of inner values are compared by the second printing. */
const TEXTLESS = new Set([
  'doc',
  'docString',
  'metadataProps',
  'valueInfo',
  'denotation',
  'quantizationAnnotation',
  'trainingInfo',
]);

function withoutTextless(plain: Plain): Plain {
  if (typeof plain === 'string') return plain;
  if (Array.isArray(plain)) return plain.map(withoutTextless);
  return Object.fromEntries(
    Object.entries(plain)
      .filter(([key]) => !TEXTLESS.has(key))
      .map(([key, value]) => [key, withoutTextless(key === 't' ? withoutName(value) : value)]),
  );
}

/** The name of a tensor in an attribute means nothing. */
function withoutName(tensor: Plain): Plain {
  return typeof tensor === 'object' && !Array.isArray(tensor) ? { ...tensor, name: '' } : tensor;
}
