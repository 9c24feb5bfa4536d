/**
 * Protobuf schemas as data, in the JSON form of protobufjs (what `pbjs --target json` writes), and the types of their
 * messages, which follow from them. One file of this folder for each schema.
 */

/** Scalar types that the schemas use; other names are names of messages in the same schema. */
export interface ScalarTypes {
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly bool: boolean;
  readonly int32: number;
  readonly uint32: number;
  /** A bigint where a number would lose digits. */
  readonly int64: number | bigint;
  readonly uint64: number | bigint;
  readonly float: number;
  readonly double: number;
}
export type ScalarName = keyof ScalarTypes;

export interface FieldSchema {
  readonly type: string;
  readonly id: number;
  readonly rule?: 'repeated';
}

export interface MessageSchema {
  readonly fields: Readonly<Record<string, FieldSchema>>;
}

/** The messages of one `.proto` package, by name. */
export type Schema = Readonly<Record<string, MessageSchema>>;

type ValueOf<S extends Schema, T extends string> = T extends ScalarName
  ? ScalarTypes[T]
  : T extends keyof S
    ? MessageOf<S, T>
    : never;

type FieldValue<S extends Schema, F extends FieldSchema> = F extends { readonly rule: 'repeated' }
  ? readonly ValueOf<S, F['type']>[]
  : F['type'] extends ScalarName
    ? ScalarTypes[F['type']]
    : ValueOf<S, F['type']> | undefined;

/** A decoded message: absent scalars have their defaults, absent lists are empty. */
export type MessageOf<S extends Schema, N extends keyof S> = {
  readonly [K in keyof S[N]['fields']]: FieldValue<S, S[N]['fields'][K]>;
};

/** A message to encode: what is left out is not written. */
export type PartialMessageOf<S extends Schema, N extends keyof S> = {
  readonly [K in keyof S[N]['fields']]?: S[N]['fields'][K] extends { readonly rule: 'repeated' }
    ? readonly PartialValueOf<S, S[N]['fields'][K]['type']>[]
    : PartialValueOf<S, S[N]['fields'][K]['type']>;
};
type PartialValueOf<S extends Schema, T extends string> = T extends ScalarName
  ? ScalarTypes[T]
  : T extends keyof S
    ? PartialMessageOf<S, T>
    : never;

const SCALARS: ReadonlySet<string> = new Set<ScalarName>([
  'string',
  'bytes',
  'bool',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float',
  'double',
]);

export function isScalar(type: string): type is ScalarName {
  return SCALARS.has(type);
}

/** Wire types of the protobuf encoding. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;

/** The wire type of one value of a type. */
export function wireType(type: string): number {
  if (!isScalar(type) || type === 'string' || type === 'bytes') return LENGTH;
  if (type === 'float') return FIXED32;
  return type === 'double' ? FIXED64 : VARINT;
}

/** The message of a schema. @throws TypeError for a name that the schema does not have, which is a bug in the schema */
export function messageSchema(schema: Schema, name: string): MessageSchema {
  const found = schema[name];
  if (found === undefined) throw new TypeError(`The schema has no message ${name}`);
  return found;
}
