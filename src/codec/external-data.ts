import { constants, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { ServeOptError } from '../errors.js';
import { type ByteSource, openFileSource } from './byte-source.js';
import { hasOnlyOwnLinks } from './own-links.js';
import { fileError } from './system-error.js';

/** The `external_data` entries of a tensor, checked for form but not yet opened. */
export interface ExternalReference {
  /** Path relative to the model's folder, as the file spells it. */
  readonly location: string;
  readonly offset: number;
  /** Undefined when the file leaves it to data type and shape. */
  readonly length: number | undefined;
}

/** Reads key/value entries into a reference. @throws SO2102, SO2103 */
export function externalReference(
  entries: readonly (readonly [string, string])[],
  tensorName: string,
): ExternalReference {
  const known = new Map<string, string>();
  for (const [key, value] of entries) {
    if (known.has(key)) throw externalError(tensorName, `has the key "${key}" twice`);
    known.set(key, value);
  }
  const location = known.get('location');
  if (location === undefined || location === '') throw externalError(tensorName, 'has no location');
  checkLocation(location, tensorName);
  return {
    location,
    offset: decimal(known.get('offset') ?? '0', 'offset', tensorName),
    length: known.has('length') ? decimal(known.get('length') ?? '', 'length', tensorName) : undefined,
  };
}

function externalError(tensorName: string, what: string): ServeOptError {
  return new ServeOptError('SO2102', `External data of tensor "${tensorName}" ${what}`, {
    location: { value: tensorName },
  });
}

function decimal(text: string, key: string, tensorName: string): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw externalError(tensorName, `has ${key} "${text.slice(0, 40)}", which is not a byte count`);
  }
  return value;
}

/** Refuses every location that could lead out of the model's folder on any system, before anything is opened. */
function checkLocation(location: string, tensorName: string): void {
  const parts = location.split('/');
  const reason = location.includes('\0')
    ? 'has a NUL character'
    : location.includes('\\')
      ? 'has a backslash'
      : location.startsWith('/')
        ? 'is an absolute path'
        : /^[A-Za-z][A-Za-z0-9+.-]*:/.test(location)
          ? 'names a drive or URL'
          : parts.includes('..')
            ? 'leaves the folder with ".."'
            : parts.every((part) => part === '' || part === '.')
              ? 'names no file'
              : undefined;
  if (reason) {
    throw new ServeOptError(
      'SO2103',
      `External data of tensor "${tensorName}" ${reason}: "${location.slice(0, 200)}"`,
      {
        why: 'a model may only read files in its own folder',
        location: { value: tensorName },
      },
    );
  }
}

export interface ExternalFilesOptions {
  /** Follow symbolic links and accept hard links (model caches are built of them). Default false. */
  readonly allowLinks?: boolean;
}

/**
 * Opens the data files a model refers to, each once. What is checked is the opened descriptor, not the string: that
 * it is a regular file, at the place its path says (no link on the way), without further hard links from elsewhere.
 */
export class ExternalFiles {
  readonly #modelPath: string;
  /** The real one: joining `link/..` with a name by its letters would lead elsewhere. */
  #folder: string | undefined;
  readonly #allowLinks: boolean;
  readonly #open: Map<string, ByteSource> = new Map();

  constructor(modelPath: string, options: ExternalFilesOptions = {}) {
    this.#modelPath = modelPath;
    this.#allowLinks = options.allowLinks ?? false;
  }

  /** @throws SO2102 when missing or unusable, SO2103 when it is a link */
  open(location: string, tensorName: string): ByteSource {
    this.#folder ??= realFolder(this.#modelPath);
    const path = join(this.#folder, location);
    const known = this.#open.get(path);
    if (known) return known;
    if (path === join(this.#folder, basename(this.#modelPath)))
      throw externalError(tensorName, 'points at the model file itself');
    const flags = this.#allowLinks ? 0 : constants.O_NOFOLLOW;
    let source: ByteSource;
    try {
      source = openFileSource(path, location, flags, (fd) => this.#refuseLinks(fd, path, location, tensorName));
    } catch (cause) {
      if (cause instanceof ServeOptError && (cause.code === 'SO2103' || cause.code === 'SO6101')) throw cause;
      const inner = cause instanceof ServeOptError ? (cause.cause as NodeJS.ErrnoException | undefined) : undefined;
      if (inner?.code === 'ELOOP') throw linkError('a symbolic link', location, tensorName);
      const why = cause instanceof ServeOptError ? cause.message : String(cause);
      throw new ServeOptError('SO2102', `External data of tensor "${tensorName}" cannot be used: ${why}`, {
        location: { value: tensorName },
        hint: 'keep the data file next to the model, under the name in the model',
        cause,
      });
    }
    this.#open.set(path, source);
    return source;
  }

  /** Looks at the descriptor that will be read from, so that a path swapped in between changes nothing. */
  #refuseLinks(fd: number, path: string, location: string, tensorName: string): void {
    if (this.#allowLinks) return;
    if (!hasOnlyOwnLinks(fd, dirname(path))) throw linkError('a hard link', location, tensorName);
    if (openedPath(fd, path) !== path) {
      throw linkError('behind a symbolic link', location, tensorName);
    }
  }

  closeAll(): void {
    for (const source of this.#open.values()) source.close();
    this.#open.clear();
  }

  /** Data files opened so far. */
  get sources(): Iterable<ByteSource> {
    return this.#open.values();
  }
}

function linkError(what: string, location: string, tensorName: string): ServeOptError {
  return new ServeOptError('SO2103', `External data of tensor "${tensorName}" is ${what}: "${location}"`, {
    why: 'a link can lead out of the model folder',
    hint: 'copy the data file next to the model, or allow links with --allow-links if you trust the folder',
    location: { value: tensorName },
  });
}

function realFolder(modelPath: string): string {
  try {
    return realpathSync.native(dirname(modelPath));
  } catch (cause) {
    throw fileError(modelPath, cause);
  }
}

/** Where an open descriptor really is; falls back to resolving the path where the system does not tell. */
function openedPath(fd: number, path: string): string {
  try {
    return readlinkSync(`${sep}proc${sep}self${sep}fd${sep}${fd}`);
  } catch {
    return realpathSync(path);
  }
}
