/** Sums of rows looked up in tables: the input of a text encoder. */
import type { Node } from '../../../ir/node.js';
import type { Dim, Shape } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { minDims } from '../../../ops/dim.js';
import { computedBytes } from '../../../tensor/computed-bytes.js';
import { DataType } from '../../../tensor/dtype.js';
import { bytesOf, Tensor } from '../../../tensor/tensor.js';
import { ascendingFrom } from '../../ascending.js';
import { readList } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer } from '../../nodes.js';
import { dataTypeOf, frontAxis, sameDim, shapeOf } from '../../types.js';

/** Rows of a table by ids of shape [batch, sequence]. */
export interface Lookup {
  readonly table: Value;
  readonly ids: Value;
}

/** One row for each position. */
export interface Positions {
  /** Which row; undefined where it is row i for position i. Shape [batch or 1, sequence]. */
  readonly ids: Value | undefined;
  /** The table, where it is there as it is to be used. */
  readonly table: Value | undefined;
  /** The table, where it is to be made. */
  readonly made: Tensor | undefined;
}

export interface EmbeddingSum {
  readonly word: Lookup;
  readonly segment: Lookup | undefined;
  readonly positions: Positions;
  /** Elements of a row. */
  readonly features: number;
  /** The Add nodes, the last one first. */
  readonly adds: readonly Node[];
}

/** More than this many terms are no embedding. */
const MOST_TERMS = 4;

/** What `sum` adds up, when it is a word, a position and perhaps a segment; undefined when it is anything else. */
export function embeddingSum(sum: Value, context: RewriteContext): EmbeddingSum | undefined {
  const shape = shapeOf(sum);
  const features = shape?.[2];
  if (shape?.length !== 3 || typeof features !== 'number' || dataTypeOf(sum) !== DataType.FLOAT) return undefined;
  const adds: Node[] = [];
  const terms = termsOf(sum, undefined, adds);
  if (adds.length === 0 || terms.length > MOST_TERMS) return undefined;
  const lookups: Lookup[] = [];
  const positions: Table[] = [];
  const rows: Tensor[] = [];
  for (const term of terms) {
    const row = constantRow(term, features, context);
    const table = row ? undefined : countedTable(term, shape, context);
    const lookup = row || table ? undefined : lookupOf(term, features);
    if (row) rows.push(row);
    else if (table) positions.push(table);
    else if (lookup) lookups.push(lookup);
    else return undefined;
  }
  const counted = positions.shift();
  if (positions.length > 0) return undefined;
  const inPlace = lookups.filter(({ ids }) => hasShape(ids, shape));
  const [word] = inPlace;
  const others = lookups.filter((lookup) => lookup !== word);
  const given = counted ? undefined : (others.find(({ ids }) => isOneRow(ids, shape)) ?? others.at(-1));
  const [segment, more] = others.filter((lookup) => lookup !== given);
  if (!word || (!counted && !given) || more || (segment && !inPlace.includes(segment))) return undefined;
  if (given && !inPlace.includes(given) && !isOneRow(given.ids, shape)) return undefined;
  const position = counted ? ownTable(counted, rows, context) : givenTable(given as Lookup, rows, context);
  return position && { word, segment, positions: position, features, adds };
}

/** The terms of a sum; `adds` gets the nodes. Of what is read elsewhere as well only the whole is taken apart. */
function termsOf(value: Value, reader: Node | undefined, adds: Node[]): Value[] {
  const node = value.producer;
  if (!node?.is('Add') || (reader && onlyConsumer(value) !== reader)) return [value];
  adds.push(node);
  return node.inputs.flatMap((input) => (input ? termsOf(input, node, adds) : []));
}

function constantRow(term: Value, features: number, context: RewriteContext): Tensor | undefined {
  const tensor = context.constant(term);
  return tensor?.size === features && tensor.dims.at(-1) === features && tensor.rank <= 3 ? tensor : undefined;
}

function lookupOf(term: Value, features: number): Lookup | undefined {
  const node = term.producer;
  const [table, ids] = node?.inputs ?? [];
  if (!node?.is('Gather') || !table || !ids || node.int('axis', 0) !== 0) return undefined;
  const isTable = shapeOf(table)?.length === 2 && shapeOf(table)?.[1] === features;
  return isTable && dataTypeOf(table) === DataType.FLOAT ? { table, ids } : undefined;
}

