import { writeSync } from 'node:fs';

/** Most bytes of one call: Node takes no more than 2 GiB. */
const CALL_BYTES = 1 << 30;

/**
 * Writes every byte, however few the system takes at a time. @param position where in the file; default behind what was written last
 * @throws errors of the system
 */
export function writeFully(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.byteLength; ) {
    const at = position === undefined ? null : position + done;
    done += writeSync(fd, bytes, done, Math.min(CALL_BYTES, bytes.byteLength - done), at);
  }
}
