import { basename } from 'node:path';
import { memorySource, openFileSource } from '../codec/byte-source.js';
import { WireReader } from '../codec/wire-reader.js';
import { ServeOptError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { readTensor } from './proto/read-tensor.js';

/**
 * Reads a file that holds one serialized TensorProto, as ONNX test data does (`input_0.pb`). The file is read whole and
 * may be removed afterwards. Tensors with external data are refused.
 * @throws SO2001, SO2002 for a file that cannot be read; SO2004 for an empty one; SO2005, SO2006 for damaged bytes;
 * SO2101 for a tensor that contradicts itself.
 */
export function readTensorFile(path: string): Tensor {
  const file = openFileSource(path, basename(path));
  try {
    if (file.sizeBytes === 0) throw new ServeOptError('SO2004', `"${file.label}" is empty`);
    const source = memorySource(file.read(0, file.sizeBytes), file.label);
    return readTensor(new WireReader(source), [{ start: 0, end: source.sizeBytes }], undefined, file.label);
  } finally {
    file.close();
  }
}
