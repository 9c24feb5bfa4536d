import { ServeOptError } from '../../errors.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { elementCount } from '../../tensor/tensor.js';
import type { SampleReader } from '../sample-reader.js';
import type { Feeds, HostData, HostTensor, ValueSpec } from '../types.js';
import { convertData, makeHostData } from './convert.js';
import { joinLabels } from './labels.js';
import { type ArrayLayout, isOpen } from './layout.js';
import type { MatchedShard } from './match-inputs.js';
import { countNonFinite } from './non-finite.js';
import { type SourceArray, sliceData } from './source-array.js';

/** Samples of files. */
export interface DatasetReader extends SampleReader {
  /** What was left out or guessed, one sentence each. */
  readonly warnings: readonly string[];
  readonly unused: readonly string[];
}

/** A constant beyond this size is not compared between shards; such a data set is read one sample at a time. */
const MAXIMUM_COMPARED_ELEMENTS = 65_536;
/** An array cut along an inner axis into more runs than this is read whole instead. */
const MAXIMUM_RUNS = 64;

/**
 * A reader over matched shards, in order. Values are read and converted when asked for.
 * `read` throws SO4001 for NaN or infinite values unless `allowNonFinite`, and SO4002 for values the model's type cannot hold.
 */
export function datasetReader(
  shards: readonly MatchedShard[],
  inputs: readonly ValueSpec[],
  options: {
    readonly allowNonFinite: boolean;
    readonly warnings: readonly string[];
    readonly unused?: readonly string[];
  },
): DatasetReader {
  const starts: number[] = [];
  let count = 0;
  for (const shard of shards) {
    starts.push(count);
    count += shard.layout.count;
  }
  const batchable = canBatch(shards, inputs);
  const block = shards[0]?.layout.block ?? 1;
  const warnings = [...options.warnings];
  const labelled = shards.filter((shard) => shard.labels !== undefined);
  if (labelled.length > 0 && labelled.length < shards.length)
    warnings.push(`labels are ignored: only ${labelled.length} of ${shards.length} files have them`);
  const labels =
    labelled.length === shards.length && labelled.length > 0
      ? joinLabels(labelled.map((shard) => shard.labels as HostTensor))
      : undefined;

  const readInput = (index: number, start: number, wanted: number): HostTensor => {
    const spec = inputs[index] as ValueSpec;
    const parts: HostTensor[] = [];
    let at = start;
    let layout: ArrayLayout | undefined;
    for (let s = shardAt(starts, start); at < start + wanted; s++) {
      const shard = shards[s] as MatchedShard;
      const local = at - (starts[s] as number);
      const taken = Math.min(shard.layout.count - local, start + wanted - at);
      const array = shard.arrays[index] as SourceArray;
      layout = shard.layout.arrays[index] as ArrayLayout;
      const part = readPart(array, layout, spec, local, taken);
      if (!options.allowNonFinite) refuseNonFinite(part, array, spec, layout, at, taken);
      at += taken;
      parts.push(part);
      if (layout.constant) break;
      if (at === start + wanted && wanted < block) {
        const last = readPart(array, layout, spec, local + taken - 1, 1);
        parts.push(...Array.from({ length: block - wanted }, () => last));
      }
    }
    return parts.length === 1 ? (parts[0] as HostTensor) : concatenate(parts, layout?.batchAxis ?? 0);
  };

  return {
    count,
    labels,
    batchable,
    ...(block > 1 && { block }),
    warnings,
    unused: options.unused ?? [],
    read(start, wanted) {
      if (start < 0 || wanted < 1 || start + wanted > count || (wanted > block && !batchable))
        throw new ServeOptError('SO9001', `cannot read ${wanted} samples from ${start} of ${count}`);
      const feeds: Feeds = new Map();
      for (const [i, spec] of inputs.entries()) feeds.set(spec.name, readInput(i, start, wanted));
      return feeds;
    },
  };
}

