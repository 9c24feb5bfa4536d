/**
 * Schemas of messages that are written as text, as data in the JSON form of protobufjs, and the types of their messages,
 * which follow from them. Unlike those of wire messages (`schema.ts`), they have enums, maps and oneofs, and an absent
 * field is not the same as one with its default value.
 */
import protobuf from 'protobufjs/light.js';
import { isScalar, type ScalarName, type ScalarTypes } from './schema.js';

export interface TextFieldSchema {
  readonly type: string;
  readonly id: number;
  readonly rule?: 'repeated';
  /** Of a map: `type` is that of its values. */
  readonly keyType?: 'string' | 'uint64';
}

export interface TextMessageSchema {
  readonly fields: Readonly<Record<string, TextFieldSchema>>;
  /** Groups of fields of which one may be set. */
  readonly oneofs?: Readonly<Record<string, { readonly oneof: readonly string[] }>>;
}

export interface EnumSchema {
  readonly values: Readonly<Record<string, number>>;
}

/** Messages and enums of one package; those inside a message are named with a dot, `ModelInput.Format`. */
export type TextSchema = Readonly<Record<string, TextMessageSchema | EnumSchema>>;

type ValueOf<S extends TextSchema, T extends string> = T extends ScalarName
  ? ScalarTypes[T]
  : T extends keyof S
    ? S[T] extends EnumSchema
      ? (keyof S[T]['values'] & string) | number
      : TextMessageOf<S, T>
    : never;

/** The type of one field: maps are `Map`s, values of enums are names, or numbers where the schema has no name for them. */
export type TextValueOf<S extends TextSchema, F extends TextFieldSchema> = F extends { readonly keyType: 'string' }
  ? ReadonlyMap<string, ValueOf<S, F['type']>>
  : F extends { readonly keyType: 'uint64' }
    ? ReadonlyMap<number | bigint, ValueOf<S, F['type']>>
    : F extends { readonly rule: 'repeated' }
      ? readonly ValueOf<S, F['type']>[]
      : ValueOf<S, F['type']>;

/** A message as it stands in a text: only the fields that are there. */
export type TextMessageOf<S extends TextSchema, N extends keyof S> = S[N] extends TextMessageSchema
  ? { readonly [K in keyof S[N]['fields']]?: TextValueOf<S, S[N]['fields'][K]> }
  : never;

/** A message whose fields are looked up by name. */
export type AnyMessage = Readonly<Record<string, unknown>>;

/** The fields of a message. @throws TypeError for a name that the schema does not have, which is a bug in the caller */
export function textMessage(schema: TextSchema, name: string): TextMessageSchema {
  const found = schema[name];
  if (found === undefined || !('fields' in found)) throw new TypeError(`The schema has no message ${name}`);
  return found;
}

/** The enum of a type; undefined for scalars and messages. */
export function enumSchema(schema: TextSchema, type: string): EnumSchema | undefined {
  const found = isScalar(type) ? undefined : schema[type];
  return found !== undefined && 'values' in found ? found : undefined;
}

/** Whether a type is a message: neither a scalar nor an enum. */
export function isMessageType(schema: TextSchema, type: string): boolean {
  const found = isScalar(type) ? undefined : schema[type];
  return found !== undefined && 'fields' in found;
}

const roots = new WeakMap<TextSchema, protobuf.Root>();

/** The reflected type of a message, for the text format of protobufjs. */
export function reflectedType(schema: TextSchema, name: string): protobuf.Type {
  let root = roots.get(schema);
  if (root === undefined) {
    root = protobuf.Root.fromJSON({ nested: nest(schema) });
    root.resolveAll();
    avoidGeneratedCode(root);
    roots.set(schema, root);
  }
  return root.lookupType(name);
}

/** Otherwise the library compiles a constructor for each type, with `Function`. */
function avoidGeneratedCode(space: protobuf.NamespaceBase): void {
  for (const each of space.nestedArray) {
    if (each instanceof protobuf.Type) each.ctor = class extends protobuf.Message {};
    if (each instanceof protobuf.Type || each instanceof protobuf.Namespace) avoidGeneratedCode(each);
  }
}

interface Nested {
  [name: string]: { nested?: Nested } & (TextMessageSchema | EnumSchema);
}

/** Names with dots as messages inside messages. */
function nest(schema: TextSchema): Nested {
  const root: Nested = {};
  for (const [name, entry] of Object.entries(schema)) {
    const parts = name.split('.');
    const last = parts.pop() ?? name;
    let level = root;
    for (const part of parts) {
      const parent = level[part];
      if (parent === undefined) throw new TypeError(`The schema has ${name} before the message around it`);
      parent.nested ??= {};
      level = parent.nested;
    }
    level[last] = structuredClone(entry);
  }
  return root;
}
