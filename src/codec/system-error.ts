import { type ErrorCode, ServeOptError, type ServeOptErrorDetails } from '../errors.js';

/** An error of the operating system as Node gives it: `code` is the name of its errno. */
export interface SystemError extends Error {
  readonly code: string;
  readonly syscall?: string;
  readonly path?: string;
  readonly dest?: string;
}

interface Words {
  /** Completes "Cannot read X: …" and "Cannot write X: …". */
  readonly reading: string;
  /** Where it means something else for a file that is written. */
  readonly writing?: string;
  readonly hint?: string;
}

const DENIED: Words = { reading: 'permission denied' };
const MORE_FILES = 'raise the limit on open files, for example: ulimit -n 1024';
const UNREACHABLE = 'check that its disk or network share is still there';

/** What each errno means to a user: the only table of them. */
const WORDS: ReadonlyMap<string, Words> = new Map<string, Words>([
  ['ENOENT', { reading: 'it does not exist', writing: 'its folder does not exist' }],
  ['ENOTDIR', { reading: 'a part of the path is not a folder' }],
  ['EISDIR', { reading: 'it is a folder' }],
  ['EACCES', DENIED],
  ['EPERM', DENIED],
  [
    'ELOOP',
    {
      reading: 'its symbolic links form a loop',
      hint: 'see where they lead with readlink, or name the file itself',
    },
  ],
  ['ENAMETOOLONG', { reading: 'its name is too long for the file system' }],
  ['EINVAL', { reading: 'the file system does not allow this name or operation' }],
  ['EILSEQ', { reading: 'the file system does not allow this name' }],
  ['ENOSPC', { reading: 'the disk is full', hint: 'free some space, or write to another disk' }],
  ['EDQUOT', { reading: 'the disk quota is used up', hint: 'free some space, or write to another disk' }],
  ['EFBIG', { reading: 'the file would be larger than the system allows', hint: 'see ulimit -f' }],
  ['EROFS', { reading: 'the file system is read-only' }],
  ['EMFILE', { reading: 'this process has too many files open', hint: MORE_FILES }],
  ['ENFILE', { reading: 'the system has too many files open', hint: 'close other programs, then run again' }],
  ['ENOMEM', { reading: 'the system has no memory left', hint: 'close other programs, or use a smaller model' }],
  ['EAGAIN', { reading: 'the system has no processes or threads left', hint: 'see ulimit -u' }],
  ['EIO', { reading: 'the disk reports an error', hint: UNREACHABLE }],
  ['ESTALE', { reading: 'it no longer exists on the network share', hint: UNREACHABLE }],
  ['ENODEV', { reading: 'its device is gone', hint: UNREACHABLE }],
  ['ENXIO', { reading: 'it is a device or pipe that nothing is connected to' }],
  ['ENOTCONN', { reading: 'its network share is not connected', hint: UNREACHABLE }],
  ['EHOSTDOWN', { reading: 'the host of its network share is down', hint: UNREACHABLE }],
  ['ETIMEDOUT', { reading: 'its network share does not respond', hint: UNREACHABLE }],
  ['ETXTBSY', { reading: 'another process is running it' }],
  ['EBUSY', { reading: 'another process or the system is using it' }],
  ['EEXIST', { reading: 'it already exists' }],
  ['ENOTEMPTY', { reading: 'the folder is not empty' }],
  ['EMLINK', { reading: 'it has too many hard links' }],
  ['EXDEV', { reading: 'it is on another file system' }],
  ['ENOTSUP', { reading: 'the file system does not support this' }],
  ['EOPNOTSUPP', { reading: 'the file system does not support this' }],
  ['ENOSYS', { reading: 'the system does not support this' }],
  ['EOVERFLOW', { reading: 'it is too large for this system' }],
  ['EPIPE', { reading: 'the reader has closed the pipe' }],
  ['ERR_INVALID_ARG_VALUE', { reading: 'the path has a NUL character' }],
]);

/** What the system has run out of: neither the input nor the output is to blame. */
const OUT_OF: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);
/** What only writing meets, whatever the call was. */
const ONLY_WRITING: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EEXIST', 'ETXTBSY', 'EPIPE']);
const READING_CALLS: ReadonlySet<string> = new Set(
  'open read readv stat lstat fstat statx access scandir opendir readlink realpath lseek'.split(' '),
);
const NETWORK_CALLS: ReadonlySet<string> = new Set('connect getaddrinfo listen bind accept send recv'.split(' '));
const PROCESS_CALLS = /^(spawn|fork|exec|uv_thread|uv_os|kill)/;

/** Whether something thrown is an error of the operating system, or of Node about a path that no system takes. */
export function isSystemError(thrown: unknown): thrown is SystemError {
  if (!(thrown instanceof Error)) return false;
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  if (typeof code !== 'string') return false;
  if (code === 'ERR_INVALID_ARG_VALUE') return thrown.message.includes('without null bytes');
  return /^E[A-Z0-9]+$/.test(code) && (syscall !== undefined || WORDS.has(code));
}

