import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../src/errors.js';
import type { Model } from '../../src/ir/model.js';
import type { Bytes } from '../helpers/wire.js';

/** One kind of hostile or rare input file, made by code. */
export interface HostileKind {
  readonly name: string;
  readonly group: string;
  /** Writes the file (and what belongs to it) into an empty folder; returns the path of the model. */
  make(folder: string): string;
  /** `error`: refused with one of the codes; `loads`: read and found sound. */
  readonly expect: 'error' | 'loads';
  /** Codes allowed for `error`. */
  readonly codes?: readonly ErrorCode[];
  /** More to ask of a model that loads. */
  readonly check?: (model: Model, folder: string) => void;
  /** Bytes that must not show in any message: the content of a file the model has no business with. */
  readonly secret?: string;
}

/** The only name model files get; names that a model holds never become file names. */
export const MODEL_FILE = 'model.onnx';

export function save(folder: string, bytes: Bytes | string): string {
  const path = join(folder, MODEL_FILE);
  writeFileSync(path, bytes);
  return path;
}

type Maker = Bytes | string | (() => Bytes) | ((folder: string) => string);

function maker(content: Maker): HostileKind['make'] {
  return (folder) => {
    const made = typeof content === 'function' ? content(folder) : content;
    // A function that made the file itself gives its path.
    return typeof content === 'function' && typeof made === 'string' ? made : save(folder, made);
  };
}

export interface GroupBuilder {
  refused(name: string, codes: readonly ErrorCode[], content: Maker, more?: Partial<HostileKind>): HostileKind;
  loads(name: string, content: Maker, check?: HostileKind['check']): HostileKind;
}

/** Makes rows of one group. Text content is written as it is; a function is called when the test runs. */
export function group(name: string): GroupBuilder {
  return {
    refused: (kind, codes, content, more = {}) => ({
      name: kind,
      group: name,
      make: maker(content),
      expect: 'error',
      codes,
      ...more,
    }),
    loads: (kind, content, check) => ({
      name: kind,
      group: name,
      make: maker(content),
      expect: 'loads',
      ...(check ? { check } : {}),
    }),
  };
}
