import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputError } from '../../codec/system-error.js';
import { ServeOptError } from '../../errors.js';
import type { PeekResult, RecordedOutput } from '../../runtime/jobs/record.js';
import { openWorkFolder } from '../../runtime/work-folder.js';
import { writeTextFile } from '../write-report.js';
import type { TopKOutput } from './top-k-outputs.js';

/** Raised when the layout changes. */
const CACHE_VERSION = 2;
const HEADER = 'header.json';
const FORMAT = 'serve-opt distill outputs';

/** What outputs depend on. All of it must be the same. */
export interface CacheKey {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly data: { readonly name: string; readonly sha256: string };
  /** Samples asked for at most; null for all. */
  readonly samples: number | null;
  readonly batch: number | null;
  readonly executionProviders: readonly string[];
  readonly onnxRuntime: string;
  /** Names of the samples that inputs are fed, where they are others. */
  readonly inputs: readonly (readonly [string, string])[];
  /** Classes that are kept of the scores of the teacher; null for all. */
  readonly topK: number | null;
}

/** Outputs of all samples, in the files of a folder. */
export interface CachedOutputs {
  readonly folder: string;
  readonly samples: number;
  readonly outputs: readonly RecordedOutput[];
  /** What the first sample gave. */
  readonly peeked: PeekResult['outputs'];
  /** Stands for the files of one of the outputs. */
  readonly topK?: TopKOutput;
}

interface CacheHeader extends Omit<CachedOutputs, 'folder'> {
  readonly format: string;
  readonly version: number;
  readonly key: CacheKey;
}

/** Differences that are told, by the field of the key. */
const FIELDS: Readonly<Record<keyof CacheKey, string>> = {
  model: 'model',
  data: 'data',
  samples: 'number of samples',
  batch: 'batch size',
  executionProviders: 'execution providers',
  onnxRuntime: 'version of ONNX Runtime',
  inputs: 'names of inputs',
  topK: 'number of classes',
};

/**
 * A folder that holds outputs of models on data: each model has a folder of .npy files with a header of JSON, which says what the
 * outputs were computed from. The teacher's is `teacher`; those of students are named for the hash of the model.
 */
export class OutputCache {
  readonly #path: string;

  /** @throws SO6001 where the folder cannot be made */
  constructor(path: string) {
    this.#path = path;
    try {
      mkdirSync(path, { recursive: true });
    } catch (cause) {
      throw outputError(path, cause);
    }
  }

  /**
   * What the teacher gave earlier; undefined where the cache has no teacher. @throws SO4008 for the outputs of another teacher, or of
   * other data or settings
   */
  teacher(key: CacheKey, needed: readonly string[]): CachedOutputs | undefined {
    const found = this.#read('teacher');
    if (!found) return undefined;
    const { header } = found;
    const differing = (Object.keys(FIELDS) as (keyof CacheKey)[]).filter(
      (field) => JSON.stringify(strip(header.key[field])) !== JSON.stringify(strip(key[field])),
    );
    const [first] = differing;
    if (first !== undefined) {
      throw new ServeOptError('SO4008', `The cache "${this.#path}" is of another ${FIELDS[first]}`, {
        why: differing
          .map((field) => `${FIELDS[field]}: ${text(header.key[field])} there, ${text(key[field])} here`)
          .join('; '),
        hint: 'give another folder with --teacher-cache, or remove this one',
      });
    }
    const missing = needed.filter((name) => !header.outputs.some((output) => output.name === name));
    if (missing.length > 0) {
      throw new ServeOptError('SO4008', `The cache "${this.#path}" has no output "${missing[0]}"`, {
        why: `it holds ${header.outputs.map(({ name }) => `"${name}"`).join(', ')}`,
        hint: 'give another folder with --teacher-cache, or remove this one',
      });
    }
    return { ...header, folder: found.folder };
  }

