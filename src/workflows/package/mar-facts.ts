import { basename, extname } from 'node:path';
import { readSmallTextFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { Value } from '../../ir/value.js';
import { isJsonObject } from '../../json-object.js';
import { inferTypes } from '../../ops/infer-types.js';
import type { MarFacts } from '../../targets/mar/mar-facts.js';
import type { TokenizerFacts } from '../../targets/mar/text-plan.js';
import { dependsOnBatch } from '../depends-on-batch.js';
import { modelFacts } from './open-model.js';

/** What a .mar takes from a model; shapes of outputs that the file leaves open are inferred. */
export function marFacts(model: Model, path: string): MarFacts {
  inferTypes(model);
  const probabilities = model.graph.outputs.filter(isProbability).map(({ name }) => name);
  return {
    ...modelFacts(model, path),
    irVersion: model.irVersion,
    dependsOnBatch: dependsOnBatch(model),
    probabilities: new Set(probabilities),
  };
}

/** Operators that pass values on as they are. */
const PASSING: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);
const NORMALIZING: ReadonlySet<string> = new Set(['Softmax', 'Sigmoid', 'SoftmaxCrossEntropyLoss']);

function isProbability(output: Value): boolean {
  let node = output.producer;
  while (node && node.domain === '' && PASSING.has(node.opType)) node = node.inputs[0]?.producer;
  if (node?.domain === 'ai.onnx.ml') return /Classifier$/.test(node.opType);
  return node !== undefined && node.domain === '' && NORMALIZING.has(node.opType);
}

/** A tokenizer of the largest vocabularies has some 20 MB. */
const MAX_TOKENIZER_BYTES = 128 * 1024 * 1024;

/**
 * What a tokenizer's file says of itself.
 * @throws SO2001, SO2002, SO2104 where it cannot be read, SO4001 for what is neither a tokenizer.json nor a vocab.txt
 */
export function readTokenizer(path: string): TokenizerFacts {
  const text = readSmallTextFile(path, MAX_TOKENIZER_BYTES);
  const file = basename(path);
  if (extname(path).toLowerCase() === '.txt') return vocabularyFacts(text, file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw noTokenizer(file, `it is not valid JSON (${cause instanceof Error ? cause.message : cause})`);
  }
  if (!isJsonObject(value) || !isJsonObject(value.model)) throw noTokenizer(file, 'it has no "model"');
  const { truncation } = value;
  const length = isJsonObject(truncation) ? truncation.max_length : undefined;
  return {
    vocabulary: false,
    lowercase: false,
    ...(typeof length === 'number' && length > 0 ? { maxLength: length } : {}),
  };
}

function vocabularyFacts(text: string, file: string): TokenizerFacts {
  const lines = text.split(/\r?\n/);
  for (const token of ['[UNK]', '[CLS]', '[SEP]']) {
    if (!lines.includes(token)) throw noTokenizer(file, `the vocabulary has no ${token}`);
  }
  const cased = lines.some((line) => /[A-Z]/.test(line) && !line.startsWith('['));
  return { vocabulary: true, lowercase: !cased };
}

function noTokenizer(file: string, why: string): ServeOptError {
  return new ServeOptError('SO4001', `"${file}" is not a tokenizer`, {
    why,
    hint: 'give the tokenizer.json that the model was published with, or the vocab.txt of a BERT model',
  });
}
