import { ServeOptError } from '../../errors.js';
import type { ClassLabels } from '../dataset/class-labels.js';
import { textType } from '../dataset/nested-values.js';
import type { Shard, ShardList } from '../dataset/shard.js';
import { memoryArray, type SourceArray } from '../dataset/source-array.js';
import type { TokenRole } from './token-role.js';
import type { TokenInputs } from './token-roles.js';

/** Token numbers of one sample. */
export interface TokenRow {
  readonly ids: readonly number[];
  /** Which of two texts each token is of; all 0 where absent. */
  readonly types?: readonly number[];
}

/** What shorter rows are filled up with. */
export interface TokenPadding {
  readonly id: number;
  readonly type: number;
  readonly side: 'left' | 'right';
}

export const ZERO_PADDING: TokenPadding = { id: 0, type: 0, side: 'right' };

/** Rows as a data set. */
export interface TokenRows {
  /** How messages call where they come from. */
  readonly label: string;
  readonly rows: readonly TokenRow[];
  readonly labels?: ClassLabels | undefined;
  readonly padding?: TokenPadding | undefined;
}

/**
 * Rows of token numbers as arrays of the model's inputs. All become as long as the input where that is fixed, or as the longest where
 * the model has a mask; those of a decoder keep their lengths, and run one by one where they differ.
 * @throws SO4002 for a row that is longer than a fixed input, or rows that differ where there is no mask
 */
export function tokenShards(
  { label, rows, labels, padding = ZERO_PADDING }: TokenRows,
  tokens: TokenInputs,
): ShardList {
  const names = namesByRole(tokens);
  const wanted = tokens.ids.shape?.[1];
  const fixed = typeof wanted === 'number' && wanted > 0 ? wanted : undefined;
  const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const same = rows.every(({ ids }) => ids.length === longest);
  if (fixed !== undefined && longest > fixed) {
    const at = rows.findIndex(({ ids }) => ids.length > fixed);
    throw new ServeOptError(
      'SO4002',
      `Sample ${at} has ${rows[at]?.ids.length} tokens, the input "${tokens.ids.name}" takes ${fixed}`,
      {
        hint: `cut texts with --max-length ${fixed}`,
      },
    );
  }
  const notes = [...(labels?.notes ?? [])];
  if (fixed !== undefined || same || (names.has('mask') && !tokens.isDecoder)) {
    const all = rowArrays(label, rows, fixed ?? longest, names, padding);
    return {
      shards: [{ label, arrays: all, ...(labels ? { labels: labelArray(label, labels) } : {}) }],
      warnings: notes,
    };
  }
  const shards = rows.map((row, at): Shard => {
    const arrays = rowArrays(`${label}, sample ${at}`, [row], row.ids.length, names, padding);
    return {
      label: `${label}, sample ${at}`,
      arrays,
      single: true,
      ...(labels ? { labels: labelArray(label, labels, at) } : {}),
    };
  });
  return { shards, warnings: notes };
}

function namesByRole({ roles }: TokenInputs): ReadonlyMap<TokenRole, string> {
  return new Map([...roles].map(([name, role]) => [role, name]));
}

function rowArrays(
  label: string,
  rows: readonly TokenRow[],
  length: number,
  names: ReadonlyMap<TokenRole, string>,
  padding: TokenPadding,
): SourceArray[] {
  const arrays: SourceArray[] = [];
  const add = (role: TokenRole, fill: number, of: (row: TokenRow) => readonly number[]): void => {
    const name = names.get(role);
    if (name === undefined) return;
    const data = new Float64Array(rows.length * length).fill(fill);
    for (const [at, row] of rows.entries()) {
      const values = of(row);
      data.set(values, at * length + (padding.side === 'left' ? length - values.length : 0));
    }
    arrays.push(
      memoryArray({ name, label: `${label}: ${name}`, dims: [rows.length, length], data, ...textType(data) }),
    );
  };
  add('ids', padding.id, ({ ids }) => ids);
  add('mask', 0, ({ ids }) => ids.map(() => 1));
  add('types', padding.type, ({ ids, types }) => types ?? ids.map(() => 0));
  return arrays;
}

function labelArray(label: string, { labels }: ClassLabels, at?: number): SourceArray {
  const whole = Float64Array.from(labels.data as ArrayLike<number>);
  const data = at === undefined ? whole : whole.subarray(at, at + 1);
  return memoryArray({ name: 'labels', label: `${label}: labels`, dims: [data.length], data, ...textType(data) });
}
