import { basename } from 'node:path';
import { memorySource, openFileSource } from '../codec/byte-source.js';
import type { ExternalFilesOptions } from '../codec/external-data.js';
import type { Model } from './model.js';
import { readModelFrom } from './proto/read-proto.js';

/** Options of `readModel`. */
export type ReadModelOptions = ExternalFilesOptions;

/**
 * Reads an ONNX model. The file is indexed, not loaded: weights are read when something touches them, so keep the
 * file in place until `model.close()`, or the end of the scope of `await using model = await readModel(…)`.
 * @throws ServeOptError SO2001… for a file that cannot be read, SO3001… for a graph that contradicts itself
 */
export async function readModel(path: string, options: ReadModelOptions = {}): Promise<Model> {
  return readModelFrom(openFileSource(path, basename(path)), options);
}

/** Reads an ONNX model from memory. External data cannot be resolved then. */
export function parseModelBytes(bytes: Uint8Array): Model {
  return readModelFrom(memorySource(bytes));
}
