import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { whyUnsafePath } from '../package-file.js';

/** Bytes of a model name: it is a folder, and stands in URLs. */
const LONGEST_NAME = 200;

/** A model name for Triton made of a file name: without its extension, other characters than letters, digits, `_`, `-` and `.` replaced. */
export function tritonName(path: string): string {
  const stem = basename(path).replace(/\.(onnx|plan|engine|trt)$/i, '');
  const name = stem
    .replace(/[^\w.-]+/g, '_')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/\.+$/, '')
    .slice(0, LONGEST_NAME);
  return name === '' || whyUnsafePath(name) !== undefined ? 'model' : name;
}

/** Refuses a name that is no folder on every system, or that a URL would not carry. @throws SO1006 */
export function checkTritonName(name: string): void {
  const why = whyNotName(name);
  if (why === undefined) return;
  throw new ServeOptError('SO1006', `The value "${name.slice(0, 200)}" of --name is not allowed`, {
    why,
    hint: `write --name ${tritonName(name)}`,
  });
}

function whyNotName(name: string): string | undefined {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name))
    return 'a model name begins with a letter or digit and has letters, digits, "_", "-" and "." only';
  if (name.length > LONGEST_NAME) return `a model name has at most ${LONGEST_NAME} characters`;
  if (name.endsWith('.')) return 'Windows has no folder whose name ends with "."';
  return whyUnsafePath(name);
}
