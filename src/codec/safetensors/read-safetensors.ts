import { ServeOptError } from '../../errors.js';
import { asJsonObject } from '../../json-object.js';
import { type JsonLimits, JsonRefusal, parseBoundedJson } from '../bounded-json.js';
import type { ByteSource } from '../byte-source.js';
import { duplicateKey } from '../duplicate-key.js';
import { entryBytes, SAFETENSORS_TYPES, type SafetensorsEntry, type SafetensorsType } from './safetensors-types.js';

/** A tensor of a file, and where its bytes are in it. */
export interface StoredTensor extends SafetensorsEntry {
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Texts of `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The largest header that the format allows. */
const HEADER_LIMIT = 100_000_000;
const LENGTH_BYTES = 8;
/** A tensor has four keys; the longest known checkpoints have some 100,000 tensors in all files together. */
const LIMITS: JsonLimits = { depth: 4, containers: 2_000_000, keys: 2_000_000, values: 16_000_000 };
const METADATA = '__metadata__';
const MOST_DIMENSIONS = 16;

/**
 * Reads the header of a safetensors file and checks all of it before a tensor is touched: sizes that fit shapes and types, no
 * overlap, no hole and nothing behind the last tensor, no name twice (rules of the format, and of the audit of its reader).
 * @throws SO2021 for a file that breaks them; SO2002 when it cannot be read
 */
export function readSafetensors(source: ByteSource): SafetensorsHeader {
  const refuse = (why: string): ServeOptError =>
    new ServeOptError('SO2021', `"${source.label}" is not a valid safetensors file`, {
      why,
      location: { file: source.path ?? source.label },
    });
  if (source.sizeBytes < LENGTH_BYTES + 2) throw refuse(`it has ${source.sizeBytes} bytes, too few for a header`);
  const length = new DataView(copyOf(source.read(0, LENGTH_BYTES))).getBigUint64(0, true);
  if (length > BigInt(HEADER_LIMIT))
    throw refuse(`its header claims ${length} bytes; at most ${HEADER_LIMIT} are allowed`);
  const begin = LENGTH_BYTES + Number(length);
  if (begin > source.sizeBytes)
    throw refuse(`its header claims ${length} bytes, but the file has ${source.sizeBytes} in all`);
  const text = source.read(LENGTH_BYTES, begin);
  if (text[0] !== 0x7b) throw refuse('its header does not begin with {');
  const root = asJsonObject(parse(text, refuse));
  if (!root) throw refuse('its header is no object');
  const twice = duplicateKey(text);
  if (twice !== undefined) throw refuse(`its header has the key "${twice}" twice`);

  const metadata: Record<string, string> = Object.create(null);
  const tensors: StoredTensor[] = [];
  for (const [name, value] of Object.entries(root)) {
    if (name === METADATA) readMetadata(value, metadata, refuse);
    else tensors.push(readEntry(name, value, begin, refuse));
  }
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  let at = begin;
  for (const { name, start, end } of tensors) {
    if (start < at) throw refuse(`the bytes of tensor "${name}" overlap those of another one`);
    if (start > at) throw refuse(`there is a hole of ${start - at} bytes before tensor "${name}"`);
    at = end;
  }
  if (at !== source.sizeBytes) {
    throw at > source.sizeBytes
      ? refuse(`its tensors need ${at} bytes, but the file has ${source.sizeBytes}: it ends early`)
      : refuse(`${source.sizeBytes - at} bytes follow its last tensor`);
  }
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata };
}

type Refuse = (why: string) => ServeOptError;

function parse(text: Uint8Array, refuse: Refuse): unknown {
  try {
    return parseBoundedJson(text, LIMITS);
  } catch (error) {
    if (error instanceof JsonRefusal) throw refuse(`its header is not usable JSON: ${error.message}`);
    throw error;
  }
}

function readMetadata(value: unknown, metadata: Record<string, string>, refuse: Refuse): void {
  const object = asJsonObject(value);
  if (!object) throw refuse(`${METADATA} is no object`);
  for (const [key, text] of Object.entries(object)) {
    if (typeof text !== 'string') throw refuse(`${METADATA} has a value that is no text, at "${key}"`);
    metadata[key] = text;
  }
}

function readEntry(name: string, value: unknown, begin: number, refuse: Refuse): StoredTensor {
  const object = asJsonObject(value);
  if (!object) throw refuse(`tensor "${name}" is no object`);
  const { dtype, shape, data_offsets: offsets, ...rest } = object;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw refuse(`tensor "${name}" has an unknown field "${unknown}"`);
  if (typeof dtype !== 'string' || !Object.hasOwn(SAFETENSORS_TYPES, dtype))
    throw refuse(`tensor "${name}" has the unknown type ${JSON.stringify(dtype)}`);
  const type = dtype as SafetensorsType;
  if (!isSizes(shape) || shape.length > MOST_DIMENSIONS) throw refuse(`the shape of tensor "${name}" is not one`);
  if (!isSizes(offsets) || offsets.length !== 2) throw refuse(`the offsets of tensor "${name}" are not two numbers`);
  const [first = 0, last = 0] = offsets;
  const sizeBytes = entryBytes({ type, shape });
  if (!Number.isSafeInteger(sizeBytes)) throw refuse(`tensor "${name}" is too large`);
  if (last - first !== sizeBytes) {
    throw refuse(
      `tensor "${name}" of type ${type} and shape [${shape.join(', ')}] needs ${sizeBytes} bytes, not ${last - first}`,
    );
  }
  return { name, type, shape, start: begin + first, end: begin + last };
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}
