/** The limit on the memory of the child process: how it is set, and how it shows when it is met. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { ServeOptError } from '../errors.js';
import { formatBytes, roundedUpBytes } from '../tensor/byte-size.js';
import { cleanNativeText } from './native-text.js';

/** What the watch in the child writes before it ends the process. */
export const OVER_MEMORY_LIMIT = 'serve-opt: over the memory limit';

/** Addresses that a thread's stack takes, whether it uses them or not: the limit counts them. */
const STACK_BYTES = 8 * 2 ** 20;
/** Threads of Node itself: its pool, those of V8, the watch. */
const NODE_THREADS = 12;

const SHELL = '/bin/sh';
/** `exec` keeps the process id, so that signals and the channel reach the program itself. A shell that cannot set the limit goes on without. */
const UNDER_LIMIT = '(ulimit -d "$0") 2>/dev/null && ulimit -d "$0"; exec "$@"';

export interface Launch {
  readonly execPath: string;
  readonly execArgv: readonly string[];
}

/**
 * How to start a Node program whose private memory is limited by the system: RLIMIT_DATA counts what is written to, from
 * Linux 4.7 on, and not the addresses that V8 reserves. Elsewhere the program starts as it is, and only its own watch
 * (`memory-watch.ts`) ends it.
 * @param threads threads that the program will start beside those of Node
 */
export function launchUnderLimit(
  execArgv: readonly string[],
  memoryBytes: number | undefined,
  threads: number = availableParallelism(),
): Launch {
  if (memoryBytes === undefined || process.platform !== 'linux' || !existsSync(SHELL))
    return { execPath: process.execPath, execArgv };
  const kilobytes = Math.ceil((memoryBytes + (threads + NODE_THREADS) * STACK_BYTES) / 1024);
  return { execPath: SHELL, execArgv: ['-c', UNDER_LIMIT, String(kilobytes), process.execPath, ...execArgv] };
}

/** How native code, Node and V8 say that they got no memory. */
const NO_MEMORY =
  /bad[_ ]alloc|failed to allocate memory|array buffer allocation failed|invalid (?:typed )?array (?:buffer )?length|out of memory|cannot allocate memory|not enough memory|allocation failed|std::length_error/i;

/** Whether a message says that there was no memory. */
export function saysNoMemory(text: string | undefined): boolean {
  return text !== undefined && (NO_MEMORY.test(text) || text.includes(OVER_MEMORY_LIMIT));
}

/** What native text tells of the place: the innermost node, and how much it asked for. */
function whereItWasMet(told: string): string | undefined {
  const nodes = [...told.matchAll(/while running (\w+) node\. Name:'([^']*)'/g)];
  const [, opType, name] = nodes.at(-1) ?? [];
  const [, size] = /requested buffer of size (\d+)/.exec(told) ?? [];
  if (opType === undefined) return undefined;
  const node = name ? `${opType} "${cleanNativeText(name, LONGEST_NAME)}"` : `a node of the operator ${opType}`;
  return size === undefined ? `it was used up at ${node}` : `${node} requested ${formatBytes(Number(size))} at once`;
}

const LONGEST_NAME = 100;

/** The error for work that met the limit of the child process. @param told what was said when it did */
export function overLimit(memoryBytes: number, told: string | undefined): ServeOptError {
  const why = told === undefined ? undefined : whereItWasMet(told);
  return new ServeOptError('SO2105', `The model needs more than the ${formatBytes(memoryBytes)} that --mem allows`, {
    ...(why === undefined ? {} : { why }),
    hint: `allow more: --mem ${roundedUpBytes(2 * memoryBytes)}`,
  });
}

/** Any error of the child as it is told: one that says that there was no memory is about the limit. */
export function asMemoryError(error: ServeOptError, memoryBytes: number | undefined): ServeOptError {
  if (memoryBytes === undefined || error.code === 'SO2105' || error.exitCode === 2) return error;
  const told = error.why === undefined ? error.message : `${error.message}: ${error.why}`;
  return saysNoMemory(told) ? overLimit(memoryBytes, told) : error;
}
