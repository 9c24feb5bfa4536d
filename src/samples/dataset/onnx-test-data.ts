import { join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { readTensorFile } from '../../ir/read-tensor-file.js';
import { DataType, dataTypeName } from '../../tensor/dtype.js';
import { elementsView, type Tensor } from '../../tensor/tensor.js';
import type { HostData, ValueSpec } from '../types.js';
import type { Shard } from './shard.js';
import { memoryArray, type SourceArray } from './source-array.js';

const INPUT_FILE = /^input_(\d+)\.pb$/;

/** True when a folder with these file names is one ONNX test data set (`input_0.pb`, `output_0.pb` …). */
export function isTestDataFolder(names: readonly string[]): boolean {
  return names.some((name) => INPUT_FILE.test(name));
}

/**
 * One sample from a folder of serialized TensorProtos: `input_0.pb` is the model's first input and so on, as ONNX's own
 * backend tests and model zoo have it. The shapes are fed exactly as they are.
 * @throws SO4002 when there are more files than inputs; what reading a tensor throws.
 */
export function readTestDataFolder(
  path: string,
  label: string,
  inputs: readonly ValueSpec[],
  names: readonly string[],
): Shard {
  const arrays: SourceArray[] = [];
  for (const file of names) {
    const index = Number(INPUT_FILE.exec(file)?.[1] ?? -1);
    if (index < 0) continue;
    const spec = inputs[index];
    if (!spec)
      throw new ServeOptError(
        'SO4002',
        `"${label}/${file}" is for input ${index}, but the model has ${inputs.length}`,
        {
          why: `the inputs of the model are ${inputs.map(({ name }) => `"${name}"`).join(', ')}`,
        },
      );
    // Sequences and optionals are other messages, which must not be read as a tensor.
    if (spec.dataType === undefined)
      throw new ServeOptError('SO4002', `Input "${spec.name}" is ${spec.typeText}: only tensor inputs are supported`);
    arrays.push(tensorArray(spec.name, `${label}/${file}`, readTensorFile(join(path, file))));
  }
  return { label, arrays, oneSample: true };
}

function tensorArray(name: string, label: string, tensor: Tensor): SourceArray {
  const { dataType, dims } = tensor;
  const data = tensorData(tensor, label);
  return memoryArray({ name, label, dims, dataType, typeText: dataTypeName(dataType), untyped: false, data });
}

function tensorData(tensor: Tensor, label: string): HostData {
  if (tensor.dataType === DataType.STRING) {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return tensor.stringElements().map((bytes) => decoder.decode(bytes));
  }
  const view = elementsView(tensor.dataType, tensor.bytes());
  if (!view)
    throw new ServeOptError(
      'SO4001',
      `"${label}" is a ${dataTypeName(tensor.dataType)} tensor, which is not supported`,
    );
  return view;
}
