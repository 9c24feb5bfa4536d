import type { RuntimeHost } from '../../runtime/host.js';
import type { SessionOptions } from '../../runtime/types.js';

/** Calls `use` with a session of a model file, and frees it after. @throws SO5001 when ONNX Runtime refuses it, and what `use` throws */
export async function withSession<T>(
  runtime: RuntimeHost,
  path: string,
  options: SessionOptions,
  use: (session: number) => Promise<T>,
): Promise<T> {
  const { session } = await runtime.request('load', { path, options });
  const result = await use(session);
  // After an error the process is closed by whoever started it.
  await runtime.request('release', { session });
  return result;
}
