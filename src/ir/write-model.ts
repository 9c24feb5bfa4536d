import { basename } from 'node:path';
import { type PairNames, StagedFiles, streamRope, type WriteOptions } from '../codec/atomic-file.js';
import { openFileSource } from '../codec/byte-source.js';
import type { Part, Rope } from '../codec/message-writer.js';
import { checkOutputs, type OutputTarget, type PlannedOutput, resolveTarget } from '../codec/output-target.js';
import { bridgeName } from '../codec/replace-pair.js';
import { ServeOptError } from '../errors.js';
import { DataType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model } from './model.js';
import type { ModelOrigin } from './proto/read-proto.js';
import { readModelFrom } from './proto/read-proto.js';
import { encodeModel } from './proto/write-proto.js';
import type { ExternalPlacement } from './proto/write-tensor.js';

/** Options of `writeModel`. */
export interface WriteModelOptions {
  /** Replace an existing file. The file a model was read from is never replaced. Default false. */
  readonly force?: boolean;
  /**
   * Where weights go. `auto` (default): into the model file, unless the model came with external data or would pass
   * 2 GiB; then into `<file>.data` beside it. `never` and `always` say so outright.
   */
  readonly externalData?: 'auto' | 'never' | 'always';
}

/** Defaults of `writeModel`. */
export const WRITE_DEFAULTS = { force: false, externalData: 'auto' } as const satisfies WriteModelOptions;

