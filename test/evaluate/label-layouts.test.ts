/** Labels as people write them, and outputs as models have them: what is scored, and that no sample is lost on the way. */

import { describe, expect, it } from 'vitest';
import type { MetricWish } from '../../src/evaluate/choose-metric.js';
import type { ComparisonResult } from '../../src/evaluate/comparison.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { modelBytes } from '../../src/ir/write-model.js';
import { ChildState } from '../../src/runtime/child-state.js';
import { compareJob } from '../../src/runtime/jobs/compare.js';
import { inputSpecs } from '../../src/samples/value-specs.js';
import { outputMeanings } from '../../src/workflows/workbench/output-meanings.js';
import { dataFolder } from '../helpers/data-files.js';
import { float32, int64 } from '../helpers/npy.js';
import { npz } from '../helpers/zip.js';

const put = dataFolder();
const state = new ChildState();

interface Side {
  readonly dims: string;
  readonly type?: 'float' | 'int64';
}

interface Case {
  /** Outputs by name; each is fed as `NAME_a` and `NAME_b`, and model A gives the one, B the other. */
  readonly outputs: Readonly<Record<string, Side>>;
  readonly data: Readonly<Record<string, Buffer>>;
  readonly wish?: MetricWish;
  readonly batchSize?: number;
  /** Operator between input and output. */
  readonly ends?: string;
}

let made = 0;

async function compareOn({ outputs, data, wish = {}, batchSize, ends = 'Identity' }: Case): Promise<ComparisonResult> {
  const name = `case-${made++}`;
  const names = Object.entries(outputs);
  const text = (side: 'a' | 'b'): string =>
    `<ir_version: 8, opset_import: ["" : 17]> g (${names
      .flatMap(([output, { dims, type = 'float' }]) => ['a', 'b'].map((each) => `${type}[${dims}] ${output}_${each}`))
      .join(
        ', ',
      )}) => (${names.map(([output, { dims, type = 'float' }]) => `${type}[${dims}] ${output}`).join(', ')}) { ${names
      .map(([output, { type = 'float' }]) => `${output} = ${type === 'float' ? ends : 'Identity'}(${output}_${side})`)
      .join('\n')} }`;
  const sessions: number[] = [];
  for (const side of ['a', 'b'] as const) {
    const path = put(`${name}.${side}.onnx`, await modelBytes(parseModel(text(side))));
    sessions.push((await state.load(path, { graphOptimization: 'disabled' })).id);
  }
  const path = put(`${name}.npz`, npz(data));
  const [a = 0, b = 0] = sessions;
  const model = parseModel(text('a'));
  return compareJob(
    state,
    {
      a,
      b,
      source: { kind: 'data', path },
      inputs: inputSpecs(model),
      wish,
      meanings: outputMeanings(model),
      ...(batchSize === undefined ? {} : { batchSize }),
    },
    () => {},
  );
}

/** `[metric, output, A, B, n]` of each metric. */
const scored = ({ metrics = [] }: ComparisonResult) =>
  metrics.map(({ metric, output, a, b }) => [metric, output, a.value, b.value, a.n]);

const list = (n: number, at: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => at(i));
/** Rows of scores in which class `of(i)` is the largest. */
const scores = (n: number, classes: number, of: (i: number) => number): Buffer =>
  float32(
    [n, classes],
    list(n * classes, (j) => (j % classes === of(Math.floor(j / classes)) ? 3 : ((j * 7) % 11) / 11)),
  );

