import { closeSync, constants, fsyncSync, openSync, statSync } from 'node:fs';

/** Makes a file or a folder's names durable. Systems that cannot sync a folder are left alone. */
export function syncPath(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch {
    return;
  }
  try {
    fsyncSync(fd);
  } catch (cause) {
    // Some network file systems refuse to sync folders; files must be on the disk.
    if (statSync(path).isFile()) throw cause;
  } finally {
    closeSync(fd);
  }
}
