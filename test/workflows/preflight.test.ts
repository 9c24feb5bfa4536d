/** Bad arguments of every command: told before any stage but `read` starts, and without a file made anywhere. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorCode, ServeOptError } from '../../src/errors.js';
import { parseBudget } from '../../src/gates/parse-budget.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import type { SampleSource } from '../../src/samples/types.js';
import { benchModels } from '../../src/workflows/bench/bench-models.js';
import { compare } from '../../src/workflows/compare.js';
import { optimizeModel } from '../../src/workflows/optimize-model.js';
import type { ProgressEvent, WorkflowContext } from '../../src/workflows/options.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';
import { float32, int64, npy, range } from '../helpers/npy.js';
import { npz } from '../helpers/zip.js';

/** Ten classes of eight features; `other` takes nine features, `third` an input of another name. */
function modelText(input: string, features: number, output = 'y'): string {
  return `<ir_version: 8, opset_import: ["" : 17]>
    g (float[batch, ${features}] ${input}) => (float[batch, 10] ${output})
    <float[${features}, 10] w = {${range(features * 10).join(', ')}}>
    { [layer] ${output} = MatMul(${input}, w) }`;
}

let folder: string;
/** Where temporary files go outside of this test. */
const temporary = process.env.TMPDIR;
const path = (name: string): string => join(folder, name);
const samples = (rows: number, features = 8): Buffer => float32([rows, features], range(rows * features));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-preflight-'));
  await writeModel(parseModel(modelText('x', 8)), path('model.onnx'));
  await writeModel(parseModel(modelText('x', 9)), path('other.onnx'));
  await writeModel(parseModel(modelText('z', 8)), path('third.onnx'));
  await writeModel(parseModel(modelText('x', 8, 'probabilities')), path('fourth.onnx'));
  const put = (name: string, data: Uint8Array | string): void => writeFileSync(path(name), data);
  const labels = (values: readonly number[]): Buffer => int64([values.length], values);
  put('good.npz', npz({ x: samples(4), labels: labels([0, 9, 3, 4]) }));
  put('unlabelled.npz', npz({ x: samples(4) }));
  put('targets.npz', npz({ x: samples(4), targets: labels([0, 1, 2, 3]) }));
  put('name.npz', npz({ xs: samples(4), labels: labels([0, 1, 2, 3]) }));
  put('rank.npz', npz({ x: float32([8], range(8)).subarray(0), labels: labels([0, 1, 2]) }));
  put('size.npz', npz({ x: samples(4, 7), labels: labels([0, 1, 2, 3]) }));
  put('type.npz', npz({ x: npy('|b1', [4, 8, 1], new Uint8Array(32)), labels: labels([0, 1, 2, 3]) }));
  put('count.npz', npz({ x: samples(4), labels: labels([0, 1, 2]) }));
  put('none.npz', npz({ x: float32([0, 8], []), labels: labels([]) }));
  put('high.npz', npz({ x: samples(4), labels: labels([0, 1, 2, 10]) }));
  put('ignored.npz', npz({ x: samples(4), labels: labels([-1, -1, -1, -1]) }));
  put('nan.npz', npz({ x: samples(4), labels: float32([4], [0, 1, Number.NaN, 2]) }));
  put('fractions.npz', npz({ x: samples(4), labels: float32([4], [0, 0.5, 1, 2]) }));
  put('torn.npz', npz({ x: samples(4) }).subarray(0, 60));
  put(
    'rows.csv',
    `${range(8)
      .map((i) => `f${i}`)
      .join()},label\n${range(8).join()},11\n`,
  );
  put('rows.jsonl', '{"x": [1, 2, 3], "label": 0}\n');
  put('empty.npz', '');
  put('notes.txt', 'no data');
  mkdirSync(path('empty'));
  mkdirSync(path('tmp'));
  process.env.TMPDIR = path('tmp');
});
afterAll(() => {
  if (temporary === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = temporary;
  rmSync(folder, { recursive: true, force: true });
});

const budget = (...texts: readonly string[]) => ({ budgets: texts.map(parseBudget) });

type Command = 'quantize' | 'optimize' | 'compare' | 'bench';
interface Given {
  readonly dataPath?: string;
  readonly dims?: ReadonlyMap<string, number>;
}
type Run = (options: Given, context?: WorkflowContext) => Promise<unknown>;
const COMMANDS: Readonly<Record<Command, Run>> = {
  quantize: (options, context) => quantizeModel(path('model.onnx'), options, context),
  optimize: (options, context) => optimizeModel(path('model.onnx'), options, context),
  compare: ({ dataPath, dims, ...options }, context) => {
    const sizes = dims ? { dims } : {};
    const samples: SampleSource =
      dataPath === undefined
        ? { kind: 'seeded', seed: 0, count: 2, ...sizes }
        : { kind: 'data', path: dataPath, ...sizes };
    return compare(path('model.onnx'), path('model.onnx'), samples, options, context);
  },
  bench: ({ dims, ...options }, context) => {
    const sizes = dims ? { dims: new Map([...dims].map(([name, size]) => [name, [size]])) } : {};
    return benchModels([path('model.onnx')], { ...options, ...sizes }, context);
  },
};

/** What a call that must fail fails with; it may start no stage but `read`, and leaves nothing. */
async function refusal(call: (context: WorkflowContext) => Promise<unknown>): Promise<ServeOptError> {
  const places = [folder, process.env.TMPDIR ?? ''];
  const listing = (): readonly string[][] => places.map((place) => readdirSync(place).sort());
  const before = listing();
  const stages: string[] = [];
  const onProgress = (event: ProgressEvent): void => {
    if (event.kind === 'start') stages.push(event.stage);
  };
  const error: unknown = await call({ onProgress }).then(
    () => new Error('it was not refused'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof ServeOptError)) throw error;
  expect(stages.filter((stage) => stage !== 'read')).toEqual([]);
  expect(listing()).toEqual(before);
  return error;
}

interface BadData {
  readonly file: string;
  readonly code: ErrorCode;
  readonly says: RegExp;
}

const BAD_DATA: readonly BadData[] = [
  { file: 'missing.npz', code: 'SO2001', says: /No such file/ },
  { file: 'empty.npz', code: 'SO4004', says: /is empty/ },
  { file: 'notes.txt', code: 'SO4001', says: /no supported data format/ },
  { file: 'empty', code: 'SO4001', says: /no readable samples/ },
  { file: 'torn.npz', code: 'SO4001', says: /not a readable \.npz/ },
  { file: 'name.npz', code: 'SO4002', says: /no array for input "x".*rename "xs" to "x"/ },
  { file: 'size.npz', code: 'SO4002', says: /Array "x" has shape \[4, 7\], the input expects \[batch, 8\]/ },
  { file: 'type.npz', code: 'SO4002', says: /Array "x" has shape \[4, 8, 1\], the input expects \[batch, 8\]/ },
  { file: 'count.npz', code: 'SO4005', says: /The number of labels, 3,/ },
  { file: 'none.npz', code: 'SO4004', says: /has no samples/ },
  { file: 'rows.jsonl', code: 'SO4002', says: /has shape \[1, 3\], the input expects \[batch, 8\]/ },
];

const BAD_LABELS: readonly BadData[] = [
  {
    file: 'unlabelled.npz',
    code: 'SO4005',
    says: /"unlabelled\.npz" has no labels.*no array is named "labels" or "label"/,
  },
  { file: 'targets.npz', code: 'SO4005', says: /besides the inputs it has "targets"/ },
  {
    file: 'high.npz',
    code: 'SO4005',
    says: /whole numbers from 0 to 10, one per sample; output "y" is float\[batch,10\]/,
  },
  { file: 'ignored.npz', code: 'SO4005', says: /below 0/ },
  { file: 'nan.npz', code: 'SO4005', says: /label of sample 2 is NaN/ },
  { file: 'fractions.npz', code: 'SO4005', says: /numbers from 0 to 2, one per sample/ },
  { file: 'rows.csv', code: 'SO4005', says: /from 11 to 11/ },
];

function words({ message, why, hint }: ServeOptError): string {
  return [message, why, hint].filter((part) => part !== undefined).join(' ');
}

describe.each(Object.keys(COMMANDS) as Command[])('%s', (command) => {
  it.each(BAD_DATA)('refuses the data $file before it begins', async ({ file, code, says }) => {
    const error = await refusal((context) => COMMANDS[command]({ dataPath: path(file) }, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });

  it.each<[string, object, ErrorCode, RegExp]>([
    ['an unknown provider', { executionProviders: ['cudaa'] }, 'SO1006', /"cudaa" is not an execution provider.*cuda/],
    ['a provider that is not there', { executionProviders: ['directml'] }, 'SO5005', /DirectML does not work here: /],
    ['no threads', { threads: command === 'bench' ? [0] : 0 }, 'SO1006', /"0" of --threads.*at least 1/],
    ['half a thread', { threads: command === 'bench' ? [0.5] : 0.5 }, 'SO1006', /--threads.*whole number/],
    ['a seed below 0', { seed: -1 }, 'SO1006', /"-1" of --seed.*at least 0/],
    ['a size of 0', { dims: new Map([['batch', 0]]) }, 'SO1006', /"batch".*at least 1/],
    ['a misspelt dimension', { dims: new Map([['bach', 1]]) }, 'SO1006', /no dimension "bach".*did you mean "batch"/],
    ['another size than the fixed one', { dims: new Map([['x:1', 3]]) }, 'SO4002', /"x:1" is 8, not 3/],
  ])('refuses %s', async (_title, options, code, says) => {
    const error = await refusal((context) => COMMANDS[command](options, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });
});

describe('quantize', () => {
  const calibration = (): object => ({ dataPath: path('good.npz') });

  it.each([...BAD_DATA, ...BAD_LABELS])('refuses $file for --eval, in the same words', async ({ file, code, says }) => {
    const options = { ...calibration(), evalPath: path(file) };
    const error = await refusal((context) => quantizeModel(path('model.onnx'), options, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });

  it.each<[string, object, ErrorCode, RegExp]>([
    ['a glob that matches nothing', { exclude: ['nosuch*'] }, 'SO1003', /"nosuch\*"/],
    ['a misspelt layer', { include: ['layr'] }, 'SO1003', /did you mean "layer"/],
    ['the same layer in and out', { include: ['layer'], exclude: ['layer'] }, 'SO1002', /contradict/],
    ['--eval without a run', { evalPath: 'good.npz', verify: false }, 'SO1002', /--eval and --no-verify/],
    ['static without data', { mode: 'static', dataPath: undefined }, 'SO1002', /--mode static needs --data/],
    ['an INT8 option of fp16', { mode: 'fp16', perTensor: true }, 'SO1002', /--per-tensor and --mode fp16/],
    ['fp16 inputs of INT8', { mode: 'dynamic', fp16Io: true }, 'SO1002', /--fp16-io needs --mode fp16/],
    ['a batch of none', { batch: 0 }, 'SO1006', /"0" of --batch.*at least 1/],
    ['a batch beyond 32 bits', { batch: 2 ** 31 }, 'SO1006', /"2147483648" of --batch.*at most 2147483647/],
    ['no samples', { samples: 0 }, 'SO1006', /"0" of --samples.*at least 1/],
  ])('refuses %s', async (_title, options, code, says) => {
    const all = { ...calibration(), ...options };
    const error = await refusal((context) => quantizeModel(path('model.onnx'), all, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });

  it.each<[string, object, ErrorCode, RegExp]>([
    ['a misspelt output', { outputName: 'yy' }, 'SO1006', /"yy" of --output-name.*outputs are "y".*did you mean "y"/],
    ['a misspelt metric', { metric: 'top1' }, 'SO1006', /"top1" of --metric.*did you mean "top-1"/],
    ['a metric that does not fit', { metric: 'auc' }, 'SO4005', /cannot be scored.*the requested metric is auc/],
    ['a gate of noise without a run', { evalPath: undefined, minSqnr: 30, verify: false }, 'SO1002', /--min-sqnr/],
    ['a gate of loss without labels', { evalPath: undefined, maxLoss: 0.01 }, 'SO1002', /--max-loss needs --eval/],
    ['a drop without labels', { evalPath: undefined, ...budget('drop=1%') }, 'SO1002', /--budget drop needs --eval/],
    ['an accuracy without labels', { evalPath: undefined, ...budget('accuracy=1') }, 'SO1002', /accuracy needs --eval/],
    [
      'a speed-up without a run',
      { evalPath: undefined, verify: false, ...budget('size=1MB', 'speed-up=1x') },
      'SO1002',
      /--budget speed-up and --no-verify contradict each other.*the result does not run/,
    ],
    [
      'an agreement without a run',
      { evalPath: undefined, verify: false, ...budget('agreement=1') },
      'SO1002',
      /agreement/,
    ],
    [
      'an accuracy that is an error',
      { metric: 'error', ...budget('accuracy=0.5') },
      'SO1002',
      /--budget accuracy and --metric error.*--budget drop=1%/,
    ],
    [
      'what only bench measures',
      budget('drop=1%', 'p99=1ms'),
      'SO1006',
      /"p99=1ms" of --budget.*bench, bench --url, tensorrt and bench --engine/,
    ],
  ])('refuses %s', async (_title, options, code, says) => {
    const all = { evalPath: path('good.npz'), ...options };
    const error = await refusal((context) => quantizeModel(path('model.onnx'), all, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });

  it('delivers nothing that misses a gate, and says by how much', async () => {
    const digits = join(import.meta.dirname, '..', '..', 'fixtures', 'digits-mlp', 'model.onnx');
    const options = { mode: 'dynamic', minSqnr: 200, allowSlower: true, outputPath: path('missed.onnx') } as const;
    await expect(quantizeModel(digits, options)).rejects.toMatchObject({ code: 'SO7001', exitCode: 4 });
    expect(readdirSync(folder)).not.toContain('missed.onnx');
  });

  it('warns of options of which nothing comes', async () => {
    const options = { samples: 2, seed: 1, executionProviders: ['cpu'], verify: false, dryRun: true };
    const { warnings } = await quantizeModel(path('model.onnx'), options);
    expect(warnings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^--samples has no effect without --data/),
        expect.stringMatching(/^--ep has no effect with --no-verify/),
        expect.stringMatching(/^--seed has no effect with --no-verify and without --data/),
      ]),
    );
  });

  it('measures labels that fit', async () => {
    const options = { dataPath: path('good.npz'), evalPath: path('good.npz'), dryRun: true };
    const { accuracy } = await quantizeModel(path('model.onnx'), options);
    expect(accuracy?.metrics?.[0]?.a.n).toBe(4);
  });
});

describe('optimize', () => {
  const sizes = (name: string, size: number) => ({ setDims: new Map([[name, size]]) });

  it.each<[string, object, ErrorCode, RegExp]>([
    ['a size of 0', sizes('batch', 0), 'SO1006', /"batch".*at least 1/],
    ['a size beyond 32 bits', sizes('batch', 2 ** 31), 'SO1006', /"batch".*at most 2147483647/],
    ['a misspelt dimension', sizes('bach', 1), 'SO1006', /no dimension "bach".*did you mean "batch"/],
    ['another size than the fixed one', sizes('x:1', 3), 'SO4002', /"x:1" is 8, not 3/],
    ['a dimension fixed and open', { ...sizes('n', 1), dynamic: new Map([['n', []]]) }, 'SO1002', /fixed and open/],
    ['an input to open that is not there', { dynamic: new Map([['n', ['q:0']]]) }, 'SO1006', /[Uu]nknown input "q"/],
    ['an opset that there is not', { opset: 99 }, 'SO1006', /--opset.*at most 24/],
    ['a limit of growth that is none', { maxGrowth: 'much' }, 'SO1006', /"much"/],
    ['an unknown pass', { add: ['fuse-gleu'] }, 'SO1006', /"fuse-gleu".*did you mean "fuse-gelu"/],
    ['a pass in and out', { add: ['fuse-gelu'], remove: ['fuse-gelu'] }, 'SO1002', /both added and left out/],
  ])('refuses %s', async (_title, options, code, says) => {
    const all = { ...options, dumpPath: path('dumps') };
    const error = await refusal((context) => optimizeModel(path('model.onnx'), all, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });
});

describe('optimize, of budgets,', () => {
  it.each<[string, object, ErrorCode, RegExp]>([
    ['an agreement', budget('agreement=1'), 'SO1006', /compare, quantize, prune and distill measure it/],
    ['a speed-up that nothing measures', { speedGate: false, ...budget('speed-up=1x') }, 'SO1002', /--no-speed-gate/],
  ])('refuses %s', async (_title, options, code, says) => {
    const error = await refusal((context) => optimizeModel(path('model.onnx'), options, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });
});

describe('compare', () => {
  it.each<[string, ErrorCode, RegExp]>([
    ['other.onnx', 'SO4002', /do not take the same inputs: one has "x: float\[batch,8\]"/],
    ['third.onnx', 'SO4002', /do not take the same inputs/],
    ['fourth.onnx', 'SO4005', /no output of the same name/],
  ])('refuses %s beside the model', async (other, code, says) => {
    const error = await refusal((context) => compare(path('model.onnx'), path(other), undefined, {}, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });
});

describe('compare, of what is to be scored,', () => {
  it.each<[string, object, ErrorCode, RegExp]>([
    ['a misspelt output', { dataPath: 'good.npz', outputName: 'Y1' }, 'SO1006', /"Y1" of --output-name/],
    ['a misspelt metric', { dataPath: 'good.npz', metric: 'eror' }, 'SO1006', /did you mean "error"/],
    ['an error of class numbers', { dataPath: 'good.npz', metric: 'error' }, 'SO4005', /the requested metric is error/],
    ['a metric without labels', { dataPath: 'unlabelled.npz', metric: 'top-1' }, 'SO4005', /no labels/],
    ['a gate of loss without labels', { dataPath: 'unlabelled.npz', maxLoss: 0.1 }, 'SO4005', /no labels/],
    ['a drop without labels', { dataPath: 'unlabelled.npz', ...budget('drop=1%') }, 'SO4005', /no labels/],
    ['an accuracy without data', budget('accuracy=0.5'), 'SO1002', /--budget accuracy needs --data/],
    [
      'what only bench measures',
      budget('memory=1MB'),
      'SO1006',
      /compare does not measure memory: bench and distill measure it/,
    ],
    ['a metric without data', { metric: 'top-1' }, 'SO1002', /--metric needs --data/],
    ['an output without data', { outputName: 'y' }, 'SO1002', /--output-name needs --data/],
    ['a batch of none', { dataPath: 'good.npz', batch: 0 }, 'SO1006', /"0" of --batch/],
  ])('refuses %s', async (_title, options, code, says) => {
    const { dataPath, ...others } = options as { dataPath?: string };
    const samples = dataPath === undefined ? undefined : path(dataPath);
    const error = await refusal((context) => compare(path('model.onnx'), path('model.onnx'), samples, others, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });

  it('takes what fits, and holds it against gates', async () => {
    const options = { metric: 'top-1', outputName: 'y', maxLoss: 0, minSqnr: 60 } as const;
    const report = await compare(path('model.onnx'), path('model.onnx'), path('good.npz'), options);
    expect(report.comparison).toMatchObject({ samples: 4, metrics: [{ metric: 'top-1 accuracy', output: 'y' }] });
    expect(report.budgets).toMatchObject([
      { metric: 'drop', measured: 0, verdict: 'pass' },
      { metric: 'sqnr', measured: Number.POSITIVE_INFINITY, verdict: 'pass' },
    ]);
  });
});

describe('bench', () => {
  it.each<[string, object, ErrorCode, RegExp]>([
    ['a size of 0', { dims: new Map([['batch', [0]]]) }, 'SO1006', /"batch".*at least 1/],
    ['a misspelt dimension', { dims: new Map([['bach', [1]]]) }, 'SO1006', /no dimension "bach".*did you mean "batch"/],
    ['another size than the fixed one', { dims: new Map([['x:1', [3]]]) }, 'SO4002', /"x:1" is 8, not 3/],
    ['a batch of none', { batch: [1, 0] }, 'SO1006', /"0" of --batch.*at least 1/],
    ['a batch beyond the data', { batch: [1, 64], dataPath: 'good.npz' }, 'SO4002', /needs 64 samples.*has 4/],
    ['too many processes', { streams: 300 }, 'SO1006', /--streams.*at most 256/],
    ['a rate out of its scenario', { scenario: 'offline', rate: 1 }, 'SO1002', /--rate and --scenario offline/],
    ['a server without a rate', { scenario: 'server' }, 'SO1002', /--scenario server needs --rate/],
    ['a least effect of nothing', { minEffect: 0.1 }, 'SO1002', /--min-effect needs --baseline/],
  ])('refuses %s', async (_title, options, code, says) => {
    const { dataPath } = options as { dataPath?: string };
    const all = dataPath === undefined ? options : { ...options, dataPath: path(dataPath) };
    const error = await refusal((context) => benchModels([path('model.onnx')], all, context));
    expect(error.code).toBe(code);
    expect(words(error)).toMatch(says);
  });
});
