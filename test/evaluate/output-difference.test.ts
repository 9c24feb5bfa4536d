import { describe, expect, it } from 'vitest';
import type { EvaluatedTensor } from '../../src/evaluate/host-numbers.js';
import { OutputDifferences } from '../../src/evaluate/output-difference.js';
import type { OutputMeaning } from '../../src/evaluate/output-meaning.js';
import { DataType } from '../../src/tensor/dtype.js';

const float = (dims: number[], values: number[]): EvaluatedTensor => ({
  dataType: DataType.FLOAT,
  dims,
  data: Float32Array.from(values),
});

const CLASSES = { kind: 'scores', axis: -1, exclusive: true, because: 'the graph ends in Softmax' } as const;

describe('the difference of an output', () => {
  it('adds up over runs', () => {
    const difference = new OutputDifferences('y', CLASSES);
    difference.observe({ a: float([1, 3], [1, 2, 3]), b: float([1, 3], [1, 2, 5]) });
    difference.observe({ a: float([2, 3], [4, 0, 0, 0, 1, 0]), b: float([2, 3], [3, 0, 0, 2, 1, 0]) });
    const result = difference.result();
    expect(result).toMatchObject({ name: 'y', elements: 9, exactEqual: 6 / 9, maxAbs: 2, meanAbs: 5 / 9 });
    expect(result.rmse).toBeCloseTo(Math.sqrt((4 + 1 + 4) / 9), 12);
    expect(result.sqnrDb).toBeCloseTo(10 * Math.log10((1 + 4 + 9 + 16 + 1) / 9), 12);
    expect(result.cosine).toBeCloseTo((1 + 4 + 15 + 12 + 1) / Math.sqrt(31 * (1 + 4 + 25 + 9 + 4 + 1)), 12);
    expect(result.top1Agreement).toMatchObject({ value: 2 / 3, n: 3 });
  });

  it('is nothing for equal outputs', () => {
    const difference = new OutputDifferences('y');
    difference.observe({ a: float([2], [1, -0]), b: float([2], [1, 0]) });
    expect(difference.result()).toMatchObject({
      exactEqual: 1,
      maxAbs: 0,
      sqnrDb: Number.POSITIVE_INFINITY,
      cosine: 1,
    });
    expect(difference.result().top1Agreement).toBeUndefined();
  });

  it('counts values that are not finite and leaves them out of the sums', () => {
    const difference = new OutputDifferences('y');
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    difference.observe({ a: float([6], [nan, inf, -inf, 1, nan, 2]), b: float([6], [nan, inf, inf, nan, 1, 2.5]) });
    expect(difference.result()).toMatchObject({
      nonFinite: { a: 4, b: 4 },
      exactEqual: 2 / 6,
      maxAbs: 0.5,
      meanAbs: 0.5,
    });
  });

  it('is a share of equal elements for integers and text, of whatever width', () => {
    const difference = new OutputDifferences('label');
    difference.observe({
      a: { dataType: DataType.INT64, dims: [3], data: BigInt64Array.of(1n, 2n, 3n) },
      b: { dataType: DataType.INT32, dims: [3], data: Int32Array.of(1, 2, 4) },
    });
    expect(difference.result()).toMatchObject({
      exactEqual: 2 / 3,
      elements: 3,
      dataTypeA: 'int64',
      dataTypeB: 'int32',
    });
    expect(difference.result().maxAbs).toBeUndefined();
    const text = new OutputDifferences('text');
    text.observe({
      a: { dataType: DataType.STRING, dims: [2], data: ['a', 'b'] },
      b: { dataType: DataType.STRING, dims: [2], data: ['a', 'c'] },
    });
    expect(text.result().exactEqual).toBe(0.5);
  });

  it('compares 16-bit with 32-bit floats', () => {
    const difference = new OutputDifferences('y');
    difference.observe({
      a: float([2], [1, -2]),
      b: {
        dataType: DataType.FLOAT16,
        dims: [2],
        data: Uint16Array.of(0x3c00, 0xc000),
      },
    });
    expect(difference.result()).toMatchObject({ exactEqual: 1, dataTypeB: 'float16' });
  });

  it('says so when shapes or kinds cannot be compared', () => {
    const shapes = new OutputDifferences('boxes');
    shapes.observe({ a: float([2], [1, 2]), b: float([3], [1, 2, 3]) });
    shapes.observe({ a: float([2], [1, 2]), b: float([2], [1, 2]) });
    expect(shapes.result()).toMatchObject({ shapeMismatches: 1, elements: 2, exactEqual: 1 });
    const kinds = new OutputDifferences('y');
    kinds.observe({ a: float([1], [1]), b: { dataType: DataType.INT64, dims: [1], data: BigInt64Array.of(1n) } });
    expect(kinds.result()).toMatchObject({ incomparable: 'float against int64', elements: 0 });
  });
});

