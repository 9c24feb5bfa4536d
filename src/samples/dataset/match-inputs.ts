import { ServeOptError } from '../../errors.js';
import { suggest } from '../../suggest.js';
import type { HostTensor, ValueSpec } from '../types.js';
import { refuseConversion } from './convert.js';
import { LABEL_NAMES, readLabels } from './labels.js';
import { fits, layoutFor, type SampleLayout, type ShapePair, sampleCounts, wholeLayout } from './layout.js';
import type { Shard } from './shard.js';
import type { SourceArray } from './source-array.js';

/** A shard whose arrays are known to be the model's inputs. */
export interface MatchedShard {
  readonly label: string;
  /** In the order of the model's inputs. */
  readonly arrays: readonly SourceArray[];
  readonly layout: SampleLayout;
  /** First dimension: samples. */
  readonly labels: HostTensor | undefined;
  /** Names in the data that are neither an input nor labels. */
  readonly extra: readonly string[];
}

/** numpy's name for an array that was saved without one. */
const UNNAMED = 'arr_0';

/**
 * Finds the array of each model input by name and how it is cut into samples.
 * @param labelName name of the labels instead of `labels` and `label`.
 * @throws SO4002 naming what the data has and what the model wants, for names, types and shapes; SO4005 for labels of
 * another length.
 */
export function matchInputs(shard: Shard, inputs: readonly ValueSpec[], labelName: string | undefined): MatchedShard {
  const { found, labels, extra } = matchNames(shard, inputs, labelName);
  for (const [i, spec] of inputs.entries()) {
    const array = found[i] as SourceArray;
    const why = refuseConversion(array, spec);
    if (why !== undefined) throw typeMismatch(array, spec, why);
  }
  const pairs = inputs.map((spec, i): ShapePair => ({ dims: (found[i] as SourceArray).dims, shape: spec.shape }));
  const labelTensor = labels && readLabels(labels);
  const layout = chooseLayout(shard, inputs, found, pairs, labels);
  return {
    label: shard.label,
    arrays: found,
    layout,
    labels: labelTensor && rowLabels(labelTensor, layout, shard.single),
    extra,
  };
}

function matchNames(shard: Shard, inputs: readonly ValueSpec[], labelName: string | undefined) {
  const byName = new Map(shard.arrays.map((array) => [array.name, array]));
  const only = shard.arrays.length === 1 || (shard.arrays.length === 2 && LABEL_NAMES.some((n) => byName.has(n)));
  const unnamed = inputs.length === 1 && only ? byName.get(UNNAMED) : undefined;
  const found: SourceArray[] = [];
  const missing: string[] = [];
  const used = new Set<string>();
  for (const { name } of inputs) {
    const array = byName.get(name) ?? unnamed;
    if (array) {
      found.push(array);
      used.add(array.name);
    } else missing.push(name);
  }
  if (missing.length > 0) throw nameMismatch(shard, inputs, missing, used);
  let labels = shard.labels;
  for (const name of labelName === undefined ? LABEL_NAMES : [labelName]) {
    const array = byName.get(name);
    if (!array || used.has(name) || labels) continue;
    labels = array;
    used.add(name);
  }
  const extra = [...byName.keys()].filter((name) => !used.has(name));
  return { found, labels, extra };
}

function quoted(names: Iterable<string>): string {
  const list = [...names];
  const shown = list.slice(0, 20).map((name) => `"${name}"`);
  if (list.length > shown.length) shown.push(`and ${list.length - shown.length} more`);
  return shown.join(', ') || 'no arrays';
}

function nameMismatch(
  shard: Shard,
  inputs: readonly ValueSpec[],
  missing: readonly string[],
  used: ReadonlySet<string>,
): ServeOptError {
  const has = shard.arrays.map((array) => array.name);
  const free = has.filter((name) => !used.has(name));
  const guesses = missing
    .map((name) => ({ name, guess: suggest(name, free) }))
    .filter(({ guess }) => guess !== undefined)
    .map(({ name, guess }) => `rename "${guess}" to "${name}"`);
  return new ServeOptError('SO4002', `"${shard.label}" has no array for input ${quoted(missing)}`, {
    why: `the data has ${quoted(has)}; the model expects ${quoted(inputs.map((spec) => spec.name))}`,
    hint:
      guesses.length > 0
        ? `did you mean: ${guesses.join('; ')}`
        : `save the arrays under the model's names, for example np.savez(file, **{"${missing[0]}": array})`,
  });
}

function arrayText(array: SourceArray): string {
  return `${array.typeText}[${array.dims.join(',')}]`;
}

