import { existsSync, mkdirSync, readdirSync, realpathSync, rmdirSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { StagedFiles } from '../../codec/atomic-file.js';
import { outputError } from '../../codec/system-error.js';
import { isJsonObject } from '../../json-object.js';
import { DECODER_CONFIG } from '../../samples/tokens/decoder-config.js';
import { type DecoderFile, decoderFileBeside } from '../decoder-reading.js';

/** Files that go with a decoder: what makes tokens of texts, and what tells how to. */
const COMPANION =
  /^(tokenizer(_config)?|added_tokens|special_tokens_map|vocab|merges|chat_template|config|generation_config|\w*processor_config)\.(json|txt|jinja)$|^[\w.]*\.(model|tiktoken)$|^(licen[cs]e|notice)(\.\w+)?$/i;

/** A path that names a folder rather than a file in it. */
export function namesFolder(path: string): boolean {
  return path.endsWith('/') || path.endsWith(sep);
}

/** The file that a model becomes in a folder: what the genai_config.json beside the model loads, else the name of the model. */
export function fileInFolder(folder: string, modelPath: string): string {
  const file = decoderFileBeside(modelPath);
  const config = file === undefined || typeof file === 'string' ? undefined : file.config;
  return join(folder, basename(config?.filename ?? modelPath));
}

/**
 * Makes the folder of an output where it is missing, which the path ends with; it goes again where nothing was put into it.
 * @throws SO6001 where it cannot be made
 */
export async function withFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  if (existsSync(folder)) return work();
  try {
    mkdirSync(folder);
  } catch (cause) {
    throw outputError(folder, cause);
  }
  try {
    return await work();
  } finally {
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
  }
}

/**
 * What a decoder needs beside it in another folder, so that ONNX Runtime GenAI loads that folder: its genai_config.json, which names
 * the new file, and the files of its tokenizer. What stands there already is never replaced.
 */
export class ModelFolder {
  readonly notes: readonly string[];
  readonly #source: DecoderFile;
  readonly #outputPath: string;
  /** Names of files to be copied; the configuration comes last. */
  readonly #names: readonly string[];
  #staged: StagedFiles | undefined;

  private constructor(source: DecoderFile, outputPath: string, names: readonly string[], notes: readonly string[]) {
    this.#source = source;
    this.#outputPath = outputPath;
    this.#names = names;
    this.notes = notes;
  }

  /** Undefined where no genai_config.json beside the model loads it. */
  static plan(modelPath: string, outputPath: string): ModelFolder | undefined {
    const source = decoderFileBeside(modelPath);
    if (source === undefined || typeof source === 'string' || source.config.filename === undefined) return undefined;
    const folder = dirname(modelPath);
    if (!isSame(join(folder, source.config.filename), modelPath)) return undefined;
    const [target, name] = [dirname(outputPath), basename(outputPath)];
    if (isSame(folder, target)) {
      const why = `${DECODER_CONFIG} still loads "${source.config.filename}"`;
      return new ModelFolder(
        source,
        outputPath,
        [],
        [`${why}: set its decoder.filename to "${name}" to run the result.`],
      );
    }
    const isFree = (file: string): boolean => !existsSync(join(target, file));
    const found = companions(folder);
    const copied = found.filter(isFree);
    const notes: string[] = [];
    if (isFree(DECODER_CONFIG)) copied.push(DECODER_CONFIG);
    else notes.push(...keptNote(outputPath));
    if (copied.length > 0) notes.unshift(`Copied beside the result: ${copied.join(', ')}.`);
    const missing = otherModels(source).filter((file) => file !== source.config.filename && isFree(file));
    if (missing.length > 0)
      notes.push(`${DECODER_CONFIG} also names ${missing.join(', ')}: copy what is needed to load the folder.`);
    return new ModelFolder(source, outputPath, copied, notes);
  }

  /** Writes the files beside their places. @throws SO6001 */
  async stage(): Promise<void> {
    const [folder, source] = [dirname(this.#outputPath), dirname(this.#source.path)];
    if (this.#names.length === 0) return;
    const staged = StagedFiles.create(join(folder, DECODER_CONFIG));
    this.#staged = staged;
    for (const name of this.#names) {
      if (name === DECODER_CONFIG) {
        const bytes = new TextEncoder().encode(withFilename(this.#source, basename(this.#outputPath)));
        await staged.write(name, { parts: [bytes], sizeBytes: bytes.byteLength });
        continue;
      }
      try {
        await copyFile(join(source, name), staged.stagedPath(name));
      } catch (cause) {
        throw outputError(join(folder, name), cause);
      }
      staged.adopt(name);
    }
  }

  /** Makes them appear. @throws SO1005 where something stands there by now, SO6001 */
  commit(): void {
    this.#staged?.commit();
  }

  /** Removes them without a trace, unless committed. */
  discard(): void {
    this.#staged?.discard();
  }
}

function isSame(a: string, b: string): boolean {
  const real = (path: string): string => (existsSync(path) ? realpathSync.native(path) : resolve(path));
  return real(a) === real(b);
}

function companions(folder: string): string[] {
  const isFile = (name: string): boolean => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() ?? false;
  return readdirSync(folder)
    .filter((name) => COMPANION.test(name) && isFile(name))
    .sort();
}

/** What the configuration that stands at the target loads, where it is not the output. */
function keptNote(outputPath: string): string[] {
  const found = decoderFileBeside(outputPath);
  const filename = typeof found === 'object' ? found.config.filename : undefined;
  if (filename === basename(outputPath)) return [];
  const loads = filename === undefined ? 'names no decoder' : `loads "${filename}"`;
  return [`${DECODER_CONFIG} in the folder of the result is kept, and ${loads}.`];
}

/** All model files that the configuration names. */
function otherModels({ text }: DecoderFile): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) look(each);
    else if (isJsonObject(value))
      for (const [key, each] of Object.entries(value)) {
        if (key === 'filename' && typeof each === 'string') found.add(each);
        else look(each);
      }
  };
  look(JSON.parse(text));
  return [...found];
}

/** The text of the configuration with another file of the decoder; nothing else in it changes. */
function withFilename({ text, config: { filename } }: DecoderFile, name: string): string {
  if (filename === undefined || filename === name) return text;
  const old = JSON.stringify(filename);
  const pattern = new RegExp(`("filename"\\s*:\\s*)${old.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, 'g');
  if ([...text.matchAll(pattern)].length === 1)
    return text.replace(pattern, (_, key: string) => `${key}${JSON.stringify(name)}`);
  const value = JSON.parse(text);
  value.model.decoder.filename = name;
  return `${JSON.stringify(value, null, 4)}\n`;
}
