import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { JsonRefusal, parseBoundedJson } from '../../codec/bounded-json.js';
import { type ByteSource, openFileSource } from '../../codec/byte-source.js';
import { duplicateKey } from '../../codec/duplicate-key.js';
import { readSafetensors, type SafetensorsHeader } from '../../codec/safetensors/read-safetensors.js';
import { readSmallFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';
import { asJsonObject } from '../../json-object.js';
import type { CheckpointFacts } from '../../targets/vllm/linear-layers.js';

/** A weight file of a checkpoint, open. */
export interface Shard {
  readonly name: string;
  readonly source: ByteSource;
  readonly header: SafetensorsHeader;
}

/** A folder as `save_pretrained` of transformers writes it. */
export interface Checkpoint {
  readonly folder: string;
  /** `config.json` as it is written. */
  readonly configText: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** In the order of their names. */
  readonly shards: readonly Shard[];
  /** `metadata` of the index; undefined where one file holds all. */
  readonly indexMetadata: Readonly<Record<string, unknown>> | undefined;
  /** Files that a server or a person needs beside the weights: tokenizer, templates, code, licence. */
  readonly otherFiles: readonly string[];
  /** What is in the folder and not taken along. */
  readonly skipped: readonly string[];
  close(): void;
}

const CONFIG = 'config.json';
const SINGLE = 'model.safetensors';
export const INDEX = 'model.safetensors.index.json';
const CONFIG_LIMIT = 16 * 1024 * 1024;
const INDEX_LIMIT = 100_000_000;

/** Weights in other forms, which a quantized checkpoint must not have beside its own. */
const OTHER_WEIGHTS =
  /\.(safetensors|bin|pt|pth|ckpt|msgpack|h5|gguf|ggml|onnx|onnx_data|npz|nemo|tflite|ot)$|\.index\.json$/i;

/**
 * Opens a checkpoint and checks all headers; no weight is read.
 * @throws SO2022 for a folder that is none, SO2021 and SO2023 for damaged or unsafe files, SO2024 for one that is quantized
 */
export function openCheckpoint(folder: string): Checkpoint {
  const names = namesIn(folder);
  if (!names.includes(CONFIG)) throw notCheckpoint(folder, `it has no ${CONFIG}`);
  const { text: configText, value: config } = readJson(join(folder, CONFIG), CONFIG_LIMIT);
  refuseQuantized(folder, config);
  const index = names.includes(INDEX) ? readIndex(folder) : undefined;
  const weightFiles = index ? [...new Set(index.weightMap.values())].sort() : [singleFile(folder, names)];
  const shards: Shard[] = [];
  try {
    for (const name of weightFiles) shards.push(openShard(folder, name));
    if (index) checkIndex(folder, index.weightMap, shards);
    refuseQuantizedTensors(folder, shards);
  } catch (error) {
    for (const { source } of shards) source.close();
    throw error;
  }
  const used = new Set([CONFIG, INDEX, ...weightFiles]);
  const rest = names.filter((name) => !used.has(name));
  const isTaken = (name: string): boolean =>
    !name.startsWith('.') && !OTHER_WEIGHTS.test(name) && statSync(join(folder, name)).isFile();
  return {
    folder,
    configText,
    config,
    shards,
    indexMetadata: index?.metadata,
    otherFiles: rest.filter(isTaken),
    skipped: rest.filter((name) => !isTaken(name)),
    close: () => {
      for (const { source } of shards) source.close();
    },
  };
}

/** What choosing layers needs to know of a configuration. */
export function checkpointFacts({ config }: Checkpoint): CheckpointFacts {
  const sizes = new Set<number>();
  const look = (value: unknown, depth: number): void => {
    const object = asJsonObject(value);
    if (!object || depth > 3) return;
    const size = object.vocab_size;
    if (typeof size === 'number' && size > 1) sizes.add(size);
    for (const each of Object.values(object)) look(each, depth + 1);
  };
  look(config, 0);
  return { vocabularySizes: [...sizes] };
}

function namesIn(folder: string): readonly string[] {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat) throw new ServeOptError('SO2001', `"${folder}" does not exist`, { location: { file: folder } });
  if (!stat.isDirectory()) throw notCheckpoint(folder, 'it is a file');
  return readdirSync(folder).sort();
}

function notCheckpoint(folder: string, why: string, hint?: string): ServeOptError {
  return new ServeOptError('SO2022', `"${folder}" is not the folder of a Hugging Face checkpoint`, {
    why,
    ...(hint === undefined ? {} : { hint }),
    location: { file: folder },
  });
}

function singleFile(folder: string, names: readonly string[]): string {
  if (names.includes(SINGLE)) return SINGLE;
  const found = names.filter((name) => name.endsWith('.safetensors'));
  if (found.length === 1) return found[0] as string;
  if (found.length > 1) throw notCheckpoint(folder, `it has ${found.length} weight files, but no ${INDEX}`);
  const other = names.find((name) => /\.(bin|pt|pth|ckpt)$/i.test(name));
  throw other === undefined
    ? notCheckpoint(folder, 'it has no weights in the format safetensors')
    : notCheckpoint(
        folder,
        `its weights are in "${other}", a format that can run code when it is loaded`,
        'save it again with save_pretrained(folder, safe_serialization=True) of transformers',
      );
}

