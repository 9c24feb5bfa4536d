import { elementCount } from '../../tensor/tensor.js';
import { LABEL_NAMES } from '../dataset/labels.js';
import type { Shard, ShardList } from '../dataset/shard.js';
import { type ReadLimits, type SourceArray, tooLarge } from '../dataset/source-array.js';
import type { ValueSpec } from '../types.js';
import type { DecoderConfig } from './decoder-config.js';
import type { TokenRole } from './token-role.js';
import type { TokenInputs } from './token-roles.js';
import { type TokenRow, tokenShards } from './token-rows.js';

/** Where nothing tells how many positions a model has. */
const DEFAULT_WINDOW = 512;
/** Of models that take more positions: scores of all tokens for each position take gigabytes. */
const MOST_WINDOW = 2048;

/**
 * Most tokens that a decoder is fed at once: the fixed length of its input; else what the user says; else how many positions it has,
 * at most 2,048; else 512. The positions are those of the configuration, or of the table that the graph looks them up in.
 */
export function windowLength(
  { ids, roles }: TokenInputs,
  inputs: readonly ValueSpec[],
  { maxLength, decoder }: { readonly maxLength?: number; readonly decoder?: DecoderConfig },
): number {
  const fixed = ids.shape?.[1];
  const table = inputs.find(({ name }) => roles.get(name) === 'positions')?.exclusiveUpper;
  const positions = Math.min(decoder?.contextLength ?? Infinity, table ?? Infinity);
  const most = typeof fixed === 'number' && fixed > 0 ? fixed : positions;
  const usual = most === Infinity ? DEFAULT_WINDOW : most === fixed ? fixed : Math.min(most, MOST_WINDOW);
  return Math.min(most, maxLength ?? usual);
}

/** Rows cut to windows that follow each other without a gap. A last token that would be alone predicts nothing, and goes. */
export function cutRows(rows: readonly TokenRow[], length: number): TokenRow[] {
  return rows.flatMap((row) => {
    if (row.ids.length <= length) return [row];
    const pieces: TokenRow[] = [];
    for (let at = 0; at < row.ids.length; at += length) {
      const ids = row.ids.slice(at, at + length);
      if (ids.length > 1 || length === 1)
        pieces.push(row.types ? { ids, types: row.types.slice(at, at + length) } : { ids });
    }
    return pieces;
  });
}

/** A sentence on rows that were cut; nothing where none was. */
export function windowNotes(
  label: string,
  rows: readonly TokenRow[],
  windows: readonly TokenRow[],
  length: number,
): string[] {
  const cut = rows.filter(({ ids }) => ids.length > length).length;
  if (cut === 0) return [];
  const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  return [
    `${label}: ${cut} of ${rows.length} ${rows.length === 1 ? 'sample' : 'samples'} with up to ${longest} tokens ` +
      `${cut === 1 ? 'is' : 'are'} cut to windows of ${length} tokens, which makes ${windows.length} samples`,
  ];
}

/**
 * Arrays of token numbers of a decoder as windows of at most `length` tokens: a stream of one axis, and rows that are longer. Tokens
 * that a mask of the data hides are left out of rows that are cut. Data with labels, or with more than token numbers and what
 * follows from them, stays as it is.
 * @param label how messages call the data @throws SO2104 beyond the limits
 */
export function tokenWindows(
  label: string,
  list: ShardList,
  tokens: TokenInputs,
  length: number,
  limits: ReadLimits,
): ShardList {
  const { shards } = list;
  if (!tokens.isDecoder || !shards.some((shard) => isTooLong(shard, tokens, length))) return list;
  if (!shards.every((shard) => isCuttable(shard, tokens))) return list;
  const rows: TokenRow[] = [];
  let bytes = 0;
  for (const shard of shards) {
    bytes += 16 * elementCount(idsOf(shard, tokens)?.dims ?? []);
    if (bytes > limits.maximumBytes) throw tooLarge(label, bytes, limits);
    rows.push(...shardRows(shard, tokens));
  }
  const windows = cutRows(rows, length);
  const padding = { id: 0, type: 0, side: 'right' } as const;
  const made = tokenShards({ label, rows: windows, padding }, tokens);
  return { shards: made.shards, warnings: [...list.warnings, ...windowNotes(label, rows, windows, length)] };
}

function idsOf({ arrays }: Shard, { ids }: TokenInputs): SourceArray | undefined {
  return arrays.find(({ name }) => name === ids.name);
}

function isTooLong(shard: Shard, tokens: TokenInputs, length: number): boolean {
  const dims = idsOf(shard, tokens)?.dims;
  if (!dims || dims.length === 0 || dims.length > 2) return false;
  const isStream = dims.length === 1 && shard.single !== true && (dims[0] ?? 0) > 1;
  return isStream || (dims.at(-1) ?? 0) > length;
}

/** What can be cut, or follows from the token numbers once they are. */
const CUT_ROLES: ReadonlySet<TokenRole | undefined> = new Set(['ids', 'mask', 'types', 'positions']);

function isCuttable(shard: Shard, tokens: TokenInputs): boolean {
  const ids = idsOf(shard, tokens);
  if (!ids || shard.labels || shard.oneSample || Array.isArray(ids.read(0, 0))) return false;
  if (ids.dims.length === 0 || ids.dims.length > 2) return false;
  return shard.arrays.every(({ name, dims }) => {
    if (LABEL_NAMES.some((label) => label === name)) return false;
    const role = tokens.roles.get(name);
    return role === undefined ? true : CUT_ROLES.has(role) && dims.join() === ids.dims.join();
  });
}

/** Rows of a shard, without what its mask hides. */
function shardRows(shard: Shard, tokens: TokenInputs): TokenRow[] {
  const ids = idsOf(shard, tokens) as SourceArray;
  const length = ids.dims.at(-1) as number;
  const count = ids.dims.length === 1 ? 1 : (ids.dims[0] as number);
  const of = (role: TokenRole) => shard.arrays.find(({ name }) => tokens.roles.get(name) === role);
  const [mask, types] = [of('mask'), of('types')];
  const values = (array: SourceArray, row: number): number[] =>
    Array.from(array.read(row * length, length) as ArrayLike<number | bigint>, Number);
  return Array.from({ length: count }, (_, row) => {
    const shown = mask ? values(mask, row) : undefined;
    const kept = (list: number[]): number[] => (shown ? list.filter((_, at) => shown[at] !== 0) : list);
    const token = kept(values(ids, row));
    return types ? { ids: token, types: kept(values(types, row)) } : { ids: token };
  });
}
