import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { suggest } from '../../suggest.js';
import { DataType, isFloat } from '../../tensor/dtype.js';
import type { HostTensor } from '../types.js';
import { readClassNames } from './class-names.js';

/** Classes that a note lists. */
const SHOWN = 5;

/** Labels [N], and what was made of them, one sentence each. */
export interface ClassLabels {
  readonly labels: HostTensor;
  readonly notes: readonly string[];
}

/** Names of classes of a file, which samples are to have: each once. @throws as `readClassNames`, SO4005 for a name given twice */
export function readDistinctNames(path: string): readonly string[] {
  const names = readClassNames(path);
  const seen = new Set<string>();
  for (const name of names) {
    if (name !== '' && seen.has(name))
      throw new ServeOptError('SO4005', `"${basename(path)}" has the class "${name}" twice`);
    seen.add(name);
  }
  return names;
}

/**
 * Numbers of classes from their names: those of a list, whole numbers as they are, or else the place of the name among all names
 * in order.
 * @param what what the names are, for messages: `sub-folder`, `label`
 * @throws SO4005 for a name that the list does not have
 */
export function classLabels(texts: readonly string[], what: string, names?: readonly string[]): ClassLabels {
  const different = [...new Set(texts)].sort((a, b) => (a < b ? -1 : 1));
  const isNumbers = different.every((text) => /^-?\d{1,9}$/.test(text));
  const numbers = new Map<string, number>();
  for (const [at, text] of different.entries()) {
    const found = names?.indexOf(text) ?? -1;
    if (found >= 0) numbers.set(text, found);
    else if (isNumbers) numbers.set(text, Number(text));
    else if (!names) numbers.set(text, at);
    else {
      const guess = suggest(text, names);
      throw new ServeOptError('SO4005', `The ${what} "${text}" is not among the ${names.length} names of classes`, {
        hint: guess === undefined ? 'give one name a line, in the order of the classes' : `did you mean "${guess}"?`,
      });
    }
  }
  const data = Int32Array.from(texts, (text) => numbers.get(text) as number);
  const notes: string[] = [];
  if (!names && !isNumbers) {
    const shown = different.slice(0, SHOWN).map((text, at) => `${at} ${text}`);
    const more = different.length > SHOWN ? ` … ${different.length - 1} ${different.at(-1)}` : '';
    notes.push(`classes are numbered by the names of ${what}s in order: ${shown.join(', ')}${more}`);
  }
  return { labels: { dataType: DataType.INT32, dims: [texts.length], data }, notes };
}

/** The class that all of two or more samples have, which leaves all others unjudged; undefined where they differ. */
export function onlyClass(labels: HostTensor | undefined): string | undefined {
  if (!labels || isFloat(labels.dataType)) return undefined;
  const { data, dims } = labels;
  const [first] = data;
  // Of several labels a sample, equal ones are padding.
  if (first === undefined || data.length < 2 || data.length !== dims[0]) return undefined;
  for (let at = 1; at < data.length; at++) if (data[at] !== first) return undefined;
  return String(first);
}