function openShard(folder: string, name: string): Shard {
  const path = join(folder, name);
  if (!existsSync(path)) throw badIndex(folder, `it names "${name}", which is not in the folder`);
  const source = openFileSource(path, name);
  try {
    return { name, source, header: readSafetensors(source) };
  } catch (error) {
    source.close();
    throw error;
  }
}

function readIndex(folder: string): {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly weightMap: ReadonlyMap<string, string>;
} {
  const { value } = readJson(join(folder, INDEX), INDEX_LIMIT);
  const map = asJsonObject(value.weight_map);
  if (!map) throw badIndex(folder, 'it has no weight_map');
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string') throw badIndex(folder, `it gives no file for "${tensor}"`);
    // A name with a folder could lead out of the checkpoint.
    if (basename(file) !== file || file.includes('\\') || file.includes('\0') || file.startsWith('.'))
      throw badIndex(folder, `it names "${file}" for "${tensor}", which is no plain file name`);
    if (!file.endsWith('.safetensors'))
      throw badIndex(folder, `it names "${file}" for "${tensor}", which is no safetensors file`);
    weightMap.set(tensor, file);
  }
  if (weightMap.size === 0) throw badIndex(folder, 'its weight_map is empty');
  return { metadata: asJsonObject(value.metadata) ?? {}, weightMap };
}

function checkIndex(folder: string, weightMap: ReadonlyMap<string, string>, shards: readonly Shard[]): void {
  const owners = new Map<string, string>();
  for (const { name, header } of shards) {
    for (const tensor of header.tensors.keys()) {
      const other = owners.get(tensor);
      if (other !== undefined) throw badIndex(folder, `"${other}" and "${name}" both hold the tensor "${tensor}"`);
      owners.set(tensor, name);
      const said = weightMap.get(tensor);
      if (said === undefined) throw badIndex(folder, `"${name}" holds the tensor "${tensor}", which it does not name`);
      if (said !== name) throw badIndex(folder, `it says that "${tensor}" is in "${said}", but "${name}" holds it`);
    }
  }
  for (const [tensor, file] of weightMap)
    if (!owners.has(tensor)) throw badIndex(folder, `it says that "${tensor}" is in "${file}", which does not hold it`);
}

function badIndex(folder: string, why: string): ServeOptError {
  const file = join(folder, INDEX);
  return new ServeOptError('SO2023', `The index of the checkpoint "${folder}" does not fit its files`, {
    why,
    location: { file },
  });
}

function refuseQuantized(folder: string, config: Readonly<Record<string, unknown>>): void {
  const quantization =
    asJsonObject(config.quantization_config) ?? asJsonObject(asJsonObject(config.text_config)?.quantization_config);
  if (!quantization) return;
  const method = typeof quantization.quant_method === 'string' ? ` (${quantization.quant_method})` : '';
  throw alreadyQuantized(folder, `its ${CONFIG} has a quantization_config${method}`);
}

const QUANTIZED_NAMES = /\.(weight_packed|weight_scale|weight_scale_inv|qweight|qzeros|scales|g_idx)$/;

function refuseQuantizedTensors(folder: string, shards: readonly Shard[]): void {
  for (const { header } of shards) {
    for (const { name, type } of header.tensors.values()) {
      const isCode = name.endsWith('.weight') && ['I8', 'U8', 'I32', 'F8_E4M3', 'F8_E5M2'].includes(type);
      if (isCode || QUANTIZED_NAMES.test(name))
        throw alreadyQuantized(folder, `it holds the tensor "${name}" of type ${type}`);
    }
  }
}

function alreadyQuantized(folder: string, why: string): ServeOptError {
  return new ServeOptError('SO2024', `The checkpoint "${folder}" is quantized already`, {
    why,
    location: { file: folder },
  });
}

function readJson(path: string, limitBytes: number): { text: string; value: Readonly<Record<string, unknown>> } {
  const bytes = readSmallFile(path, limitBytes);
  const refuse = (why: string): ServeOptError =>
    new ServeOptError('SO2022', `"${path}" cannot be used`, { why, location: { file: path } });
  let parsed: unknown;
  try {
    parsed = parseBoundedJson(bytes, { depth: 100, containers: 1_000_000, keys: 2_000_000, values: 16_000_000 });
  } catch (error) {
    if (error instanceof JsonRefusal) throw refuse(`it is not usable JSON: ${error.message}`);
    throw error;
  }
  const value = asJsonObject(parsed);
  if (!value) throw refuse('it is no JSON object');
  const twice = duplicateKey(bytes);
  if (twice !== undefined) throw refuse(`it has the key "${twice}" twice`);
  return { text: new TextDecoder().decode(bytes), value };
}