describe('labels −1 and +1', () => {
  const sign = (i: number): number => (i % 3 === 0 ? 1 : -1);
  const labels = int64([50], list(50, sign));
  /** Wrong on the first `wrong` samples. */
  const answers = (wrong: number) => (i: number) => (i < wrong ? -sign(i) : sign(i));

  it('are both scored where the model answers with them', async () => {
    const result = await compareOn({
      outputs: { label: { dims: 'N', type: 'int64' } },
      data: { label_a: int64([50], list(50, answers(6))), label_b: int64([50], list(50, answers(27))), labels },
    });
    expect(scored(result)).toEqual([['accuracy', 'label', 0.88, 0.46, 50]]);
  });

  it('are no and yes for one score, with an area under the curve', async () => {
    const one = (wrong: number) =>
      float32(
        [50],
        list(50, (i) => answers(wrong)(i) * (1 + (i % 5))),
      );
    const result = await compareOn({ outputs: { y: { dims: 'N' } }, data: { y_a: one(0), y_b: one(6), labels } });
    expect(scored(result)).toMatchObject([
      ['ROC AUC', 'y', 1, expect.any(Number), 50],
      ['accuracy at 0', 'y', 1, 0.88, 50],
    ]);
    expect(result.metrics?.[0]?.b.value).toBeGreaterThan(0.5);
  });

  it('are two classes for two scores', async () => {
    const two = (wrong: number) => scores(50, 2, (i) => (answers(wrong)(i) + 1) / 2);
    const result = await compareOn({ outputs: { y: { dims: 'N,2' } }, data: { y_a: two(0), y_b: two(6), labels } });
    expect(scored(result)).toEqual([['top-1 accuracy', 'y', 1, 0.88, 50]]);
  });

  it('mean the same to a model that answers 0 and 1', async () => {
    const zeroOne = int64(
      [50],
      list(50, (i) => (answers(6)(i) + 1) / 2),
    );
    const result = await compareOn({
      outputs: { label: { dims: 'N', type: 'int64' } },
      data: { label_a: zeroOne, label_b: zeroOne, labels },
    });
    expect(scored(result)).toEqual([['accuracy', 'label', 0.88, 0.88, 50]]);
  });

  it('are −1 for what is not scored where other classes stand beside, and that is said', async () => {
    const marked = int64([6], [0, 1, 2, -1, 2, -1]);
    const result = await compareOn({
      outputs: { y: { dims: 'N,3' } },
      data: { y_a: scores(6, 3, (i) => i % 3), y_b: scores(6, 3, () => 0), labels: marked },
    });
    expect(scored(result)).toEqual([['top-1 accuracy', 'y', 0.75, 0.25, 4]]);
    expect(result.metrics?.[0]?.explanation).toContain('2 labels below 0 are not scored');
  });
});

describe('labels with a number for each class', () => {
  const marks = (n: number, classes: number, of: (i: number) => number, on = 1, off = 0): number[] =>
    list(n * classes, (j) => (j % classes === of(Math.floor(j / classes)) ? on : off));

  it.each([
    [
      'one-hot',
      int64(
        [50, 5],
        marks(50, 5, (i) => i % 5),
      ),
    ],
    [
      'one-hot of −1 and +1',
      int64(
        [50, 5],
        marks(50, 5, (i) => i % 5, 1, -1),
      ),
    ],
    [
      'one-hot in floats, with an axis of 1',
      float32(
        [50, 1, 5],
        marks(50, 5, (i) => i % 5),
      ),
    ],
    [
      'smoothed',
      float32(
        [50, 5],
        marks(50, 5, (i) => i % 5, 0.9, 0.025),
      ),
    ],
  ])('%s are classes', async (_name, labels) => {
    const result = await compareOn({
      outputs: { y: { dims: 'N,5' } },
      data: {
        y_a: scores(50, 5, (i) => (i < 9 ? i % 5 : (i + 1) % 5)),
        y_b: scores(50, 5, (i) => (i < 12 ? i % 5 : (i + 1) % 5)),
        labels,
      },
    });
    expect(scored(result)).toEqual([['top-1 accuracy', 'y', 0.18, 0.24, 50]]);
    expect(result.outputs[0]).toMatchObject({ top1Agreement: { n: 50 }, sqnrDb: expect.any(Number) });
  });

  it('multi-hot are decisions of their own, cut where probabilities or logits are', async () => {
    const labels = int64([4, 3], [1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0]);
    const right = [1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0];
    const wrong = right.map((value, i) => (i === 1 ? 0 : value));
    const probabilities = (values: number[]) =>
      float32(
        [4, 3],
        values.map((value) => (value === 1 ? 0.8 : 0.3)),
      );
    const logits = (values: number[]) =>
      float32(
        [4, 3],
        values.map((value) => (value === 1 ? 0.2 : -2)),
      );
    for (const of of [probabilities, logits]) {
      const result = await compareOn({
        outputs: { y: { dims: 'N,3' } },
        data: { y_a: of(right), y_b: of(wrong), labels },
      });
      expect(scored(result)).toEqual([
        ['micro F1', 'y', 1, 8 / 9, 12],
        ['label accuracy', 'y', 1, 11 / 12, 12],
      ]);
    }
  });
});

