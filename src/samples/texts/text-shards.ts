import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { DataReading } from '../data-reading.js';
import type { DataKind } from '../dataset/data-kind.js';
import type { ShardList } from '../dataset/shard.js';
import { type ReadLimits, tooLarge } from '../dataset/source-array.js';
import type { TokenInputs } from '../tokens/token-roles.js';
import { type TokenRow, tokenShards } from '../tokens/token-rows.js';
import { readTexts } from './text-rows.js';
import { TextTokenizer } from './tokenizer.js';

/** Where neither the model, the tokenizer nor the user gives a length. */
const DEFAULT_LENGTH = 512;

/**
 * Texts of a file as arrays of token numbers, masks and types; undefined for data that has no texts.
 * @throws as `TextTokenizer.load`, `readTexts` and `tokenShards`
 */
export async function textShards(
  path: string,
  kind: DataKind,
  tokens: TokenInputs,
  reading: DataReading & { readonly tokenizerPath: string },
  limits: ReadLimits,
): Promise<ShardList | undefined> {
  const found = await readTexts(path, kind, reading.labelsPath, limits);
  if (!found) return undefined;
  const file = basename(path);
  if (found.texts.length === 0) throw new ServeOptError('SO4004', `"${file}" has no texts`);
  const tokenizer = await TextTokenizer.load(reading.tokenizerPath);
  const fixed = tokens.ids.shape?.[1];
  const given = reading.maxLength ?? tokenizer.maxLength ?? DEFAULT_LENGTH;
  const maxLength = typeof fixed === 'number' && fixed > 0 ? Math.min(fixed, reading.maxLength ?? fixed) : given;
  const rows: TokenRow[] = [];
  let bytes = 0;
  for (const [at, text] of found.texts.entries()) {
    const row = tokenizer.encode(text, found.pairs?.[at], maxLength);
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
  const { padding } = tokenizer;
  return tokenShards({ label: file, rows, labels: found.labels, padding }, tokens);
}