/** Rows of a table from `first` on. */
interface Table {
  readonly value: Value;
  readonly first: number;
}

/** A term that is row `first + i` for position i, for as many positions as there are. */
function countedTable(term: Value, [, sequence, features]: readonly Dim[], context: RewriteContext): Table | undefined {
  const shape = shapeOf(term);
  const isAligned = shape && isSequence(shape.at(-2), sequence) && shape.at(-1) === features;
  const alone = isAligned && shape.slice(0, -2).every((dim) => dim === 1);
  if (!isAligned) return undefined;
  if (alone && context.constant(term)) return { value: term, first: 0 };
  const node = term.producer;
  if (node?.is('Gather') && context.constant(node.input(0)) && lookupOf(term, features as number)) {
    const first = ascendingFrom(node.input(1), context);
    return first !== undefined && first >= 0 && node.input(0) ? { value: node.input(0) as Value, first } : undefined;
  }
  if (!alone || !node?.is('Slice') || !context.constant(node.input(0))) return undefined;
  const rank = shape.length;
  const starts = readList(context, node, 'starts', 1);
  const axes = readList(context, node, 'axes', 3);
  const steps = readList(context, node, 'steps', 4);
  if (
    typeof starts === 'string' ||
    starts.length !== 1 ||
    steps === 'unknown' ||
    (steps !== 'absent' && steps[0] !== 1)
  )
    return undefined;
  const axis = axes === 'absent' ? 0 : axes === 'unknown' ? undefined : frontAxis(axes[0] ?? 0, rank);
  const [first = 0] = starts;
  return axis === rank - 2 && first >= 0 ? { value: node.input(0) as Value, first } : undefined;
}

/**
 * True for the length of the sequence, and for `min(512,sequence)`, which is what a Slice of a table of 512 rows has: a longer
 * sequence is an error both ways.
 */
function isSequence(dim: Dim, sequence: Dim): boolean {
  if (sameDim(dim, sequence)) return true;
  const rows = typeof dim === 'string' ? Number(/^min\((\d+),/.exec(dim)?.[1]) : 0;
  return rows > 1 && minDims(rows, sequence) === dim;
}

function hasShape(ids: Value, [batch, sequence]: Exclude<Shape, undefined>): boolean {
  const shape = shapeOf(ids);
  return shape?.length === 2 && sameDim(shape[0], batch) && sameDim(shape[1], sequence);
}

function isOneRow(ids: Value, [, sequence]: Exclude<Shape, undefined>): boolean {
  const shape = shapeOf(ids);
  return shape?.length === 2 && shape[0] === 1 && sameDim(shape[1], sequence);
}

function ownTable({ value, first }: Table, rows: readonly Tensor[], context: RewriteContext): Positions | undefined {
  const tensor = context.constant(value);
  if (!tensor) return undefined;
  if (first === 0 && rows.length === 0 && tensor.rank === 2) return { ids: undefined, table: value, made: undefined };
  return { ids: undefined, table: undefined, made: tableWith(tensor, first, rows) };
}

function givenTable({ table, ids }: Lookup, rows: readonly Tensor[], context: RewriteContext): Positions | undefined {
  if (rows.length === 0) return { ids, table, made: undefined };
  const tensor = context.constant(table);
  return tensor && { ids, table: undefined, made: tableWith(tensor, 0, rows) };
}

/** The rows of a table from `first` on, with `added` to each; computed when it is written. */
function tableWith(table: Tensor, first: number, added: readonly Tensor[]): Tensor {
  const features = table.dims.at(-1) ?? 1;
  const count = table.size / features - first;
  function* chunks(): Generator<Uint8Array> {
    const result = table.float32Array().slice(first * features);
    for (const row of added) {
      const numbers = row.float32Array();
      for (let index = 0; index < result.length; index++)
        result[index] = (result[index] ?? 0) + (numbers[index % features] ?? 0);
    }
    yield bytesOf(result);
  }
  return Tensor.of(DataType.FLOAT, [count, features], computedBytes(4 * count * features, chunks));
}
