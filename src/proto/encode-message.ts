import protobuf from 'protobufjs/minimal.js';
import {
  type FieldSchema,
  isScalar,
  LENGTH,
  messageSchema,
  type PartialMessageOf,
  type Schema,
  wireType,
} from './schema.js';

type Writer = protobuf.Writer;

/**
 * Encodes a message, fields in the order of the schema. Empty texts, zeros and empty lists are left out, as proto3 does;
 * lists of numbers are packed. Bytes are copied: large ones are better appended by `delimited`.
 */
export function encodeMessage<S extends Schema, N extends keyof S & string>(
  schema: S,
  name: N,
  message: PartialMessageOf<S, N>,
): Uint8Array {
  const writer = protobuf.Writer.create();
  writeMessage(writer, schema, name, message as Readonly<Record<string, unknown>>);
  return writer.finish();
}

/** A field of bytes in two pieces, tag with length and the bytes themselves, which are not copied. */
export function delimited(id: number, bytes: Uint8Array): readonly [head: Uint8Array, bytes: Uint8Array] {
  const head = protobuf.Writer.create()
    .uint32(id * 8 + LENGTH)
    .uint32(bytes.byteLength)
    .finish();
  return [head, bytes];
}

function writeMessage(writer: Writer, schema: Schema, name: string, message: Readonly<Record<string, unknown>>): void {
  for (const [key, field] of Object.entries(messageSchema(schema, name).fields)) {
    const value = message[key];
    if (Array.isArray(value)) writeList(writer, schema, field, value);
    else if (value !== undefined && !isDefault(value)) {
      writer.uint32(field.id * 8 + wireType(field.type));
      writeValue(writer, schema, field.type, value);
    }
  }
}

function isDefault(value: unknown): boolean {
  return value === '' || Object.is(value, 0) || value === 0n || value === false;
}

function writeList(writer: Writer, schema: Schema, { type, id }: FieldSchema, values: readonly unknown[]): void {
  if (values.length === 0) return;
  if (wireType(type) !== LENGTH) {
    writer.uint32(id * 8 + LENGTH).fork();
    for (const value of values) writeValue(writer, schema, type, value);
    writer.ldelim();
    return;
  }
  for (const value of values) {
    writer.uint32(id * 8 + LENGTH);
    writeValue(writer, schema, type, value);
  }
}

/** The value without its tag. The types of messages follow from the schema, so a value has the type of its field. */
function writeValue(writer: Writer, schema: Schema, type: string, value: unknown): void {
  if (!isScalar(type)) {
    writer.fork();
    writeMessage(writer, schema, type, value as Readonly<Record<string, unknown>>);
    writer.ldelim();
  } else if (type === 'string') writer.string(value as string);
  else if (type === 'bytes') writer.bytes(value as Uint8Array);
  else if (type === 'bool') writer.bool(value as boolean);
  else if (type === 'int64' || type === 'uint64') writer.int64(integer(value as number | bigint));
  else writer[type](value as number);
}

/** 64-bit integers as the writer takes them: those beyond a number as text. */
function integer(value: number | bigint): number | string {
  return typeof value === 'number' ? value : String(BigInt.asIntN(64, value));
}
