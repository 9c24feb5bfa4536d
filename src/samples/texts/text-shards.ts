import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { DataReading } from '../data-reading.js';
import type { DataKind } from '../dataset/data-kind.js';
import type { ShardList } from '../dataset/shard.js';
import { type ReadLimits, tooLarge } from '../dataset/source-array.js';
import type { TokenInputs } from '../tokens/token-roles.js';
import { type TokenRow, tokenShards } from '../tokens/token-rows.js';
import { cutRows, windowNotes } from '../tokens/token-windows.js';
import { readTexts } from './text-rows.js';
import { TextTokenizer } from './tokenizer.js';

/** Where neither the model, the tokenizer nor the user gives a length. */
const DEFAULT_LENGTH = 512;

/**
 * Texts of a file as arrays of token numbers, masks and types; undefined for data that has no texts. Long texts are cut, those of
 * decoders without labels to windows that follow each other.
 * @throws as `TextTokenizer.load`, `readTexts` and `tokenShards`
 */
export async function textShards(
  path: string,
  kind: DataKind,
  tokens: TokenInputs,
  reading: DataReading & { readonly tokenizerPath: string; readonly windowLength: number | undefined },
  limits: ReadLimits,
): Promise<ShardList | undefined> {
  const found = await readTexts(path, kind, reading.labelsPath, limits);
  if (!found) return undefined;
  const file = basename(path);
  if (found.texts.length === 0) throw new ServeOptError('SO4004', `"${file}" has no texts`);
  const tokenizer = await TextTokenizer.load(reading.tokenizerPath);
  const maxLength = mostTokens(tokens, tokenizer, reading);
  const isCut = reading.windowLength !== undefined && !found.labels;
  const rows: TokenRow[] = [];
  let bytes = 0;
  for (const [at, text] of found.texts.entries()) {
    const row = tokenizer.encode(text, found.pairs?.[at], isCut ? Number.POSITIVE_INFINITY : maxLength);
    if (row.ids.length === 0)
      throw new ServeOptError('SO4001', `Text ${at} of "${file}" has no tokens`, {
        why:
          text === '' ? 'it is empty, and the tokenizer adds no special token' : 'the tokenizer leaves nothing of it',
        hint: 'take it out',
      });
    rows.push(row);
    bytes += row.ids.length * 16;
    if (bytes > limits.maximumBytes) throw tooLarge(file, bytes, limits);
  }
  const padding = { ...tokenizer.padding, ...padOf(tokenizer, reading) };
  const windows = isCut ? cutRows(rows, maxLength) : rows;
  const { shards, warnings } = tokenShards({ label: file, rows: windows, labels: found.labels, padding }, tokens);
  return { shards, warnings: [...warnings, ...(isCut ? windowNotes(file, rows, windows, maxLength) : [])] };
}

/** Tokens after which a text is cut, or that a window has. */
function mostTokens(
  { ids }: TokenInputs,
  tokenizer: TextTokenizer,
  { maxLength, windowLength }: DataReading & { readonly windowLength: number | undefined },
): number {
  if (windowLength !== undefined) return Math.min(windowLength, maxLength ?? tokenizer.maxLength ?? windowLength);
  const fixed = ids.shape?.[1];
  if (typeof fixed === 'number' && fixed > 0) return Math.min(fixed, maxLength ?? fixed);
  return maxLength ?? tokenizer.maxLength ?? DEFAULT_LENGTH;
}

/** The padding of the configuration, where the tokenizer says nothing of it. */
function padOf({ padsByFile }: TextTokenizer, { decoder }: DataReading): { readonly id?: number } {
  return padsByFile || decoder?.padId === undefined ? {} : { id: decoder.padId };
}
