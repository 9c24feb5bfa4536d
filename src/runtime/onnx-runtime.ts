import process from 'node:process';
import { ServeOptError } from '../errors.js';
import { cleanNativeText, withoutSourceLines } from './native-text.js';

/** The module's own types. */
export type OnnxRuntime = typeof import('onnxruntime-node');

/**
 * Loads onnxruntime-node. Only the child process calls it: loading takes tens of milliseconds, and native code that
 * dies must not take the caller along.
 *
 * From 1.30 on ONNX Runtime reports its use to Microsoft, keeps a device number in the user's cache folder and leaves a
 * log in the temporary folder for each process. A tool that handles other people's models does not do that unasked: it
 * is switched off here, unless the environment decides otherwise (`ORT_DISABLE_TELEMETRY=0`).
 * @throws SO5004 when the package or its native library is missing or does not load on this machine.
 */
export async function importOnnxRuntime(): Promise<OnnxRuntime> {
  // In the main thread of a process this reaches the environment that native code reads.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    const text = cleanNativeText(error instanceof Error ? error.message : String(error));
    throw new ServeOptError('SO5004', 'ONNX Runtime (onnxruntime-node) cannot be loaded', { why: text, cause: error });
  }
}

/** The message of anything ONNX Runtime threw, as one clean line. */
export function onnxRuntimeMessage(error: unknown): string {
  return cleanNativeText(withoutSourceLines(error instanceof Error ? error.message : String(error)));
}
