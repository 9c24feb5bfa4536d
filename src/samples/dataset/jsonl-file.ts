import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { ValueSpec } from '../types.js';
import { type NestedValues, nestedValues, textType } from './nested-values.js';
import type { Shard, ShardList } from './shard.js';
import { memoryArray, type ReadLimits, type SourceArray, tooLarge } from './source-array.js';
import { textLines } from './text-lines.js';

type Row = ReadonlyMap<string, NestedValues>;

/**
 * Samples of a JSON Lines file: one object a line, input name → number, string or nested arrays, with or without the
 * batch axis; or bare arrays, for a model with one input or of token numbers. Rows of equal shape become one block; others stay apart and are read one at a time.
 * @param only the input that a bare array is for
 * @throws SO4001 for a line that is no such object; SO2104 beyond the limits.
 */
export function readJsonLines(
  path: string,
  inputs: readonly ValueSpec[],
  only: string | undefined,
  limits: ReadLimits,
): ShardList {
  const file = basename(path);
  const rows: Row[] = [];
  const lineNumbers: number[] = [];
  let bytes = 0;
  for (const { text, number } of textLines(path)) {
    const row = parseRow(text, `${file}, line ${number}`, only);
    for (const { data } of row.values()) bytes += data.length * 8;
    if (bytes > limits.maximumBytes) throw tooLarge(file, bytes, limits);
    rows.push(row);
    lineNumbers.push(number);
  }
  const stacked = stackRows(file, rows, inputs);
  const shards = stacked ? [stacked] : rows.map((row, i) => rowShard(`${file}, line ${lineNumbers[i]}`, row));
  return { shards, warnings: [] };
}

/** @param only the input that a bare array is for */
function parseRow(text: string, label: string, only: string | undefined): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ServeOptError('SO4001', `${label}, is not JSON`, { why: (cause as Error).message.slice(0, 200), cause });
  }
  if (Array.isArray(value) && only !== undefined) value = { [only]: value };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ServeOptError('SO4001', `${label}, is not a JSON object`, {
      hint: 'write one object per line: {"input name": [values], "label": 0}',
    });
  const row = new Map<string, NestedValues>();
  for (const [name, element] of Object.entries(value)) {
    const values = nestedValues(element);
    if (typeof values === 'string')
      throw new ServeOptError('SO4001', `${label}: "${name}" is not an array`, { why: values });
    row.set(name, values);
  }
  return row;
}

function rowShard(label: string, row: Row): Shard {
  const arrays = [...row].map(([name, { dims, data }]) =>
    memoryArray({ name, label: `${label}: ${name}`, dims, data, ...textType(data) }),
  );
  return { label, arrays, single: true };
}

/** All rows as one block, or undefined when they differ in names or shapes or hold their own batch axis in the middle. */
function stackRows(file: string, rows: readonly Row[], inputs: readonly ValueSpec[]): Shard | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const ranks = new Map(inputs.map((spec) => [spec.name, spec.shape?.length]));
  const arrays: SourceArray[] = [];
  for (const [name, { dims, data }] of first) {
    const rank = ranks.get(name);
    // A row may carry the batch axis that the model has; it is taken off before the rows are stacked.
    const batched = rank !== undefined && rank > 0 && dims.length === rank;
    if (batched && dims[0] !== 1) return undefined;
    const sampleDims = batched ? dims.slice(1) : dims;
    const values: NestedValues[] = [];
    for (const row of rows) {
      const other = row.get(name);
      if (row.size !== first.size || !other || other.dims.join() !== dims.join()) return undefined;
      if (Array.isArray(other.data) !== Array.isArray(data)) return undefined;
      values.push(other);
    }
    const shared = rank === 0 && values.every((v) => v.data[0] === data[0]);
    const all = shared ? data : joined(values);
    const label = `${file}: ${name}`;
    const stackedDims = shared ? dims : [rows.length, ...sampleDims];
    arrays.push(memoryArray({ name, label, dims: stackedDims, data: all, ...textType(all) }));
  }
  return { label: file, arrays };
}

function joined(values: readonly NestedValues[]): Float64Array | readonly string[] {
  const [first] = values;
  if (!first || Array.isArray(first.data)) return values.flatMap(({ data }) => data as readonly string[]);
  const each = first.data.length;
  const all = new Float64Array(each * values.length);
  for (const [i, { data }] of values.entries()) all.set(data as Float64Array, i * each);
  return all;
}
