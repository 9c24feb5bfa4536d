/** Looks at running programs and all their processes a few times a second. */
import { type ProcessRow, processRows, treeOf } from './processes.js';

export type Look = (tree: readonly ProcessRow[]) => void;

const EVERY_MS = 60;

/** One scan of /proc serves all programs that run at the time. */
export class ProcessWatch {
  readonly #looks = new Map<number, { readonly look: Look; readonly known: Set<number> }>();
  #timer: NodeJS.Timeout | undefined;

  /** Calls `look` with the process and all below it until `remove`. */
  add(pid: number, look: Look): void {
    this.#looks.set(pid, { look, known: new Set() });
    this.#timer ??= setInterval(() => this.#scan(), EVERY_MS);
  }

  remove(pid: number): void {
    this.#looks.delete(pid);
    if (this.#looks.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Sends a signal to a program and all its processes, however they were started. */
  kill(pid: number, signal: NodeJS.Signals): void {
    const known = this.#looks.get(pid)?.known ?? new Set<number>();
    for (const row of treeOf(pid, processRows(), known)) sendSignal(row.pid, signal);
  }

  killAll(): void {
    for (const pid of this.#looks.keys()) this.kill(pid, 'SIGKILL');
  }

  #scan(): void {
    const rows = processRows();
    for (const [pid, { look, known }] of this.#looks) look(treeOf(pid, rows, known));
  }
}

/** A process that is gone already is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
