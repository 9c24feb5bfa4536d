import protobuf from 'protobufjs/minimal.js';
import {
  type FieldSchema,
  isScalar,
  LENGTH,
  type MessageOf,
  messageSchema,
  type ScalarName,
  type Schema,
  wireType,
} from './schema.js';

type Reader = protobuf.Reader;

/** How many elements the lists of a message may have. */
export interface ListLimit {
  readonly most: number;
  /** `refuse` throws at the first element beyond; `drop` skips what is beyond. */
  readonly beyond: 'refuse' | 'drop';
}

export interface DecodeOptions {
  /** By field name, in whatever message; lists that are not named keep `DEFAULT_LIMIT`. */
  readonly lists?: ReadonlyMap<string, ListLimit>;
}

/** Of lists without a limit of their own. */
export const DEFAULT_LIMIT: ListLimit = { most: 1024, beyond: 'drop' };

/** A message that is damaged, or larger than its reader takes. */
export class MessageError extends Error {}

interface Target {
  readonly schema: Schema;
  readonly options: DecodeOptions;
}

/**
 * Decodes a message. Memory is bounded by the limits on lists, whatever the bytes hold: unknown fields are skipped, and
 * `bytes` fields are views of the input. Of a field that is there more than once, the last counts.
 * @throws MessageError for damaged bytes, a field of another wire type, or a list beyond a limit that refuses
 */
export function decodeMessage<S extends Schema, N extends keyof S & string>(
  schema: S,
  name: N,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): MessageOf<S, N> {
  const reader = protobuf.Reader.create(bytes);
  try {
    return readMessage(reader, bytes.byteLength, name, { schema, options }) as MessageOf<S, N>;
  } catch (cause) {
    if (cause instanceof MessageError || !(cause instanceof Error)) throw cause;
    // What the reader throws for bytes that end early or are no varint.
    throw new MessageError(`byte ${reader.pos}: ${cause.message}`);
  }
}

type FieldsById = ReadonlyMap<number, readonly [name: string, field: FieldSchema]>;
const fieldsById = new WeakMap<Readonly<Record<string, FieldSchema>>, FieldsById>();

function byId(schema: Schema, name: string): FieldsById {
  const { fields } = messageSchema(schema, name);
  let found = fieldsById.get(fields);
  if (found === undefined) {
    found = new Map(Object.entries(fields).map(([key, field]) => [field.id, [key, field] as const]));
    fieldsById.set(fields, found);
  }
  return found;
}

function readMessage(reader: Reader, end: number, name: string, target: Target): Record<string, unknown> {
  const fields = byId(target.schema, name);
  const message: Record<string, unknown> = {};
  for (const [key, { rule, type }] of fields.values()) message[key] = rule ? emptyList(type) : defaultOf(type);
  while (reader.pos < end) {
    const tag = reader.uint32();
    const wire = tag & 7;
    const known = fields.get(tag >>> 3);
    if (known === undefined) {
      reader.skipType(wire);
      continue;
    }
    const [key, field] = known;
    const expected = wireType(field.type);
    const packed = field.rule !== undefined && wire === LENGTH && expected !== LENGTH;
    if (wire !== expected && !packed) {
      throw new MessageError(`${name}.${key} has wire type ${wire} where ${expected} is due`);
    }
    if (field.rule) readElements(reader, message[key] as unknown[], { name, key, field, packed }, target);
    else message[key] = readValue(reader, end, field.type, target);
  }
  if (reader.pos !== end) throw new MessageError(`${name} ends inside a field`);
  return message;
}

interface ListField {
  readonly name: string;
  readonly key: string;
  readonly field: FieldSchema;
  readonly packed: boolean;
}

function readElements(reader: Reader, list: unknown[], { name, key, field, packed }: ListField, target: Target): void {
  const { type } = field;
  const { most, beyond } = target.options.lists?.get(key) ?? DEFAULT_LIMIT;
  const end = packed ? reader.uint32() + reader.pos : reader.pos + 1;
  if (end > reader.len) throw new MessageError(`${name}.${key} ends after the message`);
  if (packed && isScalar(type)) readPacked(reader, end, list, type, most);
  else if (list.length < most) list.push(readValue(reader, reader.len, type, target));
  if (reader.pos < end) {
    if (beyond === 'refuse') throw new MessageError(`${name}.${key} has more than ${most} elements`);
    if (packed) reader.pos = end;
    else reader.skipType(wireType(type));
  }
  if (packed && reader.pos !== end) throw new MessageError(`${name}.${key} ends inside an element`);
}

/** Elements up to `end`, or up to the limit on the list. */
function readPacked(reader: Reader, end: number, list: unknown[], type: ScalarName, most: number): void {
  if (type === 'int64' || type === 'uint64') {
    while (reader.pos < end && list.length < most) list.push(integer(reader[type](), type));
  } else if (type === 'float') {
    while (reader.pos < end && list.length < most) list.push(reader.float());
  } else {
    while (reader.pos < end && list.length < most) list.push(reader[type]());
  }
}

/** One value, without its tag, which ends at `end` or before. */
function readValue(reader: Reader, end: number, type: string, target: Target): unknown {
  if (isScalar(type)) return readScalar(reader, type);
  const length = reader.uint32();
  if (length > end - reader.pos) throw new MessageError(`A ${type} ends after the message that holds it`);
  return readMessage(reader, reader.pos + length, type, target);
}

function readScalar(reader: Reader, type: ScalarName): ScalarValue {
  return type === 'int64' || type === 'uint64' ? integer(reader[type](), type) : reader[type]();
}
type ScalarValue = string | number | bigint | boolean | Uint8Array;

/** A number where that is exact, else a bigint. */
function integer(
  value: number | { readonly high: number; readonly low: number },
  type: 'int64' | 'uint64',
): number | bigint {
  if (typeof value === 'number') return value;
  const high = type === 'int64' ? value.high | 0 : value.high >>> 0;
  const near = high * 2 ** 32 + (value.low >>> 0);
  return Number.isSafeInteger(near) ? near : (BigInt(high) << 32n) + BigInt(value.low >>> 0);
}

/** V8 keeps doubles unboxed in arrays from a place in the code that makes arrays of doubles only: four times as fast. */
function emptyList(type: string): unknown[] {
  return type === 'float' || type === 'double' ? emptyDoubles() : [];
}

function emptyDoubles(): number[] {
  return [];
}

function defaultOf(type: string): ScalarValue | undefined {
  if (type === 'string') return '';
  if (type === 'bytes') return new Uint8Array(0);
  if (type === 'bool') return false;
  return isScalar(type) ? 0 : undefined;
}
