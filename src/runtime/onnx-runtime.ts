import { ServeOptError } from '../errors.js';
import { cleanNativeText } from './native-text.js';

/** The module's own types. */
export type OnnxRuntime = typeof import('onnxruntime-node');

/**
 * Loads onnxruntime-node. Only the child process calls it: loading takes tens of milliseconds, and native code that
 * dies must not take the caller along.
 * @throws SO5004 when the package or its native library is missing or does not load on this machine.
 */
export async function importOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    const text = cleanNativeText(error instanceof Error ? error.message : String(error));
    throw new ServeOptError('SO5004', 'ONNX Runtime (onnxruntime-node) cannot be loaded', { why: text, cause: error });
  }
}

/** The message of anything ONNX Runtime threw, as one clean line. */
export function onnxRuntimeMessage(error: unknown): string {
  return cleanNativeText(error instanceof Error ? error.message : String(error));
}
