import { basename, dirname } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { suggest } from '../../suggest.js';
import type { DataReading } from '../data-reading.js';
import { sizedDataInputs } from '../sized-inputs.js';
import { withDecoderConfig } from '../tokens/decoder-config.js';
import { tokenReader } from '../tokens/token-reader.js';
import { type TokenInputs, tokenInputs } from '../tokens/token-roles.js';
import { tokenWindows, windowLength } from '../tokens/token-windows.js';
import type { ValueSpec } from '../types.js';
import { fileRange } from './byte-range.js';
import { readCsv } from './csv-file.js';
import { dataKind } from './data-kind.js';
import { type DatasetReader, datasetReader } from './dataset-reader.js';
import { hasArrays, readFolder } from './folder.js';
import { readJsonLines } from './jsonl-file.js';
import { type MatchedShard, matchInputs } from './match-inputs.js';
import { labelsBeside, readNpyFile } from './npy-file.js';
import { readNpz } from './npz-file.js';
import type { Shard, ShardList } from './shard.js';
import { npyArray, type ReadLimits } from './source-array.js';

/** Options of `openDataset`. */
export interface DatasetOptions {
  /** Name of the array, column or key that holds the labels, or path of a .npy file; default `labels` or `label`. */
  readonly labels?: string;
  /** Feed NaN and infinite values instead of refusing them; default false. */
  readonly allowNonFinite?: boolean;
  /** Most bytes of decompressed or parsed data kept in memory for one file; default 2 GiB. */
  readonly maximumBytes?: number;
  /** How images and texts become the inputs. */
  readonly reading?: DataReading;
}

/** Default of `DatasetOptions.maximumBytes`. */
export const DEFAULT_MAXIMUM_BYTES = 2 * 1024 ** 3;

/**
 * Opens samples for a model: .npz, .npy, .jsonl or .csv, or a folder of .npz or .npy files, ONNX test data or images. Names,
 * types and shapes are checked against `inputs` here; values when they are read.
 *
 * The number of samples is that of the labels, else the leading size that most arrays share. An array whose batch lies
 * on another axis is cut along that axis; one that has exactly the model's fixed shape goes with every sample.
 * @throws SO2001, SO2002 for a missing or unreadable path; SO4001 for damaged data; SO4002 when data and inputs do not
 * match, naming both; SO4003 for Python objects; SO4004 without samples; SO4005 for labels of another length; SO2104
 * beyond the limits.
 * @example
 * const reader = await openDataset('calib.npz', inputs);
 * const feeds = await reader.read(0, Math.min(8, reader.count));
 */
export async function openDataset(
  path: string,
  declared: readonly ValueSpec[],
  options: DatasetOptions = {},
): Promise<DatasetReader> {
  const { reading = {} } = options;
  const inputs = sizedCache(withDecoderConfig(declared, reading.decoder), reading);
  const limits: ReadLimits = { maximumBytes: options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES };
  const images = await openImages(path, inputs, reading, limits);
  if (images) return images;
  const labelFile = options.labels?.endsWith('.npy') ? options.labels : undefined;
  const labelName = labelFile === undefined ? options.labels : undefined;
  const tokens = tokenInputs(inputs, reading.decoder);
  const length = tokens?.isDecoder ? windowLength(tokens, inputs, reading) : undefined;
  const texts = await openTexts(path, tokens, length, reading, limits);
  const only = tokens?.ids.name ?? (inputs.length === 1 ? inputs[0]?.name : undefined);
  const read = texts ?? (await readShards(path, inputs, only, labelName, limits));
  const isWhole = texts !== undefined || labelFile !== undefined || !tokens || length === undefined;
  const { shards, warnings } = isWhole ? read : tokenWindows(basename(path), read, tokens, length, limits);
  if (shards.length === 0) throw new ServeOptError('SO4004', `"${basename(path)}" has no samples`);
  const labelled = labelFile === undefined ? shards : withLabelFile(shards, labelFile, limits);
  const given = tokens ? givenInputs(shards, inputs, tokens) : inputs;
  const matched: MatchedShard[] = [];
  const extra = new Set<string>();
  for (const shard of labelled) {
    const match = matchInputs(shard, given, labelName);
    for (const name of match.extra) extra.add(name);
    if (match.layout.count > 0) matched.push(match);
  }
  if (matched.length === 0) throw new ServeOptError('SO4004', `"${basename(path)}" has no samples`);
  const names = [...extra].map((name) => `"${name}"`);
  const unused = `${basename(path)}: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ' …' : ''}`;
  const all = names.length === 0 ? warnings : [...warnings, `${unused} is not an input of the model and is ignored`];
  if (options.labels !== undefined && matched.every((shard) => shard.labels === undefined))
    throw new ServeOptError('SO4005', `"${basename(path)}" has no labels named "${options.labels}"`);
  const reader = datasetReader(matched, given, {
    allowNonFinite: options.allowNonFinite ?? false,
    warnings: all,
    unused: [...extra],
  });
  return tokens ? tokenReader(reader, inputs, tokens) : reader;
}

