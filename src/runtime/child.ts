/** Entry of the child process that holds ONNX Runtime; `startRuntime` forks it. Not imported by anything. */
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { environmentError } from '../codec/system-error.js';
import { toErrorData } from '../error-data.js';
import type { DataReading } from '../samples/data-reading.js';
import { ChildState } from './child-state.js';
import type { JobProgress } from './job.js';
import { JOBS } from './jobs/table.js';
import type { JobName, JobParams, ReplyMessage, RequestMessage } from './protocol.js';

/** Progress is for people: at most this often. */
const PROGRESS_INTERVAL_MS = 100;

// The terminal sends Ctrl-C to the whole process group. The parent decides what it means, and kills this process.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('disconnect', () => process.exit(0));
// A run blocks this thread, so 'disconnect' may wait for hours; this thread sees that the parent is gone.
// The same thread sees that memory is used up.
const memoryBytes = Number(process.argv[2]) || undefined;
const workerData = { parentPid: process.ppid, memoryBytes };
new Worker(new URL('./parent-watch.js', import.meta.url), { workerData }).unref();

const reading: DataReading = JSON.parse(process.argv[3] ?? '{}');
const state = new ChildState(memoryBytes, reading);
let tail: Promise<void> = Promise.resolve();

process.on('message', (message: RequestMessage) => {
  // One after the other: a job that measures must not share the process with another.
  tail = tail.then(() => answer(message));
});

async function answer({ id, job, params }: RequestMessage): Promise<void> {
  try {
    send({ kind: 'result', id, result: await runJob(job, params, throttled(id)) });
  } catch (error) {
    send({ kind: 'error', id, error: toErrorData(environmentError(error) ?? error) });
  }
}

function runJob<J extends JobName>(job: J, params: unknown, progress: (p: JobProgress) => void): unknown {
  // The parent's `request` is typed by the same table.
  return JOBS[job](state, params as JobParams<J>, progress);
}

/** Sends the first, the last and now and then one between. */
function throttled(id: number): (progress: JobProgress) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const now = performance.now();
    if (now - last < PROGRESS_INTERVAL_MS && progress.done !== progress.total) return;
    last = now;
    send({ kind: 'progress', id, progress });
  };
}

function send(reply: ReplyMessage): void {
  // After the parent is gone there is nobody to tell; 'disconnect' ends this process.
  if (process.connected) process.send?.(reply);
}

send({ kind: 'ready' });
