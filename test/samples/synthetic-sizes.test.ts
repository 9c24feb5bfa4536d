import { describe, expect, it } from 'vitest';
import { seededReader } from '../../src/samples/seeded-reader.js';
import { sizedDataInputs, sizedInputs } from '../../src/samples/sized-inputs.js';
import { syntheticSizes } from '../../src/samples/synthetic-sizes.js';
import type { SampleSource, ValueSpec } from '../../src/samples/types.js';
import { DataType } from '../../src/tensor/dtype.js';

const spec = (name: string, ...shape: (number | string | undefined)[]): ValueSpec => ({
  name,
  dataType: DataType.FLOAT,
  shape,
  typeText: 'float',
});
const INPUTS = [spec('ids', 'batch', 'seq'), spec('past', 'batch', 4, 'past + seq'), spec('free', undefined, 3)];
const seeded = (more: object = {}): SampleSource => ({ kind: 'seeded', seed: 3, count: 6, ...more });

describe('sizes of inputs', () => {
  it('fix a symbol everywhere, an expression of it, and one place', () => {
    const sizes = new Map([
      ['batch', 2],
      ['seq', 5],
      ['free:0', 7],
    ]);
    expect(sizedInputs(INPUTS, sizes).map(({ shape }) => shape)).toEqual([
      [2, 5],
      [2, 4, 'past+5'],
      [7, 3],
    ]);
    expect(sizedInputs(INPUTS, undefined)).toBe(INPUTS);
  });

  it('fix the symbol that stands at a place', () => {
    expect(sizedInputs(INPUTS, new Map([['ids:0', 3]]))[1]?.shape).toEqual([3, 4, 'past + seq']);
  });

  it('leave the batch of real samples open', () => {
    const sizes = new Map([
      ['batch', 2],
      ['ids:0', 2],
      ['seq', 5],
    ]);
    expect(sizedDataInputs(INPUTS, sizes)[0]?.shape).toEqual(['batch', 5]);
  });
});

describe('what synthetic samples took', () => {
  it.each([
    ['as they come', {}],
    ['at a size', { dims: new Map([['batch', 2]]) }],
    ['all of one shape', { sameShapes: true }],
    ['of a plan', { plan: { sizes: 1, samples: [4, 9, 1, 0, 2, 7] } }],
  ])('is what the reader gives, %s', async (_title, more) => {
    const source = seeded(more);
    if (source.kind !== 'seeded') throw new Error('not seeded');
    const reader = seededReader(source.seed, source.count, sizedInputs(INPUTS, source.dims), source);
    const taken = new Map<string, Set<number>>();
    for (let i = 0; i < source.count; i++) {
      const feeds = await reader.read(i, 1);
      for (const [name, input, axis] of [
        ['batch', 'ids', 0],
        ['seq', 'ids', 1],
        ['free:0', 'free', 0],
      ] as const)
        taken.set(name, (taken.get(name) ?? new Set()).add(feeds.get(input)?.dims[axis] as number));
    }
    expect(syntheticSizes(INPUTS, source)).toEqual(
      [...taken].map(([name, sizes]) => ({ name, sizes: [...sizes].sort((a, b) => a - b) })),
    );
    if (source.dims) expect(taken.get('batch')).toEqual(new Set([2]));
  });

  it('is nothing where all is fixed, or samples are real', () => {
    expect(syntheticSizes([spec('x', 2, 3)], seeded())).toEqual([]);
    expect(syntheticSizes(INPUTS, { kind: 'data', path: 'x.npz' })).toEqual([]);
  });
});
