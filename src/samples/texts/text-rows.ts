import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { isJsonObject } from '../../json-object.js';
import { type ClassLabels, classLabels, readDistinctNames } from '../dataset/class-labels.js';
import { readColumns } from '../dataset/csv-file.js';
import type { DataKind } from '../dataset/data-kind.js';
import { type ReadLimits, tooLarge } from '../dataset/source-array.js';
import { textLines } from '../dataset/text-lines.js';

/** Columns and keys that hold a text, and those of the second text of a pair. */
const TEXT_NAMES = ['text', 'sentence', 'sentence1', 'premise', 'question', 'query', 'content', 'review'];
const PAIR_NAMES = ['text_pair', 'sentence2', 'hypothesis', 'context', 'passage', 'answer'];
const LABEL_NAMES = ['label', 'labels', 'class'];

/** Texts of a data set. */
export interface TextRows {
  readonly texts: readonly string[];
  /** The second text of each; undefined where there is none. */
  readonly pairs: readonly string[] | undefined;
  readonly labels: ClassLabels | undefined;
}

/**
 * Texts of a .txt file (one a line, blank lines being empty texts but at the end), or of a .jsonl or .csv file that has them under a
 * usual name (`text`, `sentence`, …), with a second text (`text_pair`, …) and labels where they are; undefined where no name is known.
 * @param labelsPath names of classes, one a line or JSON
 * @throws SO4001 for a line without its text; SO2104 beyond the limits
 */
export async function readTexts(
  path: string,
  kind: DataKind,
  labelsPath: string | undefined,
  limits: ReadLimits,
): Promise<TextRows | undefined> {
  const names = labelsPath === undefined ? undefined : readDistinctNames(labelsPath);
  const numbered = (labels: readonly string[] | undefined): ClassLabels | undefined =>
    labels && classLabels(labels, 'label', names);
  if (kind === 'text') return { texts: plainLines(path, limits), pairs: undefined, labels: undefined };
  if (kind === 'csv') {
    const { header, columns } = await readColumns(path, basename(path), limits);
    const of = (list: readonly string[]): readonly string[] | undefined =>
      columns[header.findIndex((name) => list.includes(name.toLowerCase()))];
    const texts = of(TEXT_NAMES);
    return texts && { texts, pairs: of(PAIR_NAMES), labels: numbered(of(LABEL_NAMES)?.map((text) => text.trim())) };
  }
  return kind === 'jsonl' ? jsonRows(path, numbered, limits) : undefined;
}

function plainLines(path: string, limits: ReadLimits): string[] {
  const texts: string[] = [];
  let bytes = 0;
  for (const { text, number } of textLines(path)) {
    // Blank lines are left out by the reader of lines, and count as texts here.
    while (texts.length < number - 1) texts.push('');
    texts.push(text.replace(/\r$/, ''));
    bytes += 2 * text.length + 16;
    if (bytes > limits.maximumBytes) throw tooLarge(basename(path), bytes, limits);
  }
  return texts;
}

function jsonRows(
  path: string,
  numbered: (labels: readonly string[] | undefined) => ClassLabels | undefined,
  limits: ReadLimits,
): TextRows | undefined {
  const file = basename(path);
  const texts: string[] = [];
  const pairs: string[] = [];
  const labels: string[] = [];
  let bytes = 0;
  for (const { text: line, number } of textLines(path)) {
    const value = parsed(line, `${file}, line ${number}`);
    const text = typeof value === 'string' ? value : stringAt(value, TEXT_NAMES);
    if (text === undefined) {
      if (texts.length === 0) return undefined;
      throw new ServeOptError('SO4001', `${file}, line ${number}, has no text`, {
        why: `a text stands under one of ${TEXT_NAMES.join(', ')}`,
      });
    }
    texts.push(text);
    const pair = stringAt(value, PAIR_NAMES);
    if (pair !== undefined) pairs.push(pair);
    const label = labelAt(value);
    if (label !== undefined) labels.push(label);
    bytes += 2 * line.length + 16;
    if (bytes > limits.maximumBytes) throw tooLarge(file, bytes, limits);
  }
  for (const [what, list] of [
    ['a second text', pairs],
    ['a label', labels],
  ] as const) {
    if (list.length > 0 && list.length < texts.length)
      throw new ServeOptError(
        what === 'a label' ? 'SO4005' : 'SO4001',
        `${list.length} of ${texts.length} lines of "${file}" have ${what}`,
      );
  }
  return {
    texts,
    pairs: pairs.length === 0 ? undefined : pairs,
    labels: labels.length === 0 ? undefined : numbered(labels),
  };
}

function parsed(line: string, label: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new ServeOptError('SO4001', `${label}, is not JSON`, { why: (cause as Error).message.slice(0, 200), cause });
  }
}

function stringAt(value: unknown, names: readonly string[]): string | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const name of names) if (typeof value[name] === 'string') return value[name];
  return undefined;
}

function labelAt(value: unknown): string | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const name of LABEL_NAMES) {
    const label = value[name];
    if (typeof label === 'string' || typeof label === 'number') return String(label);
  }
  return undefined;
}