function typeMismatch(array: SourceArray, spec: ValueSpec, why: string): ServeOptError {
  const message = `Array "${array.name}" is ${arrayText(array)}, ${inputText(array, spec)} expects ${spec.typeText}`;
  return new ServeOptError('SO4002', message, {
    why: `${why} (${array.label})`,
    hint: 'convert the array to the type of the model before saving it',
  });
}

function chooseLayout(
  shard: Shard,
  inputs: readonly ValueSpec[],
  found: readonly SourceArray[],
  pairs: readonly ShapePair[],
  labels: SourceArray | undefined,
): SampleLayout {
  if (shard.oneSample) {
    const wrong = pairs.findIndex(({ dims, shape }) => !fits(dims, shape));
    if (wrong >= 0) throw shapeMismatch(found[wrong] as SourceArray, inputs[wrong] as ValueSpec, undefined, found);
    return wholeLayout(pairs);
  }
  const guesses = sampleCounts(pairs, labels?.dims[0]);
  const counts = shard.single ? [1, ...guesses] : guesses;
  for (const count of counts) {
    const layout = layoutFor(pairs, count);
    if (layout) return layout;
  }
  throw noLayout(inputs, found, pairs, counts, labels);
}

/** Blames the first array that cannot hold the likeliest number of samples. */
function noLayout(
  inputs: readonly ValueSpec[],
  found: readonly SourceArray[],
  pairs: readonly ShapePair[],
  counts: readonly number[],
  labels: SourceArray | undefined,
): ServeOptError {
  const alone = pairs.map((pair) => [...new Set([...counts, ...pair.dims, 1])].some((n) => layoutFor([pair], n)));
  const misfit = alone.indexOf(false);
  if (misfit >= 0) return shapeMismatch(found[misfit] as SourceArray, inputs[misfit] as ValueSpec, undefined, found);
  const [count] = counts;
  if (labels) {
    const listed = found.map((array) => `"${array.name}" ${arrayText(array)}`).join(', ');
    return new ServeOptError('SO4005', `The number of labels, ${count}, is not the number of samples`, {
      why: `labels ${arrayText(labels)} (${labels.label}); ${listed}`,
    });
  }
  const odd = pairs.findIndex(({ dims }) => dims.length > 0 && !dims.includes(count ?? 1));
  const at = Math.max(odd, 0);
  return shapeMismatch(found[at] as SourceArray, inputs[at] as ValueSpec, count, found);
}

function shapeMismatch(
  array: SourceArray,
  spec: ValueSpec,
  count: number | undefined,
  found: readonly SourceArray[],
): ServeOptError {
  const shape = spec.shape ?? [];
  const { dims } = array;
  let why: string;
  const differ = dims.findIndex((dim, axis) => axis > 0 && !isOpenOrEqual(shape[axis], dim));
  if (count !== undefined) {
    const others = found.filter((a) => a !== array).map((a) => `"${a.name}" ${arrayText(a)}`);
    why = `it does not have ${count} samples, as the other arrays do: ${others.join(', ')}`;
  } else if (dims.length !== shape.length)
    why = `the data has ${dims.length} ${dims.length === 1 ? 'axis' : 'axes'}, the model expects ${shape.length}`;
  else if (differ > 0) why = `axis ${differ} has size ${dims[differ]} in the data, the model expects ${shape[differ]}`;
  else why = `axis 0 has size ${dims[0]} in the data, the model expects ${shape[0]}`;
  const expected = shapeText(shape.map((dim) => (typeof dim === 'number' && dim <= 0 ? '?' : (dim ?? '?'))));
  const message = `Array "${array.name}" has shape ${shapeText(dims)}, ${inputText(array, spec)} expects ${expected}`;
  return new ServeOptError('SO4002', message, {
    why: `${why} (${array.label})`,
    hint:
      dims.length === shape.length - 1 && count === undefined
        ? 'add a batch axis; serve-opt inspect MODEL shows what each input takes'
        : 'serve-opt inspect MODEL shows what each input takes',
  });
}

function shapeText(dims: readonly (number | string)[]): string {
  return `[${dims.join(', ')}]`;
}

/** The input, by its name where the array has another. */
function inputText(array: SourceArray, spec: ValueSpec): string {
  return array.name === spec.name ? 'the input' : `the input "${spec.name}"`;
}

function isOpenOrEqual(dim: number | string | undefined, size: number): boolean {
  return typeof dim !== 'number' || dim <= 0 || dim === size;
}

/** Labels whose first dimension is that of the samples. */
function rowLabels(labels: HostTensor, { count }: SampleLayout, single = false): HostTensor {
  const [first] = labels.dims;
  // One sample: a scalar label, or the list of labels of that sample.
  if (first === undefined || (single && count === 1) || first !== count)
    return { ...labels, dims: [1, ...labels.dims] };
  return labels;
}
