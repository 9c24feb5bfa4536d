import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { CsvError, parse } from 'csv-parse';
import { fileError, isSystemError } from '../../codec/system-error.js';
import { ServeOptError } from '../../errors.js';
import { DataType } from '../../tensor/dtype.js';
import type { HostData, ValueSpec } from '../types.js';
import { fileRange } from './byte-range.js';
import { LABEL_NAMES } from './labels.js';
import { textType } from './nested-values.js';
import type { ShardList } from './shard.js';
import { memoryArray, type ReadLimits, type SourceArray, tooLarge } from './source-array.js';

const MAXIMUM_RECORD_BYTES = 16 * 1024 * 1024;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const SPECIAL = new Map([
  ['true', 1],
  ['false', 0],
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
]);

/** The number that a cell holds, or undefined. */
function cellNumber(cell: string): number | undefined {
  const text = cell.trim();
  return NUMBER.test(text) ? Number(text) : SPECIAL.get(text.toLowerCase());
}

/**
 * Samples of a CSV file whose first row names the columns: a column for each model input, or, for a model with one
 * numeric input, all numeric columns side by side as its features.
 * @throws SO4001 for damaged CSV or a cell that is no number where one is needed; SO2104 beyond the limits.
 */
export async function readCsv(
  path: string,
  inputs: readonly ValueSpec[],
  labelName: string | undefined,
  limits: ReadLimits,
): Promise<ShardList> {
  const file = basename(path);
  const { header, columns } = await readColumns(path, file, limits);
  const labels = header.find((name) => (labelName === undefined ? isLabel(name, inputs) : name === labelName));
  const arrays: SourceArray[] = [];
  const rows = columns[0]?.length ?? 0;
  const [only] = inputs;
  const byColumn = inputs.some((spec) => header.includes(spec.name)) || inputs.length !== 1 || !only;
  const features: number[] = [];
  for (const [i, name] of header.entries()) {
    const spec = inputs.find((input) => input.name === name);
    if (!spec && name !== labels) {
      if (!byColumn) features.push(i);
      else arrays.push(column(file, name, columns[i] as string[], 'either'));
      continue;
    }
    const wanted = name === labels ? 'either' : spec?.dataType === DataType.STRING ? 'text' : 'numbers';
    arrays.push(column(file, name, columns[i] as string[], wanted));
  }
  if (!byColumn) arrays.unshift(featureArray(file, only, header, columns, features, rows));
  return { shards: [{ label: file, arrays }], warnings: [] };
}

function isLabel(name: string, inputs: readonly ValueSpec[]): boolean {
  return LABEL_NAMES.some((label) => label === name) && !inputs.some((spec) => spec.name === name);
}

/** The cells of a CSV file by columns, the first row being their names. Errors as `readCsv`. */
export async function readColumns(
  path: string,
  file: string,
  limits: ReadLimits,
): Promise<{ header: string[]; columns: string[][] }> {
  // Opened once before streaming, so that a missing file or a folder is told as such.
  fileRange(path, file);
  const parser = parse({ bom: true, skip_empty_lines: true, max_record_size: MAXIMUM_RECORD_BYTES });
  const source = createReadStream(path);
  source.on('error', (error) => parser.destroy(error));
  let header: string[] | undefined;
  let columns: string[][] = [];
  let bytes = 0;
  try {
    for await (const record of source.pipe(parser) as AsyncIterable<string[]>) {
      if (!header) {
        header = record.map((name) => name.trim());
        columns = header.map(() => []);
        continue;
      }
      for (const [i, cell] of record.entries()) {
        columns[i]?.push(cell);
        bytes += 16 + cell.length;
      }
      if (bytes > limits.maximumBytes) throw tooLarge(file, bytes, limits);
    }
  } catch (cause) {
    if (cause instanceof ServeOptError) throw cause;
    if (isSystemError(cause)) throw fileError(path, cause);
    const why = cause instanceof CsvError ? cause.message : String(cause);
    throw new ServeOptError('SO4001', `"${file}" is not a readable CSV file`, { why, cause });
  } finally {
    source.destroy();
  }
  if (!header) throw new ServeOptError('SO4004', `"${file}" is empty`);
  const repeated = header.find((name, i) => header.indexOf(name) !== i);
  if (repeated !== undefined)
    throw new ServeOptError('SO4001', `"${file}" has two columns named "${repeated}"`, {
      hint: 'the first row must give each column a unique name',
    });
  return { header, columns };
}

/** One column as an array of N elements. `either`: numbers when every cell is one. */
function column(
  file: string,
  name: string,
  cells: readonly string[],
  wanted: 'numbers' | 'text' | 'either',
): SourceArray {
  let data: HostData = cells;
  if (wanted === 'numbers' || (wanted === 'either' && cells.every((cell) => cellNumber(cell) !== undefined))) {
    const numbers = new Float64Array(cells.length);
    for (const [i, cell] of cells.entries()) numbers[i] = neededNumber(cell, file, name, i);
    data = numbers;
  }
  return memoryArray({ name, label: `${file}: ${name}`, dims: [cells.length], data, ...textType(data) });
}

function neededNumber(cell: string, file: string, name: string, row: number): number {
  const value = cellNumber(cell);
  if (value === undefined)
    throw new ServeOptError('SO4001', `"${file}", sample ${row}, column "${name}", has "${cell.slice(0, 40)}"`, {
      why: cell.trim() === '' ? 'the cell is empty, but the model expects a number' : 'the model expects a number',
    });
  return value;
}

/** Columns side by side as one array of N rows. */
function featureArray(
  file: string,
  spec: ValueSpec,
  header: readonly string[],
  columns: readonly (readonly string[])[],
  features: readonly number[],
  rows: number,
): SourceArray {
  const data = new Float64Array(rows * features.length);
  for (const [f, index] of features.entries()) {
    for (const [row, cell] of (columns[index] ?? []).entries())
      data[row * features.length + f] = neededNumber(cell, file, header[index] ?? '', row);
  }
  const label = `${file}: ${features.length} columns`;
  return memoryArray({ name: spec.name, label, dims: [rows, features.length], data, ...textType(data) });
}
