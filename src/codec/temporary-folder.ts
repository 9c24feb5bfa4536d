import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { holdLeftover, releaseLeftover } from '../leftovers.js';

/** How the names of temporary folders begin where other programs have theirs too. */
export const TEMPORARY_STEM = 'serve-opt-work';

/** How a folder's name ends: `<process>-<when that began>-<machine>-<random>.tmp`. */
const NAME_END = /\.(\d+)-([0-9a-z]+)-([0-9a-f]{8})-[0-9a-f]{12}\.tmp$/;

/** Of a process that cannot be looked up from here, such as one of another container: untouched for so long, it is dead. */
const STALE_AFTER_MS = 6 * 60 * 60 * 1000;

/** Removing takes a few tries where a process that was just killed is still letting go of a file. */
const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const;

/**
 * Makes an empty private folder `<stem>.<owner>.tmp` in `parent`. Its name tells which process owns it, so that a later one
 * can remove it when its owner was killed: `sweepTemporaryFolders`. Errors as `mkdirSync`.
 */
export function makeTemporaryFolder(parent: string, stem: string): string {
  const path = join(parent, `${stem}.${ownerName()}-${randomBytes(6).toString('hex')}.tmp`);
  holdLeftover({ kind: 'folder', path });
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    releaseLeftover({ kind: 'folder', path });
    throw error;
  }
  return path;
}

/** Removes it with all it holds. May be called more than once. */
export function removeTemporaryFolder(path: string): void {
  rmSync(path, REMOVAL);
  releaseLeftover({ kind: 'folder', path });
}

/**
 * Removes from `parent` the folders whose names begin with `stem` and whose owners are dead. Only folders of this user that
 * nobody else can write to are touched: in a folder for everybody, what another user made is theirs.
 */
export function sweepTemporaryFolders(parent: string, stem: string): void {
  for (const path of temporaryFolders(parent, stem)) {
    if (!isOwnerDead(path)) continue;
    try {
      rmSync(path, REMOVAL);
    } catch {
      // It is no part of this run: another process may be removing it, or the next one will.
    }
  }
}

/** Whether the owner of a temporary folder is dead, by the name of the folder. @param path as `makeTemporaryFolder` gives it */
export function isOwnerDead(path: string): boolean {
  const [, pid = '', began = '', machine = ''] = NAME_END.exec(path) ?? [];
  return machine === machineName() ? !isAlive(Number(pid), began) : isStale(path);
}

/** Paths of the folders of this user in `parent` that are named as temporary ones are, and that nobody else can write to. */
export function temporaryFolders(parent: string, stem: string): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return []; // What is to be made there will fail with the reason.
  }
  return names
    .filter((name) => name.startsWith(stem) && NAME_END.test(name))
    .map((name) => join(parent, name))
    .filter(isOwnPrivate);
}

/** Whether a path is a folder of this user that nobody else can write to. */
export function isOwnPrivate(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return false;
  const { uid } = userInfo();
  // Windows has neither owners nor modes of this kind.
  return uid === -1 || (stat.uid === uid && (stat.mode & 0o022) === 0);
}

function isStale(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > STALE_AFTER_MS;
}

/** Whether the process of this number is the one that began then: numbers are used again. */
function isAlive(pid: number, began: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: a process of somebody else, so the number was used again or it is alive; when it began decides.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = beginningOf(pid);
  return now === UNKNOWN || began === UNKNOWN || now === began;
}

function ownerName(): string {
  return `${process.pid}-${beginningOf(process.pid)}-${machineName()}`;
}

const UNKNOWN = '0';

/** When a process began, in ticks since the system started; `0` where the system does not tell. */
function beginningOf(pid: number): string {
  const text = readText(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets, which may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[19]);
  return Number.isFinite(ticks) && ticks > 0 ? ticks.toString(36) : UNKNOWN;
}

/** Process numbers mean something only within one start of one system, and one container of it. */
function machineName(): string {
  let container = '';
  try {
    container = readlinkSync('/proc/self/ns/pid');
  } catch {
    // No Linux: there are no containers that share folders but not process numbers.
  }
  const start = readText('/proc/sys/kernel/random/boot_id');
  return createHash('sha256').update(`${hostname()}\n${start}\n${container}`).digest('hex').slice(0, 8);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
