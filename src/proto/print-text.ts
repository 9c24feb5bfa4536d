import { type ScalarValue, writeScalar } from './scalar-text.js';
import { isScalar } from './schema.js';
import { type AnyMessage, enumSchema, type TextMessageOf, type TextSchema, textMessage } from './text-schema.js';

/** Longer lists of scalars stand one element a line. */
const LINE_WIDTH = 100;

/**
 * Prints a message: fields in the order of the schema, two spaces for each level, lists in brackets, entries of maps in
 * their order. Equal messages give equal texts, and `parseText` gives the message back.
 * @throws TypeError for a field or an enum value that the schema does not have
 */
export function printText<S extends TextSchema, N extends keyof S & string>(
  schema: S,
  name: N,
  message: TextMessageOf<S, N>,
): string {
  const lines: string[] = [];
  printFields(lines, schema, name, message as AnyMessage, '');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function printFields(lines: string[], schema: TextSchema, name: string, message: AnyMessage, indent: string): void {
  const { fields } = textMessage(schema, name);
  for (const key of Object.keys(message)) {
    if (!Object.hasOwn(fields, key)) throw new TypeError(`${name} has no field ${key}`);
  }
  for (const [key, { type, rule, keyType }] of Object.entries(fields)) {
    const value = message[key];
    if (value === undefined) continue;
    if (keyType !== undefined) {
      for (const [entryKey, each] of value as ReadonlyMap<ScalarValue, unknown>) {
        lines.push(`${indent}${key} {`, `${indent}  key: ${writeScalar(keyType, entryKey)}`);
        printField(lines, schema, 'value', type, each, `${indent}  `);
        lines.push(`${indent}}`);
      }
    } else if (rule === undefined) printField(lines, schema, key, type, value, indent);
    else printList(lines, schema, key, type, value as readonly unknown[], indent);
  }
}

function printField(
  lines: string[],
  schema: TextSchema,
  key: string,
  type: string,
  value: unknown,
  indent: string,
): void {
  const scalar = scalarText(schema, type, value);
  if (scalar !== undefined) {
    lines.push(`${indent}${key}: ${scalar}`);
    return;
  }
  const start = lines.length;
  printFields(lines, schema, type, value as AnyMessage, `${indent}  `);
  if (lines.length === start) lines.push(`${indent}${key} {}`);
  else {
    lines.splice(start, 0, `${indent}${key} {`);
    lines.push(`${indent}}`);
  }
}

function printList(
  lines: string[],
  schema: TextSchema,
  key: string,
  type: string,
  values: readonly unknown[],
  indent: string,
): void {
  if (values.length === 0) return;
  const [first] = values;
  if (scalarText(schema, type, first) !== undefined) {
    const texts = values.map((value) => scalarText(schema, type, value) ?? '');
    const line = `${indent}${key}: [${texts.join(', ')}]`;
    if (line.length <= LINE_WIDTH) lines.push(line);
    else
      lines.push(
        `${indent}${key}: [`,
        ...texts.map((text, index) => `${indent}  ${text}${index < texts.length - 1 ? ',' : ''}`),
        `${indent}]`,
      );
    return;
  }
  lines.push(`${indent}${key} [`);
  for (const [index, value] of values.entries()) {
    lines.push(`${indent}  {`);
    printFields(lines, schema, type, value as AnyMessage, `${indent}    `);
    lines.push(`${indent}  }${index < values.length - 1 ? ',' : ''}`);
  }
  lines.push(`${indent}]`);
}

/** The text of a scalar or of a value of an enum; undefined for a message. */
function scalarText(schema: TextSchema, type: string, value: unknown): string | undefined {
  if (isScalar(type)) return writeScalar(type, value as ScalarValue);
  const values = enumSchema(schema, type)?.values;
  if (values === undefined) return undefined;
  if (typeof value === 'string' ? !Object.hasOwn(values, value) : !Number.isInteger(value)) {
    throw new TypeError(`${type} has no value ${String(value)}`);
  }
  return String(value);
}
