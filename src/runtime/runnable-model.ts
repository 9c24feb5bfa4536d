import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { streamRope } from '../codec/atomic-file.js';
import { type ByteSource, FileBytes, type Span } from '../codec/byte-source.js';
import { temporaryError } from '../codec/system-error.js';
import { writeFully } from '../codec/write-fully.js';
import type { Model } from '../ir/model.js';
import type { TensorOrigin } from '../ir/proto/read-tensor.js';
import { encodeModel } from '../ir/proto/write-proto.js';
import { allGraphs } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { WorkFolder } from './work-folder.js';

export interface RunnableOptions {
  /** File name in the folder. Default `model.onnx`. */
  readonly name?: string;
  /** Tensors below this are written into the model: they are not worth a reference. Default 1024. */
  readonly referenceFromBytes?: number;
  /** Files that the folder has already, by source; new ones are added. For several models in one folder. */
  readonly links?: Map<ByteSource, string>;
}

/**
 * Writes `model` into a working folder so that ONNX Runtime can load it without a copy of its weights: tensors that
 * still stand in a file are external data by offset into that very file, which the folder gets a hard link of.
 * @returns the path of the model in the folder
 */
export async function writeRunnable(
  model: Model,
  folder: WorkFolder,
  { name = 'model.onnx', referenceFromBytes = 1024, links = new Map() }: RunnableOptions = {},
): Promise<string> {
  const added: (readonly [ByteSource, string])[] = [];
  const referable = referableTensors(model);
  const external = (tensor: Tensor) => {
    const span = fileSpan(tensor);
    if (!span || span.source.path === undefined || !referable.has(tensor)) return undefined;
    if (tensor.byteLength < referenceFromBytes) return undefined;
    const known = links.get(span.source);
    const location = known ?? `weights-${links.size}.bin`;
    if (known === undefined) {
      links.set(span.source, location);
      added.push([span.source, location]);
    }
    return { location, offset: span.start, length: tensor.byteLength };
  };
  const rope = encodeModel(model, { external });
  for (const [source, location] of added) await addSource(folder, source, location);
  const path = join(folder.path, name);
  try {
    const fd = openSync(path, 'wx');
    try {
      await streamRope(rope, (piece) => writeFully(fd, piece));
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw temporaryError(dirname(folder.path), cause);
  }
  return path;
}

/** The path may lead to another file by now, or to none. @throws SO2008 */
async function addSource(folder: WorkFolder, source: ByteSource, location: string): Promise<void> {
  try {
    await folder.add(source.path ?? '', location);
  } finally {
    source.checkUnchanged();
  }
}

/** Initializers of the main graph alone: elsewhere ONNX Runtime refuses external data behind a hard link. */
function referableTensors(model: Model): Set<Tensor> {
  const referable = new Set<Tensor>();
  for (const { tensor } of model.graph.initializers) if (tensor) referable.add(tensor);
  for (const graph of allGraphs(model)) {
    if (graph === model.graph) continue;
    for (const { tensor } of graph.initializers) if (tensor) referable.delete(tensor);
  }
  return referable;
}

/** Where the bytes of a tensor stand in a file as they are; undefined when they do not. */
function fileSpan(tensor: Tensor): Span | undefined {
  if (tensor.dataType === DataType.STRING) return undefined;
  return (
    (tensor.origin as TensorOrigin | undefined)?.data ??
    (tensor.data instanceof FileBytes ? tensor.data.span : undefined)
  );
}
