/** Single values of the text format, read and written by protobufjs. */
import textFormat from 'protobufjs/ext/textformat.js';
import type { ScalarName, ScalarTypes } from './schema.js';
import { reflectedType, type TextSchema } from './text-schema.js';

export type ScalarValue = ScalarTypes[ScalarName];

export type ReadScalar =
  | { readonly ok: true; readonly value: ScalarValue }
  | { readonly ok: false; readonly why: string };

/** A message with one field for each scalar type. */
const HOLDERS = {
  string: { fields: { value: { type: 'string', id: 1 } } },
  bytes: { fields: { value: { type: 'bytes', id: 1 } } },
  bool: { fields: { value: { type: 'bool', id: 1 } } },
  int32: { fields: { value: { type: 'int32', id: 1 } } },
  uint32: { fields: { value: { type: 'uint32', id: 1 } } },
  int64: { fields: { value: { type: 'int64', id: 1 } } },
  uint64: { fields: { value: { type: 'uint64', id: 1 } } },
  float: { fields: { value: { type: 'float', id: 1 } } },
  double: { fields: { value: { type: 'double', id: 1 } } },
} as const satisfies TextSchema;

/** What a type takes, for messages. */
const TAKES: Readonly<Record<ScalarName, string>> = {
  string: 'a text in quotes',
  bytes: 'a text in quotes',
  bool: 'true or false',
  int32: 'an integer of 32 bits',
  uint32: 'an integer of 32 bits that is not negative',
  int64: 'an integer of 64 bits',
  uint64: 'an integer of 64 bits that is not negative',
  float: 'a number',
  double: 'a number',
};

/** Reads one value as it stands in a text. */
export function readScalar(type: ScalarName, text: string): ReadScalar {
  try {
    const read = textFormat.fromText(reflectedType(HOLDERS, type), `value: ${text}`) as unknown as { value?: unknown };
    return { ok: true, value: plainScalar(type, read.value) };
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text;
    const detail =
      /escape|UTF-8|out of range/i.exec(error.message) === null
        ? ''
        : ` (${error.message.replace(/ \(line \d+\)$/, '')})`;
    return { ok: false, why: `${shown} is not ${TAKES[type]}${detail}` };
  }
}

/** Writes one value as it stands in a text. */
export function writeScalar(type: ScalarName, value: ScalarValue): string {
  return textFormat.toText(reflectedType(HOLDERS, type), { value }).slice('value: '.length);
}

/** A value of the library as plain data: integers of 64 bits as a number where that is exact, else a bigint. */
export function plainScalar(type: ScalarName, value: unknown): ScalarValue {
  if (type !== 'int64' && type !== 'uint64') return value as ScalarValue;
  const exact = BigInt(String(value));
  const near = Number(exact);
  return Number.isSafeInteger(near) ? near : exact;
}