describe('several outputs', () => {
  const classOf = (i: number): number => (i * 3) % 5;
  const labels = int64([50], list(50, classOf));
  const a = scores(50, 5, classOf);
  const b = scores(50, 5, (i) => (i < 10 ? (classOf(i) + 1) % 5 : classOf(i)));

  it('are scored by the logits, not by a length beside them', async () => {
    const lengths = int64(
      [50],
      list(50, (i) => 1 + (i % 8)),
    );
    const data = { logits_a: a, logits_b: b, length_a: lengths, length_b: lengths, labels };
    const outputs = { logits: { dims: 'N,5' }, length: { dims: 'N', type: 'int64' } } as const;
    for (const batchSize of [1, 50]) {
      const result = await compareOn({ outputs, data, batchSize });
      expect(scored(result)).toEqual([['top-1 accuracy', 'logits', 1, 0.8, 50]]);
      expect(result.metrics?.[0]?.explanation).toContain(
        'output "length" as the prediction would fit the labels less well',
      );
    }
    const length = await compareOn({ outputs, data, wish: { output: 'length' } });
    expect(scored(length)).toMatchObject([['accuracy', 'length', expect.any(Number), expect.any(Number), 50]]);
  });

  it('are scored by the answer where it is that, whatever its name', async () => {
    const given = int64([50], list(50, classOf));
    const data = { z_a: a, z_b: b, out_a: given, out_b: given, labels };
    const result = await compareOn({ outputs: { z: { dims: 'N,5' }, out: { dims: 'N', type: 'int64' } }, data });
    expect(scored(result)).toEqual([['accuracy', 'out', 1, 1, 50]]);
  });

  it('are scored by classes rather than by boxes that have fewer numbers', async () => {
    const few = int64(
      [20],
      list(20, (i) => i % 4),
    );
    const boxes = scores(20, 4, () => 0);
    const result = await compareOn({
      outputs: { boxes: { dims: 'N,4' }, out: { dims: 'N,5' } },
      data: { boxes_a: boxes, boxes_b: boxes, out_a: scores(20, 5, (i) => i % 4), out_b: boxesLike(), labels: few },
    });
    expect(scored(result)).toMatchObject([['top-1 accuracy', 'out', 1, 0.25, 20]]);
    expect(result.outputs.find(({ name }) => name === 'boxes')?.top1Agreement).toBeUndefined();
  });

  const boxesLike = (): Buffer => scores(20, 5, () => 0);
});

describe('rows that are filled up', () => {
  /** Steps for a text: each symbol once, a blank after it. */
  const steps = (texts: readonly (readonly number[])[], length: number, classes: number, blank: number): Buffer =>
    float32(
      [texts.length, length, classes],
      texts.flatMap((text) =>
        list(length * classes, (j) => {
          const step = Math.floor(j / classes);
          const symbol = step % 2 === 0 ? (text[step / 2] ?? blank) : blank;
          return j % classes === symbol ? 5 : 0;
        }),
      ),
    );
  const padded = (texts: readonly (readonly number[])[], width: number, filler: number): Buffer =>
    int64(
      [texts.length, width],
      texts.flatMap((text) => list(width, (i) => text[i] ?? filler)),
    );
  const texts = [[4, 2, 4, 3], [3, 2, 3], [1, 3, 4, 2], [2]];
  const others = [[4, 2, 4, 3], [3, 2, 1], [1, 3, 4], [3]];

  it.each([
    ['−1', 0, -1],
    ['the blank', 0, 0],
    ['−1, the blank being the last class', 5, -1],
  ])('to the steps of the output with %s are texts', async (_name, blank, filler) => {
    const data = {
      y_a: steps(texts, 8, 6, blank),
      y_b: steps(others, 8, 6, blank),
      labels: padded(texts, 8, filler),
    };
    const result = await compareOn({ outputs: { y: { dims: 'N,8,6' } }, data });
    expect(scored(result)).toEqual([
      ['exact sequence match', 'y', 1, 0.25, 4],
      ['character error rate', 'y', 0, 3 / 12, 12],
    ]);
    expect(result.metrics?.[0]?.explanation).toContain('would fit the labels less well');
  });

  it('are labels of positions where the model answers position by position', async () => {
    const tags = [
      [1, 1, 2, 3],
      [2, 2, 1],
      [3, 3],
    ];
    const positions = (rows: readonly (readonly number[])[]): Buffer =>
      float32(
        [3, 5, 4],
        rows.flatMap((row) => list(20, (j) => (j % 4 === (row[Math.floor(j / 4)] ?? 0) ? 2 : 0))),
      );
    const data = {
      y_a: positions(tags),
      y_b: positions([
        [1, 1, 2, 2],
        [2, 2, 1],
        [3, 3],
      ]),
      labels: padded(tags, 5, -1),
    };
    const result = await compareOn({ outputs: { y: { dims: 'N,5,4' } }, data });
    expect(scored(result)).toEqual([['top-1 accuracy', 'y', 1, 8 / 9, 9]]);
    const wished = await compareOn({ outputs: { y: { dims: 'N,5,4' } }, data, wish: { metric: 'ctc' } });
    expect(scored(wished)[0]?.[0]).toBe('exact sequence match');
  });

  it('are classes of pixels where the classes lie on the second axis', async () => {
    const labels = int64([2, 2, 3], [0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0]);
    const pixels = [0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0];
    const maps = float32(
      [2, 2, 2, 3],
      list(24, (j) => {
        const [sample, channel, pixel] = [Math.floor(j / 12), Math.floor(j / 6) % 2, j % 6];
        return pixels[sample * 6 + pixel] === channel ? 1 : 0;
      }),
    );
    const result = await compareOn({ outputs: { y: { dims: 'N,2,2,3' } }, data: { y_a: maps, y_b: maps, labels } });
    expect(scored(result)).toEqual([['top-1 accuracy', 'y', 1, 1, 12]]);
    expect(result.outputs[0]?.top1Agreement).toMatchObject({ value: 1, n: 12 });
  });
});

