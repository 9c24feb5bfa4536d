import type { ChildState } from '../child-state.js';
import { nativeProvider, providerName } from '../execution-providers.js';
import { onnxRuntimeMessage } from '../onnx-runtime.js';
import type { ProbeParams, ProbeResult } from '../protocol.js';

/** `y = Relu(x)` on float[2], opset 13: small enough to be written down, real enough to need a kernel. */
const PROBE_MODEL = Uint8Array.from(
  Buffer.from(
    '08073a330a0c0a01781201792204' + // ir_version 7, graph, node x → y
      '52656c751201675a0f0a0178120a0a08080112040a020802' + // "Relu", name "g", input x
      '620f0a0179120a0a08080112040a02080242040a00100d', // output y, opset 13
    'hex',
  ),
);

/**
 * Tries an execution provider for real: creates a session on it and runs it. What the build lists as supported may
 * still lack a library, a driver or a device.
 * @throws SO5004 when ONNX Runtime itself does not load.
 */
export async function probeJob(state: ChildState, { provider: asked }: ProbeParams): Promise<ProbeResult> {
  const provider = providerName(asked);
  const ort = await state.onnxRuntime();
  try {
    const session = await ort.InferenceSession.create(PROBE_MODEL, {
      executionProviders: [nativeProvider(asked)],
      logSeverityLevel: 3,
    });
    const results = await session.run({ x: new ort.Tensor('float32', Float32Array.of(-1, 2), [2]) });
    await session.release();
    const values = results.y?.data;
    if (values instanceof Float32Array && values[0] === 0 && values[1] === 2) return { provider, works: true };
    return { provider, works: false, why: `it computed Relu([-1, 2]) as [${String(values)}]` };
  } catch (error) {
    return { provider, works: false, why: onnxRuntimeMessage(error) };
  }
}