/** The errno of a system error, under the `cause` of ours or by itself; also of one that crossed to another thread as data. */
export function systemCode(thrown: unknown): string | undefined {
  const inner = thrown instanceof ServeOptError ? thrown.cause : thrown;
  const code: unknown = typeof inner === 'object' && inner !== null && 'code' in inner ? inner.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** A system error in words that complete "Cannot read X: …". */
export function systemReason(cause: unknown, direction: 'reading' | 'writing' = 'reading'): string {
  const code = systemCode(cause);
  const words = code === undefined ? undefined : WORDS.get(code);
  return words?.[direction] ?? words?.reading ?? code ?? (cause instanceof Error ? cause.message : String(cause));
}

function fault(code: ErrorCode, message: string, cause: unknown, file?: string, hint?: string): ServeOptError {
  const errno = systemCode(cause) ?? '';
  const advice = WORDS.get(errno)?.hint ?? hint;
  const details: { -readonly [K in keyof ServeOptErrorDetails]: ServeOptErrorDetails[K] } = { cause };
  if (file !== undefined) details.location = { file };
  if (advice !== undefined) details.hint = advice;
  return new ServeOptError(OUT_OF.has(errno) ? 'SO6101' : code, message, details);
}

/** How a failure to read a file reads to a user. Ours are given back as they are. @returns SO2001, SO2002 or SO6101 */
export function fileError(path: string, cause: unknown): ServeOptError {
  if (cause instanceof ServeOptError) return cause;
  const code = systemCode(cause);
  if (code === 'ENOENT') return fault('SO2001', `No such file: "${path}"`, cause, path);
  if (code === 'ENOTDIR') return fault('SO2001', `No such file: "${path}": ${systemReason(cause)}`, cause, path);
  return fault('SO2002', `Cannot read "${path}": ${systemReason(cause)}`, cause, path);
}

/** How a failure to write a file reads to a user. Ours are given back as they are. @returns SO6001 or SO6101 */
export function outputError(path: string, cause: unknown): ServeOptError {
  if (cause instanceof ServeOptError) return cause;
  const hint = systemCode(cause) === 'ENOENT' ? 'make the folder first, or write to one that exists' : undefined;
  return fault('SO6001', `Cannot write "${path}": ${systemReason(cause, 'writing')}`, cause, path, hint);
}

/** The same for what is written below the folder for temporary files, which the user did not name. @returns SO6001 or SO6101 */
export function temporaryError(folder: string, cause: unknown): ServeOptError {
  if (cause instanceof ServeOptError) return cause;
  const hint = 'set TMPDIR to a folder on a disk with free space: TMPDIR=/path serve-opt …';
  const code = systemCode(cause);
  const reason = code === 'ENOENT' ? 'it does not exist, or is not writable' : systemReason(cause, 'writing');
  const error = fault('SO6001', `Cannot write to the temporary folder "${folder}": ${reason}`, cause, folder, hint);
  return error.code === 'SO6101' ? error : new ServeOptError('SO6001', error.message, { hint, cause });
}

/**
 * Whatever the system refused and nobody put into words nearer to it: never a bug of ours. Undefined for anything that is
 * no error of the system. @returns SO2001, SO2002, SO5101, SO6001 or SO6101, by the errno and the call that failed
 */
export function environmentError(thrown: unknown): ServeOptError | undefined {
  if (isWorkerFailure(thrown)) {
    const why = thrown.message;
    return new ServeOptError('SO6101', 'A thread cannot be started', { why, hint: MORE_FILES, cause: thrown });
  }
  if (!isSystemError(thrown)) return undefined;
  const { code, syscall = '', path } = thrown;
  if (syscall === 'uv_cwd') {
    return new ServeOptError('SO6101', 'The working folder is gone', {
      why: 'it was removed after this shell entered it',
      hint: 'change to a folder that exists: cd ~',
      cause: thrown,
    });
  }
  if (NETWORK_CALLS.has(syscall) || /^ECONN|^ENET|^EHOSTUNREACH$|^EADDR|^EAI_/.test(code))
    return fault('SO5101', `The network connection failed: ${thrown.message}`, thrown);
  if (PROCESS_CALLS.test(syscall)) {
    const error = fault('SO6101', `A process cannot be started: ${systemReason(thrown)}`, thrown);
    return error;
  }
  if (ONLY_WRITING.has(code)) return outputError(path ?? syscall, thrown);
  const isReading = READING_CALLS.has(syscall) || code === 'ERR_INVALID_ARG_VALUE' || syscall === '';
  if (path !== undefined) return isReading ? fileError(path, thrown) : outputError(thrown.dest ?? path, thrown);
  const [kind, doing] = isReading ? (['SO2002', 'read'] as const) : (['SO6001', 'written'] as const);
  return fault(kind, `A file cannot be ${doing}: ${systemReason(thrown, isReading ? 'reading' : 'writing')}`, thrown);
}

/** A worker thread needs descriptors and memory of its own. */
function isWorkerFailure(thrown: unknown): thrown is Error {
  return thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === 'ERR_WORKER_INIT_FAILED';
}