describe('masks with 255 where nothing is to be scored', () => {
  const [n, classes, side] = [12, 3, 4];
  const pixels = n * side * side;
  const label = (i: number): number => (i % 4 === 0 ? 255 : i % classes);
  const labels = int64([n, side, side], list(pixels, label));

  it('are not scored there, whether classes or the answer are given', async () => {
    const answer = int64(
      [n, side, side],
      list(pixels, (i) => i % classes),
    );
    const answers = await compareOn({
      outputs: { mask: { dims: `N, ${side}, ${side}`, type: 'int64' } },
      data: { mask_a: answer, mask_b: answer, labels },
    });
    expect(scored(answers)).toEqual([['accuracy', 'mask', 1, 1, (pixels * 3) / 4]]);
    expect(answers.metrics?.[0]?.explanation).toContain(`${pixels / 4} labels below 0 or of 255 are not scored`);
    const y = float32(
      [n, side, side, classes],
      list(pixels * classes, (j) => (j % classes === Math.floor(j / classes) % classes ? 3 : ((j * 7) % 11) / 11)),
    );
    const lastAxis = await compareOn({
      outputs: { y: { dims: `N, ${side}, ${side}, ${classes}` } },
      data: { y_a: y, y_b: y, labels },
    });
    expect(scored(lastAxis)).toEqual([['top-1 accuracy', 'y', 1, 1, (pixels * 3) / 4]]);
  });
});

describe('a model with a fixed batch size', () => {
  const labels = (n: number) =>
    int64(
      [n],
      list(n, (i) => i % 5),
    );

  it.each([10, 8, 5])('of 4 takes all of %i samples, the last run filled up and cut', async (n) => {
    const data = {
      y_a: scores(n, 5, (i) => i % 5),
      y_b: scores(n, 5, (i) => (i === n - 1 ? 0 : i % 5)),
      labels: labels(n),
    };
    const result = await compareOn({ outputs: { y: { dims: '4,5' } }, data });
    const right = (n - 1) % 5 === 0 ? 1 : (n - 1) / n;
    expect(result).toMatchObject({ samples: n, batchSize: 4, outputs: [{ elements: 5 * n }] });
    expect(scored(result)).toEqual([['top-1 accuracy', 'y', 1, right, n]]);
  });
});

describe('outputs that are no classes', () => {
  const rows = (seed: number): Buffer =>
    float32(
      [12, 4],
      list(48, (j) => Math.sin(j * 1.7 + seed)),
    );

  it.each([
    [
      'a regression of several columns',
      'targets',
      float32(
        [12, 4],
        list(48, (j) => Math.cos(j)),
      ),
    ],
    ['boxes', 'boxes', undefined],
    ['an embedding', 'embedding', undefined],
    ['numbers of an unknown meaning', 'y', undefined],
  ])('%s have no agreement of top-1', async (_name, output, labels) => {
    const data = { [`${output}_a`]: rows(0), [`${output}_b`]: rows(0.1), ...(labels ? { labels } : {}) };
    const result = await compareOn({ outputs: { [output]: { dims: 'N,4' } }, data });
    expect(result.outputs[0]).toMatchObject({ sqnrDb: expect.any(Number), cosine: expect.any(Number) });
    expect(result.outputs[0]?.top1Agreement).toBeUndefined();
    expect(scored(result).map(([metric]) => metric)).toEqual(
      labels ? ['mean absolute error', 'root mean square error'] : [],
    );
  });

  it.each(['Softmax', 'LogSoftmax', 'Sigmoid'])('but what ends in %s has it, beside its noise', async (ends) => {
    const result = await compareOn({
      outputs: { y: { dims: 'N,4' } },
      data: { y_a: rows(0), y_b: rows(0.1) },
      ends,
    });
    expect(result.outputs[0]).toMatchObject({
      top1Agreement: { n: 12 },
      classScores: { because: `the graph ends in ${ends}`, exclusive: ends !== 'Sigmoid' },
      sqnrDb: expect.any(Number),
      cosine: expect.any(Number),
    });
  });
});
