import { basename } from 'node:path';
import { readSmallTextFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';

/** Bytes of a file of names. */
export const MOST_NAMES_BYTES = 16 * 1024 * 1024;

/** A class has a name of at most this many characters. */
const LONGEST_LABEL = 1000;
/** More classes than any classifier has. */
const MOST_LABELS = 1_000_000;

/** Keys that files of labels put the list or object under. */
const WRAPPERS = ['id2label', 'classes', 'labels', 'names', 'object_type_names'] as const;

/** Names of classes of a file, as `parseClassNames` reads them. @throws SO2001, SO2002, SO2104 for the file, SO4001 */
export function readClassNames(path: string): readonly string[] {
  return parseClassNames(readSmallTextFile(path, MOST_NAMES_BYTES), basename(path));
}

/**
 * Names of classes in the order of their indices: a JSON list, a JSON object from index to name (as TorchServe's
 * index_to_name.json, or under a key such as `id2label`), or a text with one name a line.
 * @param file name for messages
 * @throws SO4001 for what is none of these, and for indices with gaps
 */
export function parseClassNames(text: string, file: string): readonly string[] {
  const trimmed = text.trimStart();
  const labels = trimmed.startsWith('[') || trimmed.startsWith('{') ? fromJson(text, file) : fromLines(text);
  if (labels.length === 0) throw wrong(file, 'it has no labels');
  if (labels.length > MOST_LABELS) throw wrong(file, `it has more than ${MOST_LABELS} labels`);
  const long = labels.findIndex((label) => label.length > LONGEST_LABEL);
  if (long >= 0) throw wrong(file, `label ${long} is longer than ${LONGEST_LABEL} characters`);
  return labels;
}

/** `1 label`, `10 labels`. */
export function labelCount(count: number): string {
  return count === 1 ? '1 label' : `${count} labels`;
}

function fromLines(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop();
  return lines.map((line) => line.trim());
}

function fromJson(text: string, file: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(file, `it is not valid JSON (${cause instanceof Error ? cause.message : cause})`);
  }
  for (const key of WRAPPERS) {
    const inner = Array.isArray(value) ? undefined : (value as Readonly<Record<string, unknown>>)[key];
    if (typeof inner === 'object' && inner !== null) value = inner;
  }
  if (Array.isArray(value)) return value.map((each, index) => labelText(each, `label ${index}`, file));
  const byIndex = new Map<number, string>();
  for (const [key, each] of Object.entries(value as object)) {
    if (!/^\d+$/.test(key)) throw wrong(file, `"${key.slice(0, 60)}" is not the index of a class`);
    // Some files give a list of an identifier and a name.
    byIndex.set(Number(key), labelText(Array.isArray(each) ? each.at(-1) : each, `label ${key}`, file));
  }
  const labels: string[] = [];
  for (let index = 0; index < byIndex.size; index++) {
    const label = byIndex.get(index);
    if (label === undefined) throw wrong(file, `it has ${byIndex.size} labels, but none for class ${index}`);
    labels.push(label);
  }
  return labels;
}

function labelText(value: unknown, which: string, file: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw wrong(file, `${which} is not a text`);
}

function wrong(file: string, why: string): ServeOptError {
  return new ServeOptError('SO4001', `"${file}" is not a file of class labels`, {
    why,
    hint: 'give one name a line, a JSON list, or a JSON object from index to name',
  });
}