/** What a long write takes. */
export interface WriteContext {
  /** Aborting it leaves nothing behind and throws SO8130. */
  readonly signal?: AbortSignal;
  /** Called as bytes go out; `doneBytes` counts up to `totalBytes`. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** Options of a write together with its context. */
export interface StageModelOptions extends WriteModelOptions, WriteOptions {}

/** The files that were written. */
export interface WrittenModel {
  readonly path: string;
  /** Undefined when all weights are in the model file. */
  readonly dataPath: string | undefined;
  /** Model file and data file together. */
  readonly sizeBytes: number;
}

/** protobuf refuses messages of 2 GiB and more. */
const MAX_FILE_BYTES = 2 ** 31 - 1;
/** Tensors below this stay in the model file: they are shapes, axes and scales. */
const EXTERNAL_THRESHOLD_BYTES = 1024;
/** Alignment of tensors in a data file, so that runtimes can map them. */
const ALIGNMENT_BYTES = 4096;
const ALIGNED_FROM_BYTES = 1024 * 1024;

interface Encoded {
  readonly model: Rope;
  readonly data: Rope | undefined;
}

/** A model written under its final name in a hidden folder beside the target: it can be loaded and run from there. */
export interface StagedModel {
  /** The model file until the commit. */
  readonly stagedPath: string;
  /** The data file until the commit, where there is one. */
  readonly stagedDataPath: string | undefined;
  readonly written: WrittenModel;
  /** Makes it appear at the target. */
  commit(): void;
  /** Removes it without a trace, unless committed. */
  discard(): void;
}

/**
 * Writes a model beside `path`, synced and read back, for the caller to try before `commit`. A link is followed: the file it
 * leads to is the one that is written.
 * @throws SO1004, SO1005, SO6001… ; nothing is left behind then
 */
export async function stageModel(model: Model, path: string, options: StageModelOptions = {}): Promise<StagedModel> {
  const name = basename(path);
  const dataName = `${name}.data`;
  const dataPath = dataPathOf(path);
  const mode = options.externalData ?? WRITE_DEFAULTS.externalData;
  const force = options.force ?? WRITE_DEFAULTS.force;
  const encoded = encodeFor(model, dataName, mode);
  const { target, data } = checkModelOutput(path, inputPaths(model), { force, hasData: encoded.data !== undefined });

  const staged = StagedFiles.create(target.path, path);
  let bridge: PairNames | undefined;
  try {
    if (encoded.data) await staged.write(dataName, encoded.data, options);
    await staged.write(name, encoded.model, options);
    if (data?.existing) {
      bridge = { file: name, data: dataName, bridge: `${name}.bridge`, bridgeName: bridgeName(name) };
      await staged.write(bridge.bridge, encodeFor(model, bridge.bridgeName, mode).model, signalOf(options));
    }
    model.source?.checkUnchanged();
    checkWritten(staged.stagedPath(name), path, model);
    if (options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted while writing');
  } catch (error) {
    staged.discard();
    throw error;
  }
  return {
    stagedPath: staged.stagedPath(name),
    stagedDataPath: encoded.data ? staged.stagedPath(dataName) : undefined,
    written: {
      path,
      dataPath: encoded.data ? dataPath : undefined,
      sizeBytes: encoded.model.sizeBytes + (encoded.data?.sizeBytes ?? 0),
    },
    commit: () => {
      model.source?.checkUnchanged();
      if (bridge && data) staged.commitPair(bridge, data.path);
      else staged.commit({ replace: force, places: new Map([[name, target.path]]) });
    },
    discard: () => staged.discard(),
  };
}

const signalOf = ({ signal }: WriteOptions): WriteOptions => (signal ? { signal } : {});

export interface ModelOutputOptions {
  /** Replace what is there. Default false. */
  readonly force?: boolean;
  /** Whether weights go into a second file; default, as far as it is known before, where those of the input are in one. */
  readonly hasData?: boolean;
  /** Files that are written as well. */
  readonly others?: readonly PlannedOutput[];
}

/** Whether what is written of this model will, as far as its input tells, have a data file beside it. */
export function comesWithData(model: Model): boolean {
  return (model.source?.externalPaths().length ?? 0) > 0;
}

/** Every file that a model written to `path` becomes. */
export function modelOutputs(path: string, { force, hasData }: ModelOutputOptions): PlannedOutput[] {
  const replaces = force ? 'any' : 'new';
  const file: PlannedOutput = { name: '-o', path, replaces };
  return hasData ? [file, { name: 'the weights beside the output', path: dataPathOf(path), replaces }] : [file];
}

/**
 * Refuses, before work is done for it, a path that a model cannot be written to. `inputs` are files that are read.
 * @returns where it goes, links followed
 * @throws SO1002, SO1004, SO1005, SO6001
 */
export function checkModelOutput(
  path: string,
  inputs: readonly string[],
  options: ModelOutputOptions = {},
): { readonly target: OutputTarget; readonly data: OutputTarget | undefined } {
  checkOutputs([...modelOutputs(path, options), ...(options.others ?? [])], inputs);
  const target = resolveTarget(path);
  return { target, data: options.hasData ? dataTarget(target, dataPathOf(path)) : undefined };
}

const dataPathOf = (path: string): string => `${path}.data`;

/** Where the weights go. They are looked for beside the name that a model is opened by, so neither file may be a link. */
function dataTarget(model: OutputTarget, dataPath: string): OutputTarget {
  const data = resolveTarget(dataPath);
  if (data.path === dataPathOf(model.path)) return data;
  throw new ServeOptError(
    'SO6001',
    `Cannot write "${model.given}": the weights need a second file, and one of the two is a link`,
    {
      why: 'the weights are found by their name next to the model',
      hint: `write to the file itself: -o ${model.path}`,
      location: { file: model.given },
    },
  );
}

/**
 * Writes a model: into a hidden folder beside the target, synced, read back and checked, then renamed. So the path
 * holds either what it held before or a whole model. An untouched model comes out byte for byte.
 * @throws SO1004, SO1005, SO6001… ; nothing is left behind then
 */
export async function writeModel(
  model: Model,
  path: string,
  options: WriteModelOptions = {},
  context: WriteContext = {},
): Promise<WrittenModel> {
  const staged = await stageModel(model, path, { ...options, ...context });
  staged.commit();
  return staged.written;
}

/** Bytes that a model takes when it is written to `path`, its data file included. Writes nothing. @throws SO6004 */
export function writtenSize(model: Model, path: string): number {
  const { model: rope, data } = encodeFor(model, `${basename(path)}.data`, 'auto');
  return rope.sizeBytes + (data?.sizeBytes ?? 0);
}

/** The bytes of a model whose weights fit beside it in memory: for tests and small models. */
export async function modelBytes(model: Model): Promise<Uint8Array> {
  const rope = encodeModel(model);
  const bytes = new Uint8Array(rope.sizeBytes);
  let at = 0;
  await streamRope(rope, (piece) => {
    bytes.set(piece, at);
    at += piece.byteLength;
  });
  return bytes;
}

function inputPaths(model: Model): string[] {
  const origin = model.origin as ModelOrigin | undefined;
  const paths = [origin?.source.path, ...[...(origin?.files?.sources ?? [])].map((source) => source.path)];
  return paths.filter((path) => path !== undefined);
}

function encodeFor(model: Model, dataName: string, mode: 'auto' | 'never' | 'always'): Encoded {
  if (mode === 'always' || (mode === 'auto' && comesWithData(model))) return encodeExternal(model, dataName);
  const rope = encodeModel(model, comesWithData(model) ? { external: () => undefined } : {});
  if (rope.sizeBytes <= MAX_FILE_BYTES) return { model: rope, data: undefined };
  if (mode === 'auto') return encodeExternal(model, dataName);
  throw new ServeOptError('SO6004', `The model takes ${rope.sizeBytes} bytes, more than one protobuf file can hold`);
}

/** Lays the large initializers out in one data file, in graph order, each distinct tensor once. */
function encodeExternal(model: Model, dataName: string): Encoded {
  const parts: Part[] = [];
  const placed = new Map<Tensor, ExternalPlacement>();
  let offset = 0;
  const external = (tensor: Tensor): ExternalPlacement | undefined => {
    if (tensor.dataType === DataType.STRING || tensor.byteLength < EXTERNAL_THRESHOLD_BYTES) return undefined;
    const known = placed.get(tensor);
    if (known) return known;
    if (tensor.byteLength >= ALIGNED_FROM_BYTES && offset % ALIGNMENT_BYTES !== 0) {
      const padding = ALIGNMENT_BYTES - (offset % ALIGNMENT_BYTES);
      parts.push(new Uint8Array(padding));
      offset += padding;
    }
    const placement = { location: dataName, offset, length: tensor.byteLength };
    parts.push(tensor.data);
    offset += tensor.byteLength;
    placed.set(tensor, placement);
    return placement;
  };
  const rope = encodeModel(model, { external });
  if (rope.sizeBytes > MAX_FILE_BYTES) {
    throw new ServeOptError(
      'SO6004',
      `The model takes ${rope.sizeBytes} bytes without its weights, more than one protobuf file can hold`,
    );
  }
  return { model: rope, data: parts.length > 0 ? { parts, sizeBytes: offset } : undefined };
}

/** Reads the staged file back as a stranger would, and counts. @throws SO6003 */
function checkWritten(stagedPath: string, path: string, model: Model): void {
  let written: Model;
  try {
    written = readModelFrom(openFileSource(stagedPath, basename(path)));
  } catch (cause) {
    throw new ServeOptError('SO6003', `The file written for "${path}" cannot be read back`, {
      cause,
      why: cause instanceof Error ? cause.message : String(cause),
    });
  }
  const same =
    written.graph.nodes.size === model.graph.nodes.size &&
    written.graph.initializers.size === model.graph.initializers.size &&
    written.functions.size === model.functions.size;
  written.source?.close();
  if (!same) throw new ServeOptError('SO6003', `The file written for "${path}" differs from the model in memory`);
}
