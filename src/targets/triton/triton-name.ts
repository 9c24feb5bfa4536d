import { basename } from 'node:path';

/** A model name for Triton made of a file name: without its extension, other characters than letters, digits, `_`, `-` and `.` replaced. */
export function tritonName(path: string): string {
  const stem = basename(path).replace(/\.(onnx|plan|engine)$/i, '');
  const name = stem.replace(/[^\w.-]+/g, '_').replace(/^[^A-Za-z0-9]+/, '');
  return name === '' ? 'model' : name;
}
