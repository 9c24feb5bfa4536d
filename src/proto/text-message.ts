import { plainScalar } from './scalar-text.js';
import { isScalar } from './schema.js';
import { type AnyMessage, enumSchema, type TextSchema, textMessage } from './text-schema.js';

/** A message of the library as plain data of the schema: enums by name, maps as `Map`, integers as `plainScalar` has them. */
export function fromLibrary(schema: TextSchema, name: string, source: AnyMessage): AnyMessage {
  const message: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(textMessage(schema, name).fields)) {
    if (!Object.hasOwn(source, key)) continue;
    const value = source[key];
    const read = (each: unknown): unknown => plainValue(schema, field.type, each);
    if (field.keyType !== undefined) {
      const { keyType } = field;
      const plainKey = (text: string) => (keyType === 'string' ? text : plainScalar(keyType, text));
      message[key] = new Map(Object.entries(value as AnyMessage).map(([text, each]) => [plainKey(text), read(each)]));
    } else message[key] = field.rule === 'repeated' ? (value as readonly unknown[]).map(read) : read(value);
  }
  return message;
}

function plainValue(schema: TextSchema, type: string, value: unknown): unknown {
  if (isScalar(type)) return plainScalar(type, value);
  const values = enumSchema(schema, type)?.values;
  if (values === undefined) return fromLibrary(schema, type, value as AnyMessage);
  return Object.entries(values).find(([, number]) => number === value)?.[0] ?? value;
}
