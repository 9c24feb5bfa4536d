import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { fileError } from '../../codec/byte-source.js';
import type { WorkflowContext } from '../options.js';

/** Bytes of files after gzip, at its default level: what an image layer or a download takes. Streams. */
export async function compressedBytes(paths: readonly string[], { signal }: WorkflowContext): Promise<number> {
  let total = 0;
  for (const path of paths) {
    try {
      await pipeline(
        createReadStream(path),
        createGzip(),
        async (source: AsyncIterable<Uint8Array>) => {
          for await (const chunk of source) total += chunk.byteLength;
        },
        ...(signal ? [{ signal }] : []),
      );
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw fileError(path, cause);
    }
  }
  return total;
}
