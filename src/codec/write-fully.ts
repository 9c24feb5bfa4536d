import { writeSync } from 'node:fs';

/** Most bytes of one call: Node takes no more than 2 GiB. */
const CALL_BYTES = 1 << 30;

/** Writes every byte at the end of an open file, however few the system takes at a time. @throws errors of the system */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength; )
    done += writeSync(fd, bytes, done, Math.min(CALL_BYTES, bytes.byteLength - done));
}
