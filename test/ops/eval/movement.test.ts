import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attribute } from '../../../src/ir/attribute.js';
import { Cells } from '../../../src/ops/eval/cells.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { elementCount, Tensor } from '../../../src/tensor/tensor.js';
import { evaluateOperator } from '../../helpers/evaluate-operator.js';

/** Elements of every size, so that words, packed bits and text are all moved. */
const TYPES = [
  DataType.FLOAT,
  DataType.INT64,
  DataType.UINT8,
  DataType.FLOAT16,
  DataType.COMPLEX128,
  DataType.INT4,
  DataType.UINT2,
  DataType.STRING,
];
/** Types that the schemas of nearly all movement operators allow at version 25. */
const SIMPLE = [DataType.FLOAT, DataType.INT64, DataType.UINT8, DataType.FLOAT16, DataType.COMPLEX128, DataType.STRING];

interface Named {
  readonly tensor: Tensor;
  /** Each element as text, by which it is known again. */
  readonly items: readonly string[];
}

function itemsOf(tensor: Tensor): string[] {
  if (tensor.dataType === DataType.STRING) return tensor.stringElements().map((text) => Buffer.from(text).toString());
  const cells = Cells.of(tensor.dataType) as Cells;
  const loaded = cells.load(tensor);
  return Array.from({ length: tensor.size }, (_, at) =>
    [...loaded.slice(at * cells.words, (at + 1) * cells.words)].join(' '),
  );
}

function randomTensor(dataType: number, dims: readonly number[], seed: number): Named {
  const count = elementCount(dims);
  const value = (at: number) => (Math.imul(at + seed, 2654435761) >>> 7) % 65536;
  if (dataType === DataType.STRING) {
    const texts = Array.from({ length: count }, (_, at) => Buffer.from(`s${value(at)}`));
    const tensor = Tensor.strings(dims, () => texts);
    return { tensor, items: itemsOf(tensor) };
  }
  const cells = Cells.of(dataType) as Cells;
  const made = cells.make(count * cells.words);
  for (let i = 0; i < made.length; i++)
    made[i] = value(i) & (dataType === DataType.INT4 ? 15 : dataType === DataType.UINT2 ? 3 : 65535);
  const tensor = cells.tensor(dims, made);
  return { tensor, items: itemsOf(tensor) };
}

function* indices(dims: readonly number[]): Generator<number[]> {
  const count = elementCount(dims);
  for (let n = 0; n < count; n++) {
    let rest = n;
    const index = dims.map(() => 0);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = rest % (dims[axis] as number);
      rest = Math.floor(rest / (dims[axis] as number));
    }
    yield index;
  }
}

function at(dims: readonly number[], index: readonly number[]): number {
  return dims.reduce((offset, dim, axis) => offset * dim + (index[axis] as number), 0);
}

/** The result by its definition: the element of `source` for each index of the output. */
function expectMoved(
  result: Tensor,
  dims: readonly number[],
  source: Named,
  from: (index: number[]) => readonly number[],
): void {
  expect(result.dims).toEqual(dims);
  const wanted = [...indices(dims)].map((index) => source.items[at(source.tensor.dims, from(index))]);
  expect(itemsOf(result)).toEqual(wanted);
  expect(result.dataType).toBe(source.tensor.dataType);
}

const shape = (least = 0, rank = 4) => fc.array(fc.integer({ min: least, max: 4 }), { minLength: 1, maxLength: rank });
const runs = { numRuns: 150 };

