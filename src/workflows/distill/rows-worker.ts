/** Entry of the threads of `RowThreads`. Not imported by anything. */
import { parentPort } from 'node:worker_threads';
import { toErrorData } from '../../error-data.js';
import type { RowReply } from './row-threads.js';
import { type RowTask, rowsWork } from './rows-work.js';

const port = parentPort;
port?.on('message', (task: RowTask) => {
  try {
    const result = rowsWork(task, (rows) => port.postMessage({ kind: 'rows', rows } satisfies RowReply));
    port.postMessage({ kind: 'result', result } satisfies RowReply);
  } catch (error) {
    port.postMessage({ kind: 'error', error: toErrorData(error) } satisfies RowReply);
  }
});
