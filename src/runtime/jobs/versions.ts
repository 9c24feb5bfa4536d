import process from 'node:process';
import type { ChildState } from '../child-state.js';
import type { VersionsResult } from '../protocol.js';

/** Versions of ONNX Runtime and Node, and the backends that this build knows of. @throws SO5004 */
export async function versionsJob(state: ChildState): Promise<VersionsResult> {
  const ort = await state.onnxRuntime();
  return {
    onnxRuntime: ort.env.versions.node ?? ort.env.versions.common,
    node: process.versions.node,
    libraryMs: state.libraryMs,
    backends: ort.listSupportedBackends().map(({ name, bundled }) => ({ name, bundled })),
  };
}
