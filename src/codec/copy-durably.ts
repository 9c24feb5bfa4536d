import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { backgroundFlush } from './background-flush.js';

/** Time between two flushes of a copy that is being made. */
const FLUSH_INTERVAL_MS = 10;

/**
 * Copies a file to a new path and syncs it. The system makes the copy without its bytes coming here (on file systems that can,
 * without copying), and the disk takes the first part while the rest is copied. @throws errors of the system
 */
export async function copyDurably(source: string, target: string): Promise<void> {
  const fd = openSync(target, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
  try {
    const background = backgroundFlush(fd);
    let flushed: Error | undefined;
    try {
      let isCopied = false;
      const copying = copyFile(source, target, constants.COPYFILE_FICLONE).finally(() => {
        isCopied = true;
      });
      while (!isCopied) {
        await Promise.race([copying, delay(FLUSH_INTERVAL_MS)]);
        if (!isCopied) background.start();
      }
      await copying;
    } finally {
      flushed = await background.end();
    }
    if (flushed) throw flushed;
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
