/** Worker thread of the child process: kills the process when its parent is gone, even while ONNX Runtime blocks the main thread. */
import process from 'node:process';
import { workerData } from 'node:worker_threads';

const CHECK_INTERVAL_MS = 500;

const { parentPid } = workerData as { readonly parentPid: number };

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
