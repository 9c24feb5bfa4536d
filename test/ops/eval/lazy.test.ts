import { describe, expect, it } from 'vitest';
import { attribute } from '../../../src/ir/attribute.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { bytesOf, CHUNK_BYTES, memoryBytes, Tensor } from '../../../src/tensor/tensor.js';
import { evaluateOperator } from '../../helpers/evaluate-operator.js';

const ROWS = 700;
const COLUMNS = 900;
const values = Float32Array.from(
  { length: ROWS * COLUMNS },
  (_, at) => (Math.imul(at, 2654435761) >>> 8) / 1000 - 8000,
);

/** A FLOAT tensor that counts how often it is read. */
function watched(): { tensor: Tensor; reads: () => number } {
  const bytes = memoryBytes(bytesOf(values));
  let reads = 0;
  const count = <T>(result: T): T => {
    reads++;
    return result;
  };
  const data = { byteLength: bytes.byteLength, read: () => count(bytes.read()), chunks: () => count(bytes.chunks()) };
  return { tensor: Tensor.of(DataType.FLOAT, [ROWS, COLUMNS], data), reads: () => reads };
}

const scalar = Tensor.float32([3], []);
const row = Tensor.float32(values.slice(0, COLUMNS));
const column = Tensor.float32(values.slice(0, ROWS), [ROWS, 1]);
const reversed = Tensor.int64(Array.from({ length: COLUMNS }, (_, at) => COLUMNS - 1 - at));

const CASES: readonly (readonly [
  name: string,
  run: (tensor: Tensor) => Tensor,
  element: (r: number, c: number) => number,
  width: number,
])[] = [
  ['Transpose', (t) => evaluateOperator('Transpose', [t]), (r, c) => value(c, r), ROWS],
  ['Add a scalar', (t) => evaluateOperator('Add', [t, scalar]), (r, c) => value(r, c) + 3, COLUMNS],
  ['Mul by a row', (t) => evaluateOperator('Mul', [t, row]), (r, c) => value(r, c) * value(0, c), COLUMNS],
  ['Sub a column', (t) => evaluateOperator('Sub', [t, column]), (r, c) => value(r, c) - (values[r] as number), COLUMNS],
  ['Neg', (t) => evaluateOperator('Neg', [t]), (r, c) => -value(r, c), COLUMNS],
  [
    'Gather',
    (t) => evaluateOperator('Gather', [t, reversed], [attribute('axis', 1)]),
    (r, c) => value(r, COLUMNS - 1 - c),
    COLUMNS,
  ],
  [
    'Concat',
    (t) => evaluateOperator('Concat', [t, t], [attribute('axis', 1)]),
    (r, c) => value(r, c % COLUMNS),
    2 * COLUMNS,
  ],
  [
    'Cast and back',
    (t) =>
      evaluateOperator(
        'Cast',
        [evaluateOperator('Cast', [t], [attribute('to', DataType.DOUBLE)])],
        [attribute('to', DataType.FLOAT)],
      ),
    value,
    COLUMNS,
  ],
  [
    'Pad',
    (t) => evaluateOperator('Pad', [t, Tensor.int64([0, 1, 0, 0]), scalar]),
    (r, c) => (c === 0 ? 3 : value(r, c - 1)),
    COLUMNS + 1,
  ],
];

function value(r: number, c: number): number {
  return values[r * COLUMNS + c] as number;
}

describe('large results', () => {
  it.each(CASES)('%s reads nothing before it is read, and the same in pieces as at once', (_, run, element, width) => {
    const { tensor, reads } = watched();
    const result = run(tensor);
    expect(reads()).toBe(0);
    const pieces: Buffer[] = [];
    for (const piece of result.data.chunks()) {
      expect(piece.byteLength).toBeLessThanOrEqual(2 * CHUNK_BYTES);
      pieces.push(Buffer.from(piece));
    }
    expect(pieces.length).toBeGreaterThan(1);
    const whole = result.bytes();
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
    const floats = result.float32Array();
    const wrong = floats.findIndex((found, at) => found !== Math.fround(element(Math.floor(at / width), at % width)));
    expect(wrong).toBe(-1);
  });

  it('are refused beyond the bytes that are wanted', () => {
    const { tensor, reads } = watched();
    const run = (maxBytes: number) => evaluateOperator('Transpose', [tensor], [], 21, { maxBytes });
    expect(() => run(ROWS * COLUMNS * 4 - 1)).toThrow('Transpose would produce 2.52 MB');
    expect(run(ROWS * COLUMNS * 4).size).toBe(ROWS * COLUMNS);
    expect(reads()).toBe(0);
    expect(() => evaluateOperator('Expand', [scalar, Tensor.int64([1e6, 1e6])])).toThrow(
      'Expand would produce 4.00 TB',
    );
    expect(() => evaluateOperator('ConstantOfShape', [Tensor.int64([2 ** 40, 2 ** 40])])).toThrow(
      'ConstantOfShape would produce',
    );
  });
});