/** Inputs that hold a past with the sizes that were given for them. */
function sizedCache(inputs: readonly ValueSpec[], { cacheSizes }: DataReading): readonly ValueSpec[] {
  if (!cacheSizes) return inputs;
  const sized = sizedDataInputs(inputs, new Map(Object.entries(cacheSizes)));
  return inputs.map((input, at) => (input.cacheAxis === undefined ? input : (sized[at] ?? input)));
}

/** The inputs that the data has, where the others follow from token numbers; all of them where the token numbers are missing. */
function givenInputs(
  shards: readonly Shard[],
  inputs: readonly ValueSpec[],
  { ids }: TokenInputs,
): readonly ValueSpec[] {
  const names = new Set(shards[0]?.arrays.map(({ name }) => name));
  if (!names.has(ids.name)) return inputs;
  const free = [...names].filter((name) => !inputs.some((input) => input.name === name));
  // A name that is nearly there is a mistake, not one that was left out.
  return inputs.filter(({ name }) => names.has(name) || suggest(name, free) !== undefined);
}

/**
 * Token numbers of texts; undefined for data of another kind.
 * @param windowLength tokens of a window of a decoder @throws SO4009 for texts without a tokenizer
 */
async function openTexts(
  path: string,
  tokens: TokenInputs | undefined,
  windowLength: number | undefined,
  reading: DataReading,
  limits: ReadLimits,
): Promise<ShardList | undefined> {
  const kind = dataKind(path);
  const { tokenizerPath } = reading;
  if (tokenizerPath === undefined) {
    if (kind !== 'text') return undefined;
    if (!tokens)
      throw new ServeOptError('SO4001', `"${basename(path)}" has no supported data format`, {
        why: 'lines of text are for models that take token numbers; supported are .npz, .npy, .jsonl and .csv files, and folders of them',
      });
    throw new ServeOptError('SO4009', `"${basename(path)}" has texts, and how they become tokens is not known`, {
      hint: 'add --tokenizer tokenizer.json, or vocab.txt of a BERT model',
    });
  }
  if (!tokens)
    throw new ServeOptError('SO4002', 'The model does not take tokens of a text', {
      why: 'its inputs are not token numbers and what follows from them',
      hint: 'leave --tokenizer out: arrays are fed as they are',
    });
  const { textShards } = await import('../texts/text-shards.js');
  return textShards(path, kind, tokens, { ...reading, tokenizerPath, windowLength }, limits);
}

/** @param only the input that an array without a name is for */
async function readShards(
  path: string,
  inputs: readonly ValueSpec[],
  only: string | undefined,
  labelName: string | undefined,
  limits: ReadLimits,
): Promise<ShardList> {
  const file = basename(path);
  switch (dataKind(path)) {
    case 'folder':
      return readFolder(path, inputs, limits);
    case 'npy':
      return { shards: [readNpyFile(path, inputs, only, limits)], warnings: [] };
    case 'npz': {
      const { arrays, warnings } = await readNpz(path, limits);
      const beside = arrays.some(({ name }) => name === 'labels' || name === 'label')
        ? undefined
        : labelsBeside(dirname(path), [file.replace(/\.npz$/i, '')], limits);
      return { shards: [beside ? { label: file, arrays, labels: beside } : { label: file, arrays }], warnings };
    }
    case 'jsonl':
      return readJsonLines(path, inputs, only, limits);
    case 'csv':
      return readCsv(path, inputs, labelName, limits);
    case 'text':
      throw new ServeOptError('SO4001', `"${file}" has no arrays`);
  }
}

/** Labels in a file of their own belong to data that is in one piece. */
function withLabelFile(shards: readonly Shard[], path: string, limits: ReadLimits): Shard[] {
  const labels = npyArray('labels', fileRange(path, basename(path)), limits);
  const [only] = shards;
  if (!only || shards.length > 1)
    throw new ServeOptError('SO4005', `"${basename(path)}" cannot be the labels of ${shards.length} files`, {
      hint: 'store the labels in the data files',
    });
  return [{ ...only, labels }];
}

/** A reader of the images of a folder or of a list; undefined for data of another kind. */
async function openImages(
  path: string,
  inputs: readonly ValueSpec[],
  { preprocess, labelsPath }: DataReading,
  limits: ReadLimits,
): Promise<DatasetReader | undefined> {
  const kind = dataKind(path);
  if (kind !== 'folder' && kind !== 'csv') return refuseRecipe(path, preprocess);
  const isImage = inputs.length === 1 && inputs[0]?.shape?.length === 4;
  if (preprocess === undefined && (!isImage || (kind === 'folder' && hasArrays(path)))) return undefined;
  const { imagesInCsv, imagesInFolder } = await import('../images/image-list.js');
  const list = await (kind === 'folder' ? imagesInFolder : imagesInCsv)(path, labelsPath, limits);
  if (!list) return refuseRecipe(path, preprocess);
  const { imageReader } = await import('../images/image-reader.js');
  return imageReader(list, inputs, preprocess);
}

/** @throws SO4001 for a recipe of images where there are none */
function refuseRecipe(path: string, preprocess: DataReading['preprocess']): undefined {
  if (preprocess === undefined) return undefined;
  throw new ServeOptError('SO4001', `"${basename(path)}" has no images for --preprocess`, {
    why: 'it applies to a folder of images, or to a CSV file with a column "file"',
    hint: 'leave --preprocess out: arrays are fed as they are',
  });
}
