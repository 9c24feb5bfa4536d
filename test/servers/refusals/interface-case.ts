/** Configurations of inputs and outputs. */
import { type ModelFolder, onnx } from './server-case.js';

/** A configuration of inputs `name type dims rest` and outputs. */
export function io(
  model: string,
  maxBatchSize: number,
  inputs: readonly string[],
  outputs: readonly string[],
  more = '',
): ModelFolder {
  const list = (field: string, tensors: readonly string[]): string =>
    tensors.map((tensor) => `${field} { ${tensor} }\n`).join('');
  return onnx(
    model,
    `platform: "onnxruntime_onnx"\nmax_batch_size: ${maxBatchSize}\n${list('input', inputs)}${list('output', outputs)}${more}`,
  );
}
/** One tensor as the text format has it. */
export const tensor = (name: string, type: string, dims: string, rest = ''): string =>
  `name: "${name}" data_type: TYPE_${type} dims: [ ${dims} ]${rest === '' ? '' : ` ${rest}`}`;
export const X4 = tensor('X', 'FP32', '4');
export const Y4 = tensor('Y', 'FP32', '4');
