/** Worker thread of the child process: ends the process when its parent is gone or it takes too much memory, even while ONNX Runtime blocks the main thread. */
import process from 'node:process';
import { workerData } from 'node:worker_threads';
import { endWhenOver } from './memory-watch.js';

const CHECK_INTERVAL_MS = 500;
/** Memory is taken at some gigabytes a second. */
const MEMORY_INTERVAL_MS = 100;

const { parentPid, memoryBytes } = workerData as {
  readonly parentPid: number;
  readonly memoryBytes: number | undefined;
};

function parentLives(): boolean {
  if (process.ppid !== parentPid) return false;
  try {
    process.kill(parentPid, 0);
    return true;
  } catch {
    // ESRCH: no such process. Windows keeps the old parent number, so this is what tells there.
    return false;
  }
}

setInterval(() => {
  if (!parentLives()) process.kill(process.pid, 'SIGKILL');
}, CHECK_INTERVAL_MS);
if (memoryBytes !== undefined) setInterval(() => endWhenOver(memoryBytes), MEMORY_INTERVAL_MS);