/** Index of the shard that holds sample `at`: binary search, since there may be one shard a sample. */
function shardAt(starts: readonly number[], at: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

function canBatch(shards: readonly MatchedShard[], inputs: readonly ValueSpec[]): boolean {
  const [first] = shards;
  if (!first) return false;
  const batchSymbols = new Set<string>();
  for (const [i, layout] of first.layout.arrays.entries()) {
    if (layout.constant) continue;
    const shape = inputs[i]?.shape;
    if (layout.batchAxis === undefined || (shape && !isOpen(shape[layout.batchAxis]))) return false;
    const symbol = shape?.[layout.batchAxis];
    if (typeof symbol === 'string') batchSymbols.add(symbol);
  }
  for (const [i, layout] of first.layout.arrays.entries()) {
    if (layout.constant && inputs[i]?.shape?.some((d) => typeof d === 'string' && batchSymbols.has(d))) return false;
  }
  return shards.every((shard) => shard.layout.arrays.every((layout, i) => sameLayout(first, shard, layout, i)));
}

function sameLayout(first: MatchedShard, shard: MatchedShard, layout: ArrayLayout, index: number): boolean {
  if (shard === first) return true;
  const other = first.layout.arrays[index] as ArrayLayout;
  if (other.constant !== layout.constant || other.batchAxis !== layout.batchAxis) return false;
  if (other.sampleDims.join() !== layout.sampleDims.join()) return false;
  if (!layout.constant) return true;
  const size = elementCount(layout.sampleDims);
  if (size > MAXIMUM_COMPARED_ELEMENTS) return false;
  const a = (first.arrays[index] as SourceArray).read(0, size);
  const b = (shard.arrays[index] as SourceArray).read(0, size);
  for (let i = 0; i < size; i++) if (a[i] !== b[i]) return false;
  return true;
}

function readPart(array: SourceArray, layout: ArrayLayout, spec: ValueSpec, start: number, count: number): HostTensor {
  const { batchAxis, sampleDims } = layout;
  const dims = sampleDims.map((d, axis) => (axis === batchAxis && !layout.constant ? count : d));
  const raw =
    layout.sourceAxis === undefined
      ? array.read(0, elementCount(array.dims))
      : readAlong(array, layout.sourceAxis, start, count);
  return { dataType: spec.dataType as DataTypeCode, dims, data: convertData(raw, array, spec) };
}

/** Entries `start` to `start + count - 1` along an axis, in C order. */
function readAlong(array: SourceArray, axis: number, start: number, count: number): HostData {
  const inner = elementCount(array.dims.slice(axis + 1));
  const runs = elementCount(array.dims.slice(0, axis));
  const length = array.dims[axis] as number;
  if (runs === 1) return array.read(start * inner, count * inner);
  const whole = runs > MAXIMUM_RUNS ? array.read(0, elementCount(array.dims)) : undefined;
  const pieces: HostData[] = [];
  for (let run = 0; run < runs; run++) {
    const from = (run * length + start) * inner;
    pieces.push(whole ? sliceData(whole, from, from + count * inner) : array.read(from, count * inner));
  }
  return joinPieces(pieces, array.dataType);
}

function joinPieces(pieces: readonly HostData[], dataType: DataTypeCode): HostData {
  let size = 0;
  for (const piece of pieces) size += piece.length;
  const target = makeHostData(dataType, size);
  if (!target) throw new ServeOptError('SO9001', `no array holds data type ${dataType}`);
  let at = 0;
  for (const piece of pieces) {
    if (Array.isArray(target)) for (let i = 0; i < piece.length; i++) target[at + i] = piece[i];
    // All pieces are of the one array type that belongs to `dataType`.
    else (target as Float32Array).set(piece as Float32Array, at);
    at += piece.length;
  }
  return target;
}

/** Tensors of equal shape but for `axis`, one after the other along it. */
function concatenate(parts: readonly HostTensor[], axis: number): HostTensor {
  const first = parts[0] as HostTensor;
  const runs = elementCount(first.dims.slice(0, axis));
  const pieces: HostData[] = [];
  for (let run = 0; run < runs; run++) {
    for (const part of parts) {
      const size = part.data.length / runs;
      pieces.push(sliceData(part.data, run * size, (run + 1) * size));
    }
  }
  let length = 0;
  for (const part of parts) length += part.dims[axis] ?? 1;
  const dims = first.dims.map((d, i) => (i === axis ? length : d));
  return { dataType: first.dataType, dims, data: joinPieces(pieces, first.dataType) };
}

function refuseNonFinite(
  part: HostTensor,
  array: SourceArray,
  spec: ValueSpec,
  layout: ArrayLayout,
  firstSample: number,
  samples: number,
): void {
  const { count, first } = countNonFinite(part);
  if (count === 0) return;
  const last = firstSample + samples - 1;
  const index: number[] = [];
  let rest = first;
  for (let axis = part.dims.length - 1; axis >= 0; axis--) {
    const dim = part.dims[axis] as number;
    index.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  if (layout.batchAxis !== undefined && !layout.constant) {
    index[layout.batchAxis] = (index[layout.batchAxis] as number) + firstSample;
  }
  const where = layout.constant || samples === 1 ? `sample ${firstSample}` : `samples ${firstSample} to ${last}`;
  const overflow = spec.dataType === DataType.FLOAT16 ? ', or too large for float16' : '';
  throw new ServeOptError('SO4001', `Input "${spec.name}" has ${count} NaN or infinite values in ${where}`, {
    why: `the first is element [${index.join(',')}] in "${array.label}"${overflow}`,
    hint: 'fix or remove these samples: one such value distorts every range measured with it',
  });
}
