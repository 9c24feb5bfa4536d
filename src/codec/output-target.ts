import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { ServeOptError } from '../errors.js';
import { outputError } from './system-error.js';

/** Where an output goes. */
export interface OutputTarget {
  /** As it was given; for messages. */
  readonly given: string;
  /** The place of the file itself: absolute, without a link in it. Nothing need be there yet. */
  readonly path: string;
  /** What is there now. */
  readonly existing: ExistingEntry | undefined;
}

/** An entry of the file system, as far as one is told from another. Every `BigIntStats` is one. */
export interface ExistingEntry {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** More links than any system follows. */
const MOST_LINKS = 40;
/** File systems that show the state of the system; links in them are descriptors, which can only be written to, not replaced. */
const SYSTEM_FOLDERS = /^[/](proc|sys)([/]|$)/;

/**
 * Follows the links of a path to the file that they lead to. Links in folders are followed as well. A link to nothing leads
 * to where the file would be.
 * @throws SO6001 for what is no regular file and for links that lead in a circle
 */
export function resolveTarget(given: string): OutputTarget {
  if (given === '') throw refused(given, 'the path is empty');
  let current = given;
  for (let links = 0; links <= MOST_LINKS; links++) {
    if (current.endsWith('/') || current.endsWith(sep)) throw refused(given, 'it names a folder');
    let place: string;
    let found: BigIntStats | undefined;
    let next = '';
    try {
      // By the system, not by letters: `link/..` is the folder around the one that the link leads to.
      place = join(realpathSync.native(dirname(current)), basename(current));
      found = lstatSync(place, { bigint: true, throwIfNoEntry: false });
      if (found?.isSymbolicLink()) next = readlinkSync(place);
    } catch (cause) {
      throw outputError(given, cause);
    }
    if (SYSTEM_FOLDERS.test(place)) throw refused(given, 'it belongs to the system', 'write to stdout with -o -');
    if (!found?.isSymbolicLink()) {
      if (found && !found.isFile()) throw refused(given, kindOf(found), 'name a regular file');
      return { given, path: place, existing: found };
    }
    current = isAbsolute(next) ? next : `${dirname(place)}${sep}${next}`;
  }
  throw refused(given, 'its symbolic links form a loop', 'see where they lead with readlink, or name the file itself');
}

function kindOf(stat: BigIntStats): string {
  if (stat.isDirectory()) return 'it is a folder';
  if (stat.isFIFO()) return 'it is a pipe, not a regular file';
  if (stat.isSocket()) return 'it is a socket, not a regular file';
  return 'it is a device, not a regular file';
}

function refused(given: string, why: string, hint?: string): ServeOptError {
  const details = { location: { file: given }, ...(hint === undefined ? {} : { hint }) };
  return new ServeOptError('SO6001', `Cannot write "${given}": ${why}`, details);
}

/** A file that a run will write. */
export interface PlannedOutput {
  /** How messages call it: `-o`, `--report`. */
  readonly name: string;
  readonly path: string;
  /** `new`: nothing may be there; `any`: replaces what is there; `text`: replaces a text, such as an earlier report. */
  readonly replaces: 'new' | 'any' | 'text';
}

/**
 * Looks at all files that a run will write, before it does any work: each can be written, none is a file that the run reads,
 * and no two are one file, whatever links, hard links, `..` and capital letters their names go by.
 * @param inputs files and folders that are read
 * @throws SO1002 for one file twice, SO1004 for one that is read, SO1005 for one that must not be replaced, SO6001 for one
 *   that cannot be written
 */
export function checkOutputs(outputs: readonly PlannedOutput[], inputs: readonly string[]): void {
  const read = inputs.map(inputOf);
  const seen: { readonly output: PlannedOutput; readonly target: OutputTarget }[] = [];
  for (const output of outputs) {
    const target = resolveTarget(output.path);
    const input = read.find((each) => each.is(target));
    if (input) throw isInput(output, input.path);
    const twin = seen.find((each) => isSameFile(each.target, target));
    if (twin) throw isTwice(twin.output, output);
    seen.push({ output, target });
    checkFolder(target);
    if (target.existing) checkReplacing(output, target);
  }
}

/**
 * Refuses a target that must not be replaced, and one that cannot be written to: before work is done for it.
 * `inputs` are files being read, which are never touched.
 * @throws SO1004, SO1005, SO6001
 */
export function checkTarget(path: string, force: boolean, inputs: readonly string[]): void {
  checkOutputs([{ name: '-o', path, replaces: force ? 'any' : 'new' }], inputs);
}

interface Input {
  readonly path: string;
  is(target: OutputTarget): boolean;
}

/** What data sets in folders are made of. */
const DATA_FILE = /\.(npz|npy|pb)$/i;

function inputOf(path: string): Input {
  let stat: BigIntStats | undefined;
  let real: string | undefined;
  try {
    stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    real = stat && realpathSync.native(path);
  } catch {
    // Whoever reads it tells why it cannot be read.
  }
  return {
    path,
    is: (target) => {
      if (stat === undefined || real === undefined) return false;
      if (stat.isDirectory())
        return target.existing !== undefined && DATA_FILE.test(target.path) && target.path.startsWith(real + sep);
      return target.path === real || isSameEntry(stat, target.existing);
    },
  };
}

function isSameEntry(a: ExistingEntry | undefined, b: ExistingEntry | undefined): boolean {
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/** Files that do not exist yet are one where their names differ in capitals or in the form of accents only: many systems say so. */
function isSameFile(a: OutputTarget, b: OutputTarget): boolean {
  const folded = (path: string): string => path.normalize('NFC').toLowerCase();
  return isSameEntry(a.existing, b.existing) || folded(a.path) === folded(b.path);
}

function isInput({ name, path }: PlannedOutput, input: string): ServeOptError {
  const location = { file: path };
  if (name === '-o') return new ServeOptError('SO1004', `The output "${path}" is the input itself`, { location });
  return new ServeOptError('SO1004', `The file "${path}" of ${name} is also an input`, {
    ...(path === input ? {} : { why: `it is the same file as "${input}"` }),
    hint: name.startsWith('-') ? `give ${name} another path` : 'give -o another path',
    location,
  });
}

function isTwice(first: PlannedOutput, second: PlannedOutput): ServeOptError {
  const { path, name } = second;
  const flag = [name, first.name].find((each) => each.startsWith('-')) ?? '-o';
  const words = (each: string): string => (each.startsWith('-') ? `the file of ${each}` : each);
  return new ServeOptError('SO1002', `Two files would be written to "${path}"`, {
    why: first.name === name ? `${name} is given it twice` : `it is both ${words(first.name)} and ${words(name)}`,
    hint: `give ${flag} another path`,
    location: { file: path },
  });
}

/** Files appear by renaming, which takes a folder that can be written to, also where the file is there already. */
function checkFolder({ given, path }: OutputTarget): void {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw outputError(given, cause);
  }
}

function checkReplacing({ name, path, replaces }: PlannedOutput, target: OutputTarget): void {
  const location = { file: path };
  if (replaces === 'new') throw new ServeOptError('SO1005', `The output "${path}" already exists`, { location });
  if (replaces === 'any' || isText(target)) return;
  throw new ServeOptError('SO1005', `The file "${path}" of ${name} exists and is not a report`, {
    why: 'it is not text, and overwriting it would lose other data',
    hint: name.startsWith('-')
      ? `give ${name} another path, or remove that file`
      : 'remove that file, or give -o another path',
    location,
  });
}

/** Reports are texts; models, archives and arrays have zero bytes near their beginning. */
function isText({ given, path }: OutputTarget): boolean {
  const start = new Uint8Array(4096);
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return !start.subarray(0, readSync(fd, start, 0, start.byteLength, 0)).some((byte) => byte < 9);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw outputError(given, cause);
  }
}
