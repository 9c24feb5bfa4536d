import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { streamRope } from '../codec/atomic-file.js';
import type { ByteSource } from '../codec/byte-source.js';
import type { Model } from '../ir/model.js';
import type { TensorOrigin } from '../ir/proto/read-tensor.js';
import { encodeModel } from '../ir/proto/write-proto.js';
import type { Tensor } from '../tensor/tensor.js';
import type { WorkFolder } from './work-folder.js';

/** Tensors below this are written into the model: they are not worth a reference. */
const REFERENCE_FROM_BYTES = 1024;

/**
 * Writes `model` into a working folder so that ONNX Runtime can load it without a copy of its weights: tensors that
 * still stand in a file are external data by offset into that very file, which the folder gets a hard link of.
 * @returns the path of the model in the folder
 */
export async function writeRunnable(model: Model, folder: WorkFolder, name = 'model.onnx'): Promise<string> {
  const links = new Map<ByteSource, string>();
  const reference = (tensor: Tensor) => {
    const data = (tensor.origin as TensorOrigin | undefined)?.data;
    if (!data || data.source.path === undefined || tensor.byteLength < REFERENCE_FROM_BYTES) return undefined;
    const location = links.get(data.source) ?? `weights-${links.size}.bin`;
    links.set(data.source, location);
    return { location, offset: data.start, length: tensor.byteLength };
  };
  const rope = encodeModel(model, { external: reference });
  for (const [source, location] of links) await folder.add(source.path as string, location);
  const path = join(folder.path, name);
  const file = await open(path, 'wx');
  try {
    await streamRope(rope, async (piece) => {
      await file.writeFile(piece);
    });
  } finally {
    await file.close();
  }
  return path;
}