describe('by what an output is judged', () => {
  const observed = (a: EvaluatedTensor, b: EvaluatedTensor, meaning?: OutputMeaning) => {
    const difference = new OutputDifferences('y', meaning);
    difference.observe({ a, b });
    return difference.result();
  };

  it('is the divergence of classes, of shares and of logits alike', () => {
    const logits = [
      [1, 2, 3, 0, 0, 1],
      [1, 2, 2, 0.5, 0, 1],
    ] as const;
    const shares = logits.map((values) =>
      [0, 3].flatMap((from) => {
        const row = values.slice(from, from + 3).map(Math.exp);
        return row.map((each) => each / row.reduce((x, y) => x + y));
      }),
    );
    const [p = [], q = []] = shares;
    const rows = [0, 3].map((from) =>
      [0, 1, 2].reduce(
        (sum, i) => sum + (p[from + i] as number) * Math.log((p[from + i] as number) / (q[from + i] as number)),
        0,
      ),
    );
    const mean = ((rows[0] as number) + (rows[1] as number)) / 2;
    const ofLogits = observed(float([2, 3], [...logits[0]]), float([2, 3], [...logits[1]]), CLASSES);
    expect(ofLogits.divergence?.value).toBeCloseTo(mean, 6);
    expect(ofLogits.divergence?.n).toBe(2);
    expect(ofLogits.divergence?.low).toBeLessThan(mean);
    expect(ofLogits.measure).toEqual({ kind: 'classes', because: 'the graph ends in Softmax' });
    // Nothing but the values says that these are classes.
    const ofShares = observed(float([2, 3], p), float([2, 3], q));
    expect(ofShares.divergence?.value).toBeCloseTo(mean, 6);
    expect(ofShares.measure).toEqual({ kind: 'classes', because: 'its values are shares of a whole' });
  });

  it('is the tokens of sequences, decoded where a blank fills the steps', () => {
    // Steps of the classes 0 (blank), 1, 2, 3.
    const steps = (classes: number[]) =>
      classes.flatMap((right) => [0, 1, 2, 3].map((each) => (each === right ? 5 : 0)));
    const shape = [2, 5, 4];
    const a = float(shape, steps([1, 1, 0, 2, 0, 0, 3, 3, 0, 3]));
    // The first reads the same, one step later; the second loses its last token.
    const b = float(shape, steps([0, 1, 0, 2, 2, 0, 3, 3, 0, 0]));
    const found = observed(a, b, CLASSES);
    expect(found.sequences).toMatchObject({ blank: 0, same: { value: 0.5, n: 2 }, tokens: 4, edits: 1 });
    expect(found.measure?.kind).toBe('sequences');
    expect(found.top1Agreement?.value).toBe(0.7);
    const plain = observed(float([1, 5, 4], steps([1, 2, 1, 2, 3])), float([1, 5, 4], steps([1, 2, 1, 2, 2])), CLASSES);
    expect(plain.sequences).toMatchObject({ same: { value: 0 }, tokens: 5, edits: 1 });
    expect(plain.sequences?.blank).toBeUndefined();
  });

  it('is decisions of independent probabilities', () => {
    const sigmoid = { kind: 'scores', axis: -1, exclusive: false, because: 'the graph ends in Sigmoid' } as const;
    const found = observed(float([4, 1], [0.1, 0.6, 0.9, 0.4]), float([4, 1], [0.2, 0.4, 0.8, 0.3]), sigmoid);
    expect(found.sameDecisions).toMatchObject({ value: 0.75, n: 4 });
    expect(found.measure?.kind).toBe('decisions');
  });

  it('is noise and the worst channel of values', () => {
    const found = observed(float([2, 2], [1, 10, 2, 20]), float([2, 2], [1, 11, 2, 20]));
    expect(found.measure?.kind).toBe('values');
    expect(found.worstChannel).toMatchObject({ axis: 1, index: 1 });
  });

  it('names channels that stand still and classes that never come', () => {
    const rows = 8;
    const a = Array.from({ length: rows }, (_, i) => [i, 100 + Math.sin(i)]).flat();
    const still = observed(
      float([rows, 2], a),
      float(
        [rows, 2],
        a.map((value, i) => (i % 2 === 1 ? 100 : value)),
      ),
    );
    expect(still.constantChannels).toEqual({ axis: 1, channels: 2, count: 1, first: 1 });
    // Its mean hides it.
    expect(still.worstChannel?.sqnrDb).toBeGreaterThan(35);
    expect(observed(float([rows, 2], a), float([rows, 2], a)).constantChannels).toBeUndefined();
    const classes = (right: number[]) =>
      float(
        [rows, 3],
        right.flatMap((each) => [0, 1, 2].map((i) => (i === each ? 1 : 0))),
      );
    const dead = observed(classes([0, 1, 2, 2, 2, 2, 1, 0]), classes([0, 1, 1, 1, 0, 1, 1, 0]), CLASSES);
    expect(dead.lostClasses).toEqual([{ label: 2, rows: 4 }]);
  });
});
