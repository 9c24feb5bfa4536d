/** Heads whose channels are of different sizes: boxes beside scores. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../../../src/ir/text/parse-model.js';
import { verifyModel } from '../../../../src/ir/verify.js';
import { writeModel } from '../../../../src/ir/write-model.js';
import { splitHead } from '../../../../src/passes/quantize/repair/split-head.js';
import { headGroups } from '../../../../src/quantize/repair/head-groups.js';
import { createRandom } from '../../../../src/tensor/random.js';
import { quantizeModel } from '../../../../src/workflows/quantize-model.js';
import { float32 } from '../../../helpers/npy.js';
import { runModel } from '../../../helpers/run-model.js';

const folder = mkdtempSync(join(tmpdir(), 'serve-opt-heads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('headGroups', () => {
  it('parts boxes from scores, for each anchor', () => {
    const boxes = (count: number) => new Array<number>(count).fill(400);
    const scores = (count: number) => new Array<number>(count).fill(1);
    expect(headGroups(Float64Array.from([...boxes(4), ...scores(20)]))).toEqual([0, 4]);
    const anchors = [...boxes(4), ...scores(6), ...boxes(4), ...scores(6)];
    expect(headGroups(Float64Array.from(anchors))).toEqual([0, 4, 10, 14]);
  });

  it('leaves channels of one size together, and silent or lone ones', () => {
    expect(headGroups(Float64Array.from([1, 1.2, 0.9, 1]))).toBeUndefined();
    expect(headGroups(new Float64Array(4))).toBeUndefined();
    expect(headGroups(Float64Array.of(1))).toBeUndefined();
    expect(headGroups(Float64Array.of(1, Number.NaN))).toBeUndefined();
  });
});

const random = createRandom(3);
const numbers = (count: number, scale: (at: number) => number = () => 1): string =>
  Array.from({ length: count }, (_, at) => (random.normal() * scale(at)).toFixed(5)).join(', ');
/** The same with one magnitude, so that all channels of a kind are of one size. */
const signs = (count: number, scale: (at: number) => number): string =>
  Array.from({ length: count }, (_, at) => (random.float() < 0.5 ? -scale(at) : scale(at))).join(', ');
const CHANNELS = 20;
/** Four boxes, 2.5 times as large as what is behind them: much larger ones keep the head in FP32. */
const size = (channel: number): number => (channel < 4 ? 2.5 : 1);
const TEXT = `<ir_version: 8, opset_import: ["": 17]>
g (float[n,3,8,8] x) => (float[n,${CHANNELS},8,8] y) <
  float[16,3,3,3] w1 = {${signs(432, () => 1)}}, float[16] b1 = {${numbers(16)}},
  float[${CHANNELS},16,1,1] w2 = {${signs(CHANNELS * 16, (at) => size(Math.floor(at / 16)))}},
  float[${CHANNELS}] b2 = {${numbers(CHANNELS, size)}}
> {
  [body] a = Conv <pads: ints = [1, 1, 1, 1]> (x, w1, b1)
  r = Relu (a)
  [head] y = Conv (r, w2, b2)
}`;

describe('splitHead', () => {
  it('computes the same from parts', async () => {
    const [whole, parts] = [parseModel(TEXT), parseModel(TEXT)];
    const head = [...parts.graph.nodes].find(({ name }) => name === 'head');
    expect(head && splitHead(head, [0, 4, 7])?.map(({ name }) => name)).toEqual(['head', 'head_part1', 'head_part2']);
    expect(verifyModel(parts)).toEqual([]);
    const [[before = []], [after = []]] = [await runModel(whole), await runModel(parts)];
    const largest = Math.max(...[...before].map(Math.abs));
    for (const [at, value] of before.entries())
      expect(Math.abs(value - (after[at] ?? NaN))).toBeLessThan(1e-5 * largest);
  });

  it('leaves groups alone', () => {
    const model = parseModel(
      '<ir_version: 8, opset_import: ["": 17]>\ng (float[1,2,1,1] x) => (float[1,2,1,1] y) <float[2,1,1,1] w = {1, 2}> { y = Conv <group: int = 2> (x, w) }',
    );
    expect(splitHead([...model.graph.nodes][0] as never, [0, 1])).toBeUndefined();
  });
});

describe('quantizeModel', () => {
  it('splits a head where that makes held-out errors smaller', async () => {
    const [path, dataPath] = [join(folder, 'head.onnx'), join(folder, 'head.npy')];
    await writeModel(parseModel(TEXT), path);
    const count = 64;
    const values = Float32Array.from({ length: count * 192 }, () => random.normal());
    writeFileSync(dataPath, float32([count, 3, 8, 8], values));
    const made = async (effort: 'low' | 'medium') =>
      quantizeModel(path, {
        dataPath,
        effort,
        allowSlower: true,
        maxGrowth: '100%',
        outputPath: join(folder, `${effort}.onnx`),
      });
    const [plain, repaired] = [await made('low'), await made('medium')];
    const step = repaired.repair?.steps.find((each) => each.step === 'head split');
    expect(step).toMatchObject({
      kept: true,
      what: expect.stringMatching(/^1 head in \d parts with a scale each/) as string,
    });
    expect((step?.sqnrAfterDb ?? 0) - (step?.sqnrBeforeDb ?? 0)).toBeGreaterThan(0.5);
    const sqnr = ({ verification }: typeof plain): number => verification.comparison?.outputs[0]?.sqnrDb ?? Number.NaN;
    expect(sqnr(repaired)).toBeGreaterThan(sqnr(plain) + 0.5);
    expect(repaired.leftInFloat).toEqual([]);
  });
});
