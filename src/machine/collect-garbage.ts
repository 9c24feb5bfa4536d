import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: ((options?: { readonly type: 'minor' }) => void) | undefined;

/**
 * Collects garbage now. The heap of a thread that then waits for another process is not collected on its own, so what it no longer
 * needs would stand beside what the other process takes. A heap of 600 MB takes about half a second.
 */
export function collectGarbage(): void {
  collector()();
}

/** Bytes after which the buffers that they went through are collected, unless another number is given. */
const COLLECT_BYTES = 4 * 1024 * 1024;

/**
 * Collects young garbage each time that so many more bytes have gone through, which takes a millisecond or two. Buffers of
 * streams wait outside of the heap for a collection that the small heap gives no reason for: some 50 MB of them at any time.
 * @returns to be told of bytes as they pass
 */
export function collectingEvery(bytes = COLLECT_BYTES): (passedBytes: number) => void {
  let waiting = 0;
  return (passedBytes) => {
    waiting += passedBytes;
    if (waiting < bytes) return;
    waiting = 0;
    collector()({ type: 'minor' });
  };
}

function collector(): NonNullable<typeof collect> {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as NonNullable<typeof collect>;
  }
  return collect;
}
