import { describe, expect, it } from 'vitest';
import { batchNames } from '../../../src/samples/batch-names.js';
import type { ValueSpec } from '../../../src/samples/types.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { chosenSizes, rowsOf } from '../../../src/workflows/bench/sizes.js';
import { withSizes } from '../../../src/workflows/preflight/input-sizes.js';

const spec = (name: string, ...shape: (number | string | undefined)[]): ValueSpec => ({
  name,
  dataType: DataType.FLOAT,
  shape,
  typeText: 'float',
});

describe('withSizes', () => {
  it('sets a symbol everywhere, expressions of it too, and single places', () => {
    const inputs = [spec('x', 'batch', 'seq'), spec('cache', 'batch', 'seq+1', 64), spec('z', undefined, 3)];
    const sized = withSizes(
      inputs,
      new Map([
        ['batch', 8],
        ['seq', 16],
        ['z:0', 2],
      ]),
    );
    expect(sized.map(({ shape }) => shape)).toEqual([
      [8, 16],
      [8, 17, 64],
      [2, 3],
    ]);
  });

  it.each([
    ['sqe', 'did you mean "seq"?'],
    ['width', 'sizes are open for'],
  ])('refuses the unknown dimension %s', (name, words) => {
    expect(() => withSizes([spec('x', 'batch', 'seq')], new Map([[name, 1]]))).toThrow(
      expect.objectContaining({ code: 'SO1006', why: expect.stringContaining(words) }),
    );
  });

  it('refuses a size that the model has fixed otherwise, and takes its own', () => {
    expect(() => withSizes([spec('x', 1, 3)], new Map([['x:0', 8]]))).toThrow('"x:0" is 1, not 8');
    expect(withSizes([spec('x', 1, 3)], new Map([['x:0', 1]]))[0]?.shape).toEqual([1, 3]);
  });
});

describe('the batch', () => {
  it('is the open dimension in front', () => {
    expect(batchNames([spec('x', 'N', 3), spec('y', 'N')])).toEqual(['N']);
    expect(batchNames([spec('x', undefined, 3), spec('y', '', 4)])).toEqual(['x:0', 'y:0']);
    expect(batchNames([spec('rate'), spec('x', 1, 3)])).toEqual([]);
    expect(batchNames([spec('state', 2, 'N', 64), spec('x', 'N', 3)])).toEqual(['N']);
  });

  it('is counted from what was fed', () => {
    expect(rowsOf([spec('x', 'N', 3)], [{ name: 'x', dims: [8, 3] }], [])).toBe(8);
    expect(
      rowsOf(
        [spec('x', 4, 3), spec('n')],
        [
          { name: 'x', dims: [4, 3] },
          { name: 'n', dims: [] },
        ],
        [spec('y', 4, 10)],
      ),
    ).toBe(4);
    expect(
      rowsOf(
        [spec('x', 4, 3), spec('h', 2, 3)],
        [
          { name: 'x', dims: [4, 3] },
          { name: 'h', dims: [2, 3] },
        ],
        [spec('y', 4)],
      ),
    ).toBe(1);
    expect(rowsOf([], [], [])).toBe(1);
  });

  it('is no fixed size that no output can have in front', () => {
    const picture = [spec('x', 3, 224, 224)];
    const fed = [{ name: 'x', dims: [3, 224, 224] }];
    expect(rowsOf(picture, fed, [spec('y', 1000)])).toBe(1);
    expect(rowsOf(picture, fed, [spec('loss'), spec('y', 3, 10)])).toBe(3);
    expect(rowsOf(picture, fed, [spec('y', 'rows', 10)])).toBe(3);
    expect(rowsOf(picture, fed, [{ ...spec('y'), shape: undefined }])).toBe(3);
  });

  it('tells the sizes that open dimensions took', () => {
    const specs = [spec('x', 'N', 3, undefined), spec('y', 'N')];
    const fed = [
      { name: 'x', dims: [2, 3, 7] },
      { name: 'y', dims: [2] },
    ];
    expect(chosenSizes(specs, fed)).toEqual([
      { name: 'N', size: 2 },
      { name: 'x:2', size: 7 },
    ]);
  });
});
