/** Runs trtexec, or docker for it, as a process group of its own. */
import { execa } from 'execa';
import { ServeOptError } from '../../errors.js';
import { holdLeftover, releaseLeftover } from '../../leftovers.js';
import { LogFile } from './log-file.js';
import { LineSplitter } from './log-lines.js';
import { signalGroup } from './process-group.js';
import { type TrtexecLog, TrtexecLogReader, type TrtexecStage } from './trtexec-log.js';

export interface TrtexecCall {
  readonly program: string;
  readonly argv: readonly string[];
  /** Where its output is kept; none where absent. */
  readonly logPath?: string;
  readonly onStage?: (stage: TrtexecStage) => void;
  /** Every line as it comes. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Ends it after so long. */
  readonly timeoutMs?: number;
  /** Another way to end it, such as `docker kill`: called once, beside the signals. */
  readonly stop?: () => Promise<void>;
}

export interface TrtexecOutcome {
  readonly log: TrtexecLog;
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly endedBy: string | undefined;
  readonly timedOut: boolean;
  /** Why its log was not kept whole. */
  readonly logFailure?: string;
}

/** How long a process may take to end after a signal before the next, harder one. */
const GRACE_MS = 3000;
/** How long output may come after the process has ended: what it left behind may hold the pipe. */
const LAST_WORDS_MS = 1000;

/**
 * Runs a program to its end; whatever it prints is read as a log of trtexec, in bounded memory.
 * @throws SO5201 where it cannot be started, SO8130 when the signal is aborted
 */
export async function runTrtexec(call: TrtexecCall): Promise<TrtexecOutcome> {
  if (call.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
  const reader = new TrtexecLogReader(call.onStage, call.onLine);
  const file = call.logPath === undefined ? undefined : new LogFile(call.logPath);
  const child = execa(call.program, call.argv, {
    reject: false,
    buffer: false,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    // A group of its own: what it starts ends with it, and signals of the terminal come through serve-opt.
    detached: true,
    cleanup: false,
  });
  const { pid } = child;
  if (pid !== undefined) holdLeftover({ kind: 'process', pid: -pid });
  // A line of one stream never ends in the middle of a line of the other.
  const errors = new LineSplitter((line) => reader.addLine(line, 'stderr'));
  child.stdout.on('data', (bytes: Uint8Array) => {
    file?.write(bytes);
    reader.push(bytes);
  });
  child.stderr.on('data', (bytes: Uint8Array) => {
    file?.write(bytes);
    errors.push(bytes);
  });
  const ending = new Ending(pid, call.stop);
  const interrupt = (): void => ending.begin('interrupted');
  call.signal?.addEventListener('abort', interrupt, { once: true });
  const timer = call.timeoutMs === undefined ? undefined : setTimeout(() => ending.begin('timeout'), call.timeoutMs);
  child.once('exit', () => {
    // What it started must not go on without it, nor keep its output open.
    if (pid !== undefined) signalGroup(pid, 'SIGKILL', true);
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, LAST_WORDS_MS).unref();
  });
  try {
    const result = await child;
    await ending.stopped();
    file?.close();
    if (call.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
    if (pid === undefined) throw notStarted(call.program, result.originalMessage ?? result.shortMessage);
    errors.end();
    const failure = file?.failure;
    return {
      log: reader.end(),
      exitCode: result.exitCode,
      endedBy: result.signal,
      timedOut: ending.reason === 'timeout',
      ...(failure === undefined ? {} : { logFailure: failure instanceof Error ? failure.message : String(failure) }),
    };
  } finally {
    clearTimeout(timer);
    ending.clear();
    call.signal?.removeEventListener('abort', interrupt);
    if (pid !== undefined) {
      signalGroup(pid, 'SIGKILL', true);
      releaseLeftover({ kind: 'process', pid: -pid });
    }
    file?.close();
  }
}

function notStarted(program: string, why: string | undefined): ServeOptError {
  return new ServeOptError('SO5201', `"${program}" could not be started`, {
    ...(why === undefined ? {} : { why }),
    hint: 'check that it is a program for this system',
  });
}

/** Ends a group: asks twice, then makes it. */
class Ending {
  readonly #pid: number | undefined;
  readonly #stop: (() => Promise<void>) | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #stopping: Promise<void> | undefined;
  reason: 'interrupted' | 'timeout' | undefined;

  constructor(pid: number | undefined, stop: (() => Promise<void>) | undefined) {
    this.#pid = pid;
    this.#stop = stop;
  }

  begin(reason: 'interrupted' | 'timeout'): void {
    if (this.reason !== undefined || this.#pid === undefined) return;
    this.reason = reason;
    const pid = this.#pid;
    this.#stopping = this.#stop?.();
    signalGroup(pid, 'SIGINT');
    this.#timers.push(setTimeout(() => signalGroup(pid, 'SIGTERM'), GRACE_MS));
    this.#timers.push(setTimeout(() => signalGroup(pid, 'SIGKILL'), 2 * GRACE_MS));
  }

  async stopped(): Promise<void> {
    await this.#stopping;
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
