/** Entry of the worker thread of `FileHash`: hashes a file as far as it is told to. Not imported by anything. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, type HashReply, type HashRequest } from './hash-reply.js';

const port = parentPort;
if (port) {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(1024 * 1024);
  let fd: number | undefined;
  let at = 0;
  port.on('message', ({ untilBytes, last }: HashRequest) => {
    try {
      fd ??= openSync((workerData as { readonly path: string }).path, 'r');
      while (at < untilBytes) {
        const count = readSync(fd, buffer, 0, Math.min(buffer.byteLength, untilBytes - at), at);
        if (count === 0) {
          port.postMessage({ failure: { kind: 'shorter' } } satisfies HashReply);
          return;
        }
        hash.update(count === buffer.byteLength ? buffer : buffer.subarray(0, count));
        at += count;
      }
      if (!last) return;
      closeSync(fd);
      port.postMessage({ digest: hash.digest('hex') } satisfies HashReply);
    } catch (error) {
      port.postMessage({ failure: failureOf(error) } satisfies HashReply);
    }
  });
}
