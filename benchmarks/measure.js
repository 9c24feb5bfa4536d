import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** How often processes are looked at, in milliseconds. The kernel keeps peaks (VmHWM), so only the last moment is missed. */
const LOOK_INTERVAL_MS = 4;
/** New processes are searched, and what all hold together is added up, at every such look only: both cost more. */
const LOOKS_A_SEARCH = 8;
/** Unit of the times in /proc: fixed by the kernel's interface. */
const CLOCK_TICKS_PER_SECOND = 100;
/** How much of a program's output is kept for the message of its failure, in characters. */
const OUTPUT_KEPT = 4000;

/**
 * Runs a program to its end.
 * @param {{ command: string, args: readonly string[] }} program
 * @returns wall time from spawn to exit, processor time of all processes, peak memory of the largest process (resident
 *   set), and peak of all together at one time (pages they share counted once), in bytes. What /proc does not tell
 *   (on systems without it) is undefined.
 */
export async function measure({ command, args }) {
  const startedAt = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-OUTPUT_KEPT);
    });
  }
  const tree = new ProcessTree(child.pid);
  const timer = setInterval(() => tree.look(), LOOK_INTERVAL_MS);
  try {
    const { code, endedAt } = await new Promise((resolve, reject) => {
      let exit;
      child.once('error', reject);
      child.once('exit', (status, signal) => {
        exit = { code: status ?? signal, endedAt: performance.now() };
      });
      child.once('close', () => resolve(exit));
    });
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`);
    return { wallSeconds: (endedAt - startedAt) / 1000, ...tree.seen() };
  } finally {
    clearInterval(timer);
  }
}

/** A process and its descendants, as /proc tells of them. */
class ProcessTree {
  #pids;
  #looks = 0;
  #cpuTicks = new Map();
  #largestBytes = 0;
  #togetherBytes = 0;

  constructor(pid) {
    this.#pids = new Set([pid]);
  }

  look() {
    if (process.platform !== 'linux') return;
    for (const pid of this.#pids) {
      const highWater = kibibytes(read(`/proc/${pid}/status`), 'VmHWM') * 1024;
      this.#largestBytes = Math.max(this.#largestBytes, highWater);
      const ticks = cpuTicks(read(`/proc/${pid}/stat`));
      if (ticks > 0) this.#cpuTicks.set(pid, ticks);
    }
    if (this.#looks++ % LOOKS_A_SEARCH !== 0) return;
    let together = 0;
    for (const pid of this.#pids) {
      this.#addChildren(pid);
      together += kibibytes(read(`/proc/${pid}/smaps_rollup`), 'Pss') * 1024;
    }
    this.#togetherBytes = Math.max(this.#togetherBytes, together);
  }

  seen() {
    if (this.#largestBytes === 0) return {};
    let ticks = 0;
    for (const each of this.#cpuTicks.values()) ticks += each;
    return {
      cpuSeconds: ticks / CLOCK_TICKS_PER_SECOND,
      largestBytes: this.#largestBytes,
      // A short peak may fall between two looks, but never below what one process is known to have had.
      togetherBytes: Math.max(this.#togetherBytes, this.#largestBytes),
    };
  }

  #addChildren(pid) {
    let threads;
    try {
      threads = readdirSync(`/proc/${pid}/task`);
    } catch {
      this.#pids.delete(pid);
      return;
    }
    for (const thread of threads) {
      for (const child of read(`/proc/${pid}/task/${thread}/children`).split(' ')) {
        if (child.trim() !== '') this.#pids.add(Number(child));
      }
    }
  }
}

/** Empty for a process that has ended. */
function read(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function kibibytes(text, field) {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text);
  return match ? Number(match[1]) : 0;
}

/** User and system time in /proc/PID/stat: fields 14 and 15, counted after the name, which may hold anything. */
function cpuTicks(stat) {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}
