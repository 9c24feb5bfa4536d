/** In the child process: ends it when it takes more memory than it may, even while ONNX Runtime blocks the main thread. */
import { readFileSync, writeSync } from 'node:fs';
import process from 'node:process';
import { OVER_MEMORY_LIMIT } from './memory-limit.js';

const STANDARD_ERROR = 2;

/** Bytes of memory of this process that are its own: files that are mapped, such as weights, do not count where that can be told. */
function ownBytes(): number {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    const [anonymous, shared] = ['RssAnon', 'RssShmem'].map((name) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]),
    );
    if (anonymous !== undefined && shared !== undefined && !Number.isNaN(anonymous + shared))
      return (anonymous + shared) * 1024;
  } catch {
    // No such file outside of Linux: what Node tells has to do.
  }
  return process.memoryUsage.rss();
}

/** Ends the process, with a word that its parent looks for, when it has more than `memoryBytes`. */
export function endWhenOver(memoryBytes: number): void {
  if (ownBytes() <= memoryBytes) return;
  try {
    writeSync(STANDARD_ERROR, `${OVER_MEMORY_LIMIT}\n`);
  } catch {
    // Nobody reads it: the end itself is then all there is to see.
  }
  process.kill(process.pid, 'SIGKILL');
}