  /** What a student gave earlier; undefined where there is nothing of the same model, data and settings. */
  student(key: CacheKey, needed: readonly string[]): CachedOutputs | undefined {
    const found = this.#read(studentFolder(key));
    if (!found || JSON.stringify(strip(found.header.key)) !== JSON.stringify(strip(key))) return undefined;
    if (!needed.every((name) => found.header.outputs.some((output) => output.name === name))) return undefined;
    return { ...found.header, folder: found.folder };
  }

  /** Lets `record` write into a hidden folder, which gets its name when all is there. @throws SO6001 */
  async keep(
    name: 'teacher' | 'student',
    key: CacheKey,
    record: (folder: string) => Promise<Omit<CachedOutputs, 'folder'>>,
  ): Promise<CachedOutputs> {
    const target = join(this.#path, name === 'teacher' ? 'teacher' : studentFolder(key));
    const staged = await openWorkFolder({ parent: this.#path });
    try {
      const recorded = await record(staged.path);
      const header: CacheHeader = { format: FORMAT, version: CACHE_VERSION, key, ...recorded };
      try {
        writeFileSync(join(staged.path, HEADER), `${JSON.stringify(header, undefined, 2)}\n`, { flag: 'wx' });
        // What is replaced is of a student whose settings differ.
        if (name === 'student') rmSync(target, { recursive: true, force: true });
        renameSync(staged.path, target);
      } catch (cause) {
        throw outputError(target, cause);
      }
      return { ...recorded, folder: target };
    } finally {
      await staged.remove();
    }
  }

  /** What was measured earlier for the same models on the same machine; undefined where nothing was. */
  costs<T>(key: unknown): T | undefined {
    const path = join(this.#path, costsFile(key));
    if (!existsSync(path)) return undefined;
    try {
      const found = JSON.parse(readFileSync(path, 'utf8')) as { readonly key: unknown; readonly costs: T };
      return JSON.stringify(found.key) === JSON.stringify(key) ? found.costs : undefined;
    } catch {
      // It is measured again, and written anew.
      return undefined;
    }
  }

  /** Keeps what was measured. @throws SO6001 */
  async keepCosts(key: unknown, costs: unknown): Promise<void> {
    await writeTextFile(`${JSON.stringify({ key, costs }, undefined, 2)}\n`, join(this.#path, costsFile(key)));
  }

  #read(name: string): { readonly folder: string; readonly header: CacheHeader } | undefined {
    const folder = join(this.#path, name);
    const path = join(folder, HEADER);
    if (!existsSync(path)) return undefined;
    const broken = (why: string): ServeOptError =>
      new ServeOptError('SO4008', `The cache "${this.#path}" is damaged`, {
        why,
        hint: 'give another folder with --teacher-cache, or remove this one',
      });
    let header: CacheHeader;
    try {
      header = JSON.parse(readFileSync(path, 'utf8')) as CacheHeader;
    } catch {
      throw broken(`${name}/${HEADER} cannot be read`);
    }
    if (header.format !== FORMAT || header.version !== CACHE_VERSION || !Array.isArray(header.outputs))
      throw broken(`${name}/${HEADER} is of another format`);
    const present = new Set(readdirSync(folder));
    const lost = [
      ...header.outputs.flatMap(({ files }) => files),
      ...(header.topK?.ids ?? []),
      ...(header.topK?.logs ?? []),
    ].find((file) => !present.has(file));
    if (lost !== undefined) throw broken(`the file ${name}/${lost} is missing`);
    return { folder, header };
  }
}

function costsFile(key: unknown): string {
  return `costs-${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16)}.json`;
}

function studentFolder({ model }: CacheKey): string {
  return `student-${model.sha256.slice(0, 16)}`;
}

/** Names of files say nothing of what they hold. */
function strip(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (key === 'name' ? [] : [[key, strip(each)]])),
  );
}

function text(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'sha256' in value) {
    const { name, sha256 } = value as { readonly name: string; readonly sha256: string };
    return `${name} (${sha256.slice(0, 12)})`;
  }
  return value === null ? 'all' : JSON.stringify(value);
}
