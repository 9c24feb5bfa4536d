import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { temporaryError } from '../../codec/system-error.js';
import { writeFully } from '../../codec/write-fully.js';
import { ServeOptError } from '../../errors.js';
import type { HostTensor } from '../../samples/types.js';
import { bytesOf } from '../../tensor/tensor.js';
import type { ChildState } from '../child-state.js';
import type { EvaluatedOutput, EvaluateParams } from '../protocol.js';
import { SESSIONS } from '../session-options.js';

/**
 * Runs a model that has no inputs and gives its outputs. Large ones go through a file, not through the channel between
 * processes, which would hold them several times.
 * @throws SO5001, SO5002 when ONNX Runtime refuses it, SO5006 for an output that cannot be fetched, SO6001 where there is no
 * room for a result
 */
export async function evaluateJob(
  state: ChildState,
  { path, resultPath, sentBytes }: EvaluateParams,
): Promise<Map<string, EvaluatedOutput>> {
  const { id, session } = await state.load(path, SESSIONS.evaluated);
  try {
    const missing = session.outputs.find(({ name }) => !session.outputNames.includes(name));
    if (missing) throw new ServeOptError('SO5006', `ONNX Runtime for Node cannot pass the output "${missing.name}"`);
    const results = new ResultFile(resultPath);
    try {
      const outputs = await session.run(new Map());
      return new Map([...outputs].map(([name, tensor]) => [name, results.place(tensor, sentBytes)]));
    } finally {
      results.close();
    }
  } finally {
    await state.release(id);
  }
}

/** The file of large results; made when the first one comes. */
class ResultFile {
  readonly #path: string;
  #fd: number | undefined;
  #sizeBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The tensor itself, or where its bytes were put. */
  place(tensor: HostTensor, sentBytes: number): EvaluatedOutput {
    const { dataType, dims, data } = tensor;
    if (!ArrayBuffer.isView(data) || data.byteLength <= sentBytes) return tensor;
    const bytes = bytesOf(data);
    try {
      this.#fd ??= openSync(this.#path, 'wx');
      writeFully(this.#fd, bytes);
    } catch (cause) {
      throw temporaryError(dirname(dirname(this.#path)), cause);
    }
    const fileOffset = this.#sizeBytes;
    this.#sizeBytes += bytes.byteLength;
    return { dataType, dims, fileOffset, byteLength: bytes.byteLength };
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}