describe('movement by its definition', () => {
  it('transposes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TYPES), shape(), fc.nat(), (dataType, dims, seed) => {
        const source = randomTensor(dataType, dims, seed);
        const perm = dims.map((_, axis) => axis).sort((a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5) || b - a);
        const result = evaluateOperator('Transpose', [source.tensor], [attribute('perm', perm)], 25);
        const out = perm.map((axis) => dims[axis] as number);
        expectMoved(result, out, source, (index) => dims.map((_, axis) => index[perm.indexOf(axis)] as number));
      }),
      runs,
    );
  });

  it('slices', () => {
    const step = fc.constantFrom(-3, -2, -1, 1, 2, 3);
    const bound = fc.integer({ min: -6, max: 6 });
    fc.assert(
      fc.property(
        fc.constantFrom(...SIMPLE),
        shape(),
        fc.array(fc.tuple(bound, bound, step), { minLength: 4, maxLength: 4 }),
        (dataType, dims, parts) => {
          const source = randomTensor(dataType, dims, 3);
          const chosen = dims.map((dim, axis) => onnxSlice(dim, ...(parts[axis] as [number, number, number])));
          const list = (pick: number) => Tensor.int64(dims.map((_, axis) => parts[axis]?.[pick] as number));
          const axes = Tensor.int64(dims.map((_, axis) => axis - dims.length));
          const result = evaluateOperator('Slice', [source.tensor, list(0), list(1), axes, list(2)]);
          expectMoved(
            result,
            chosen.map((list) => list.length),
            source,
            (index) => index.map((i, axis) => chosen[axis]?.[i] as number),
          );
        },
      ),
      runs,
    );
  });

  it('gathers along an axis', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SIMPLE),
        shape(1),
        fc.nat(3),
        fc.array(fc.nat(), { maxLength: 6 }),
        (dataType, dims, place, wanted) => {
          const source = randomTensor(dataType, dims, 5);
          const axis = place % dims.length;
          const size = dims[axis] as number;
          const list = wanted.map((w) => (w % (2 * size)) - size);
          const result = evaluateOperator('Gather', [source.tensor, Tensor.int64(list)], [attribute('axis', axis)]);
          const out = dims.map((dim, own) => (own === axis ? list.length : dim));
          expectMoved(result, out, source, (index) =>
            index.map((i, own) => (own === axis ? ((list[i] as number) + size) % size : i)),
          );
        },
      ),
      runs,
    );
  });

  it('expands by broadcasting', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SIMPLE),
        shape(0, 3),
        fc.array(fc.nat(1), { minLength: 3, maxLength: 3 }),
        fc.nat(2),
        (dataType, target, ones, lead) => {
          const dims = target.map((dim, axis) => (ones[axis] ? 1 : dim)).slice(Math.min(lead, target.length - 1));
          const source = randomTensor(dataType, dims, 7);
          const result = evaluateOperator('Expand', [source.tensor, Tensor.int64(target)]);
          const skipped = target.length - dims.length;
          expectMoved(result, target, source, (index) =>
            dims.map((dim, axis) => (dim === 1 ? 0 : (index[axis + skipped] as number))),
          );
        },
      ),
      runs,
    );
  });

  it('tiles', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SIMPLE),
        shape(1),
        fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
        (dataType, dims, repeats) => {
          const source = randomTensor(dataType, dims, 9);
          const result = evaluateOperator('Tile', [source.tensor, Tensor.int64(repeats.slice(0, dims.length))]);
          const out = dims.map((dim, axis) => dim * (repeats[axis] as number));
          expectMoved(result, out, source, (index) => index.map((i, axis) => i % (dims[axis] as number)));
        },
      ),
      runs,
    );
  });

  it('joins what was split', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SIMPLE), shape(), fc.nat(3), fc.nat(), (dataType, dims, place, cut) => {
        const source = randomTensor(dataType, dims, 11);
        const axis = place % dims.length;
        const first = cut % ((dims[axis] as number) + 1);
        const range = (from: number, to: number) =>
          evaluateOperator('Slice', [source.tensor, Tensor.int64([from]), Tensor.int64([to]), Tensor.int64([axis])]);
        const parts = [range(0, first), range(first, dims[axis] as number), source.tensor];
        const result = evaluateOperator('Concat', parts, [attribute('axis', axis)]);
        const size = dims[axis] as number;
        const out = dims.map((dim, own) => (own === axis ? 2 * dim : dim));
        expectMoved(result, out, source, (index) => index.map((i, own) => (own === axis ? i % size : i)));
      }),
      runs,
    );
  });

  it('pads at the edges', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SIMPLE),
        shape(1),
        fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
        (dataType, dims, pads) => {
          const source = randomTensor(dataType, dims, 13);
          const given = Tensor.int64([...pads.slice(0, dims.length), ...pads.slice(4, 4 + dims.length)]);
          const result = evaluateOperator('Pad', [source.tensor, given], [attribute('mode', 'edge')]);
          const out = dims.map((dim, axis) => dim + (pads[axis] as number) + (pads[axis + 4] as number));
          expectMoved(result, out, source, (index) =>
            index.map((i, axis) => Math.max(0, Math.min((dims[axis] as number) - 1, i - (pads[axis] as number)))),
          );
        },
      ),
      runs,
    );
  });

  it('goes from depth to space and back', () => {
    const source = randomTensor(DataType.INT64, [2, 8, 3, 5], 1);
    const block = attribute('blocksize', 2);
    const spread = evaluateOperator('DepthToSpace', [source.tensor], [block]);
    expect(spread.dims).toEqual([2, 2, 6, 10]);
    expect(itemsOf(evaluateOperator('SpaceToDepth', [spread], [block]))).toEqual(source.items);
  });
});

/** The indices that a slice takes; unlike in Python, a start before the axis is moved to 0 for negative steps too. */
function onnxSlice(size: number, start: number, end: number, step: number): number[] {
  const clamp = (value: number, least: number) => Math.max(least, Math.min(step > 0 ? size : size - 1, value));
  const from = clamp(start < 0 ? start + size : start, 0);
  const to = clamp(end < 0 ? end + size : end, step > 0 ? 0 : -1);
  const list: number[] = [];
  if (size > 0) for (let i = from; step > 0 ? i < to : i > to; i += step) list.push(i);
  return list;
}

describe('views', () => {
  it('share the bytes of what they look at', () => {
    const tensor = Tensor.float32([1, 2, 3, 4, 5, 6], [2, 3]);
    const views = [
      evaluateOperator('Identity', [tensor]),
      evaluateOperator('Reshape', [tensor, Tensor.int64([-1])]),
      evaluateOperator('Unsqueeze', [tensor, Tensor.int64([0])]),
      evaluateOperator('Flatten', [tensor]),
      evaluateOperator('Slice', [tensor, Tensor.int64([0]), Tensor.int64([2])]),
      evaluateOperator('Expand', [tensor, Tensor.int64([1, 1])]),
      evaluateOperator('Transpose', [tensor.reshaped([6, 1])]),
    ];
    for (const view of views) expect(view.data).toBe(tensor.data);
  });
});
