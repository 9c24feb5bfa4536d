import { ServeOptError } from '../../errors.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { toFloat16 } from '../../tensor/float16.js';
import { elementCount } from '../../tensor/tensor.js';
import { makeHostData } from '../dataset/convert.js';
import type { Feeds, HostTensor, ValueSpec } from '../types.js';
import type { TokenInputs } from './token-roles.js';

/** What a real symbol begins with. */
const SYMBOL = /^[A-Za-z_]/;

/** A token number that the model has no row for. @param start number of the first sample @throws SO4010 naming sample and position */
export function checkTokens({ ids }: TokenInputs, { data, dims }: HostTensor, start: number): void {
  const { exclusiveUpper } = ids;
  if (exclusiveUpper === undefined) return;
  const length = dims[1] ?? 1;
  for (let at = 0; at < data.length; at++) {
    const token = Number(data[at]);
    if (token >= 0 && token < exclusiveUpper) continue;
    throw new ServeOptError(
      'SO4010',
      `Sample ${start + Math.floor(at / length)} has the token ${token} at position ${at % length}`,
      {
        why: `the vocabulary of the model has ${exclusiveUpper} tokens, 0 to ${exclusiveUpper - 1}`,
      },
    );
  }
}

/**
 * Adds the inputs that follow from token numbers [rows, sequence]: a mask of ones, or that of the data; positions that count what the
 * mask shows; types of 0; an empty cache, or a hidden one where its size is fixed.
 */
export function withDerivedInputs(given: Feeds, inputs: readonly ValueSpec[], tokens: TokenInputs): Feeds {
  const ids = given.get(tokens.ids.name) as HostTensor;
  const [rows = 1, length = 0] = ids.dims;
  const past = pastLength(inputs);
  const shown = shownTokens(given, tokens, rows, length);
  const feeds: Feeds = new Map();
  for (const input of inputs) {
    const role = tokens.roles.get(input.name);
    const known = given.get(input.name);
    const dataType = input.dataType as DataTypeCode;
    const fill = (dims: readonly number[], value: (at: number) => number): HostTensor => filled(dataType, dims, value);
    switch (role) {
      case 'mask': {
        if (known && past === 0) feeds.set(input.name, known);
        else
          feeds.set(
            input.name,
            fill([rows, past + length], (at) => maskAt(at, past, length, shown)),
          );
        break;
      }
      case 'positions':
        feeds.set(input.name, known ?? fill([rows, length], positionsOf(shown, length)));
        break;
      case 'types':
        feeds.set(input.name, known ?? fill([rows, length], () => 0));
        break;
      case 'cache':
        feeds.set(input.name, known ?? fill(cacheDims(input, tokens.ids, rows), () => 0));
        break;
      case 'total':
        feeds.set(input.name, known ?? fill(scalarDims(input), () => past + length));
        break;
      case 'lengths':
        feeds.set(input.name, known ?? fill([rows], (row) => countShown(shown, row, length) - 1));
        break;
      case 'cacheFlag':
        feeds.set(input.name, known ?? fill(scalarDims(input), () => 0));
        break;
      default:
        if (known) feeds.set(input.name, known);
    }
  }
  return feeds;
}

/** Past positions of a cache whose size is fixed; 0 where it is open. */
function pastLength(inputs: readonly ValueSpec[]): number {
  for (const { shape, cacheAxis } of inputs) {
    const size = cacheAxis === undefined ? undefined : shape?.[cacheAxis];
    if (typeof size === 'number' && size > 0) return size;
  }
  return 0;
}

/** 1 where a token counts, from the mask of the data; undefined where all do. */
export function shownTokens(
  given: Feeds,
  { roles }: TokenInputs,
  rows: number,
  length: number,
): Uint8Array | undefined {
  for (const [name, { data }] of given) {
    if (roles.get(name) !== 'mask' || data.length !== rows * length) continue;
    return Uint8Array.from({ length: data.length }, (_, at) => (Number(data[at]) === 0 ? 0 : 1));
  }
  return undefined;
}

function maskAt(at: number, past: number, length: number, shown: Uint8Array | undefined): number {
  const column = at % (past + length);
  const row = Math.floor(at / (past + length));
  // What is said to be past was never computed.
  return column < past ? 0 : (shown?.[row * length + column - past] ?? 1);
}

/** Numbers of positions among those that are shown; hidden ones have that of the one before, or 0. */
function positionsOf(shown: Uint8Array | undefined, length: number): (at: number) => number {
  if (!shown) return (at) => at % length;
  const positions = new Int32Array(shown.length);
  let next = 0;
  for (let at = 0; at < shown.length; at++) {
    if (at % length === 0) next = 0;
    if (shown[at] === 1) next++;
    positions[at] = Math.max(0, next - 1);
  }
  return (at) => positions[at] as number;
}

function countShown(shown: Uint8Array | undefined, row: number, length: number): number {
  if (!shown) return length;
  let count = 0;
  for (let at = row * length; at < (row + 1) * length; at++) count += shown[at] as number;
  return count;
}

/** @throws SO4009 where the model leaves open how many heads there are, or how wide they are, naming all that is missing */
function cacheDims({ name, shape = [], cacheAxis, typeText }: ValueSpec, ids: ValueSpec, rows: number): number[] {
  const batch = ids.shape?.[0];
  const batchAxis = Math.max(
    0,
    shape.findIndex((dim) => dim === batch && typeof dim === 'string'),
  );
  const unknown: number[] = [];
  const dims = shape.map((dim, axis) => {
    if (typeof dim === 'number' && dim >= 0) return dim;
    if (axis === cacheAxis) return 0;
    if (axis === batchAxis) return rows;
    unknown.push(axis);
    return 0;
  });
  if (unknown.length === 0) return dims;
  const flags = unknown.map((axis) => {
    const dim = shape[axis];
    return `--dim ${typeof dim === 'string' && SYMBOL.test(dim) ? dim : `${name}:${axis}`}=N`;
  });
  const axes = unknown.length === 1 ? `axis ${unknown[0]} is` : `axes ${unknown.join(' and ')} are`;
  throw new ServeOptError('SO4009', `The size of the empty cache "${name}" is not known`, {
    why: `it is ${typeText}: ${axes} neither the batch nor the positions, and ${unknown.length === 1 ? 'has' : 'have'} no size`,
    hint: `give it with ${flags.join(' ')}, or put the genai_config.json of the model beside it`,
  });
}

function scalarDims({ shape = [] }: ValueSpec): number[] {
  return shape.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1));
}

function filled(dataType: DataTypeCode, dims: readonly number[], value: (at: number) => number): HostTensor {
  const data = makeHostData(dataType, elementCount(dims));
  if (data instanceof BigInt64Array) for (let at = 0; at < data.length; at++) data[at] = BigInt(value(at));
  else if (dataType === DataType.FLOAT16)
    for (let at = 0; at < (data?.length ?? 0); at++) (data as Uint16Array)[at] = toFloat16(value(at));
  else for (let at = 0; at < (data?.length ?? 0); at++) (data as Float32Array)[at] = value(at);
  return { dataType, dims, data: data ?? [] };
}
