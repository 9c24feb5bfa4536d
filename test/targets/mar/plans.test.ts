import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dim } from '../../../src/ir/type.js';
import { imagePlan } from '../../../src/samples/images/image-plan.js';
import type { ValueSpec } from '../../../src/samples/types.js';
import { classPlan } from '../../../src/targets/mar/class-plan.js';
import type { MarFacts } from '../../../src/targets/mar/mar-facts.js';
import { checkMarName, marName } from '../../../src/targets/mar/mar-name.js';
import { MAR_DEFAULTS, type MarOptions } from '../../../src/targets/mar/mar-options.js';
import { pythonLiteral } from '../../../src/targets/mar/python-literal.js';
import { requirementsText } from '../../../src/targets/mar/requirements.js';
import { servedBatch } from '../../../src/targets/mar/served-batch.js';
import { textPlan } from '../../../src/targets/mar/text-plan.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { skipWhere } from '../../helpers/skip-where.js';

function spec(name: string, shape: readonly Dim[] | undefined, dataType: number = DataType.FLOAT): ValueSpec {
  return { name, shape, dataType, typeText: `type of ${name}` };
}

function facts(inputs: readonly ValueSpec[], outputs: readonly ValueSpec[], more: Partial<MarFacts> = {}): MarFacts {
  return {
    path: 'model.onnx',
    inputs,
    outputs,
    example: undefined,
    externalFiles: [],
    opset: 17,
    irVersion: 8,
    domains: [],
    dependsOnBatch: false,
    probabilities: new Set(),
    ...more,
  };
}

const OPTIONS: MarOptions = { ...MAR_DEFAULTS, name: 'm' };

describe('pythonLiteral', () => {
  const PYTHON = spawnSync('python3', ['--version']).status === 0;
  skipWhere(!PYTHON, 'there is no python3').it('gives Python the very value, whatever characters are in it', () => {
    const values = fc.sample(
      fc.letrec((tie) => ({
        value: fc.oneof(
          { maxDepth: 3 },
          fc.string({ unit: 'binary' }),
          fc.integer(),
          fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
          fc.boolean(),
          fc.constant(null),
          fc.array(tie('value'), { maxLength: 4 }),
          fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
        ),
      })).value as fc.Arbitrary<string>,
      { numRuns: 200, seed: 1 },
    );
    const lines = values.map(pythonLiteral);
    for (const line of lines) expect(line).not.toMatch(/[\r\n]/);
    const script =
      'import ast, json, sys; print(json.dumps([ast.literal_eval(line) for line in sys.stdin.read().split(chr(10))]))';
    const { stdout, stderr } = spawnSync('python3', ['-c', script], { input: lines.join('\n'), encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(values)));
  });
});

describe('servedBatch', () => {
  it('runs requests together only where one open dimension begins every tensor', () => {
    const kind = (...args: Parameters<typeof facts>): string => servedBatch(facts(...args)).kind;
    expect(kind([spec('x', ['N', 3])], [spec('y', ['N', 2])])).toBe('open');
    expect(kind([spec('x', [undefined, 3])], [spec('y', [undefined, 2])])).toBe('open');
    expect(kind([spec('x', ['N', 3])], [spec('y', ['M', 2])])).toBe('whole');
    expect(kind([spec('x', ['N', 3])], [spec('y', ['N', 'N+1'])])).toBe('one');
    expect(kind([spec('x', ['N', 3])], [spec('y', undefined)])).toBe('whole');
    expect(kind([spec('x', ['N', 3]), spec('s', [])], [spec('y', ['N'])])).toBe('whole');
    expect(kind([spec('x', [1, 3])], [spec('y', [1])])).toBe('one');
    expect(kind([spec('x', [8, 3])], [spec('y', [8])])).toBe('whole');
    expect(kind([], [spec('y', [1])])).toBe('whole');
    expect(kind([spec('x', ['N', 3])], [spec('y', ['N', 2])], { dependsOnBatch: true })).toBe('one');
  });
});

describe('imagePlan', () => {
  const image = (shape: readonly Dim[], dataType?: number): readonly ValueSpec[] => [spec('pixels', shape, dataType)];

  it('finds layout, size and channels from the input', () => {
    expect(imagePlan(image(['N', 3, 224, 160]), {})).toMatchObject({
      layout: 'nchw',
      width: 160,
      height: 224,
      mode: 'RGB',
    });
    expect(imagePlan(image(['N', 28, 28, 1]), {})).toMatchObject({
      layout: 'nhwc',
      width: 28,
      mode: 'L',
      mean: [0],
      std: [1],
    });
    expect(imagePlan(image([1, 4, 8, 8]), {})).toMatchObject({ mode: 'RGBA', mean: [0, 0, 0, 0] });
  });

  it('asks for what the input does not tell', () => {
    expect(() => imagePlan(image(['N', 3, 'H', 'W']), {})).toThrow(/any width/);
    expect(imagePlan(image(['N', 3, 'H', 'W']), { width: 64, height: 32 })).toMatchObject({ width: 64, height: 32 });
    expect(() => imagePlan(image(['N', 'C', 32, 32]), {})).toThrow(/layout/);
    expect(() => imagePlan(image(['N', 3, 32, 3]), {})).toThrow(/layout/);
    expect(imagePlan(image(['N', 3, 32, 3]), { layout: 'nchw' })).toMatchObject({ width: 3 });
  });

  it('refuses what is no image, and options that the input contradicts', () => {
    expect(() => imagePlan(image(['N', 64]), {})).toThrow(/does not take images/);
    expect(() => imagePlan(image(['N', 2, 8, 8]), { layout: 'nchw' })).toThrow(/does not take images/);
    expect(() => imagePlan(image(['N', 3, 8, 8], DataType.INT64), {})).toThrow(/does not take images/);
    expect(() => imagePlan([...image([1, 3, 8, 8]), spec('other', [1])], {})).toThrow(/does not take images/);
    expect(() => imagePlan(image(['N', 3, 8, 8]), { std: [0] })).toThrow(/std/);
    expect(() => imagePlan(image(['N', 3, 8, 8], DataType.UINT8), { mean: [1] })).toThrow(/mean/);
    expect(() => imagePlan(image(['N', 1, 8, 8]), { color: 'bgr' })).toThrow(/bgr/);
  });
});

describe('textPlan', () => {
  const ids = (shape: readonly Dim[]): readonly ValueSpec[] => [
    spec('input_ids', shape, DataType.INT64),
    spec('attention_mask', shape, DataType.INT64),
  ];
  const tokenizer = { vocabulary: false, lowercase: false };

  it('pads texts to run together only where a mask hides that and no output has their length', () => {
    const plan = (outputs: readonly ValueSpec[], inputs = ids(['N', 'L'])) =>
      textPlan(facts(inputs, outputs), { tokenizerPath: 't.json' }, tokenizer);
    expect(plan([spec('scores', ['N', 2])])).toMatchObject({ pads: true, maxLength: 512, length: null });
    expect(plan([spec('states', ['N', 'L', 8])])).toMatchObject({ pads: false });
    expect(plan([spec('scores', ['N', 2])], ids(['N', 'L']).slice(0, 1))).toMatchObject({ pads: false, mask: null });
    expect(plan([spec('scores', ['N', 2])], ids(['N', 128]))).toMatchObject({
      length: 128,
      maxLength: 128,
      pads: false,
    });
  });

  it('takes the length of the tokenizer before its own, and refuses one that the input cannot hold', () => {
    const model = facts(ids(['N', 'L']), [spec('scores', ['N', 2])]);
    expect(textPlan(model, { tokenizerPath: 't' }, { ...tokenizer, maxLength: 77 }).maxLength).toBe(77);
    expect(textPlan(model, { tokenizerPath: 't', maxLength: 9 }, { ...tokenizer, maxLength: 77 }).maxLength).toBe(9);
    const fixed = facts(ids([1, 16]), [spec('scores', [1, 2])]);
    expect(() => textPlan(fixed, { tokenizerPath: 't', maxLength: 17 }, tokenizer)).toThrow(/max-length/);
    expect(() => textPlan(facts([spec('x', ['N', 3], DataType.INT64)], []), { tokenizerPath: 't' }, tokenizer)).toThrow(
      /"?x/,
    );
  });
});

describe('classPlan', () => {
  const two = facts([spec('x', ['N', 3])], [spec('label', ['N'], DataType.INT64), spec('scores', ['N', 4])]);

  it('takes the output of scores that fits the labels', () => {
    expect(classPlan(two, { ...OPTIONS, labels: ['a', 'b', 'c', 'd'] })).toMatchObject({
      output: 'scores',
      index: 1,
      top: 4,
      numbers: false,
    });
    expect(classPlan(two, { ...OPTIONS, topK: 2 })).toMatchObject({ top: 2 });
    expect(classPlan(two, { ...OPTIONS, labels: ['a', 'b'], outputName: 'label' })).toMatchObject({ numbers: true });
    expect(classPlan(two, OPTIONS)).toBeUndefined();
  });

  it('refuses labels of another count, and asks where two outputs could have the classes', () => {
    expect(() => classPlan(two, { ...OPTIONS, labels: ['a'] })).toThrow(/1 label, .*4 classes/);
    const both = facts([spec('x', ['N'])], [spec('a', ['N', 4]), spec('b', ['N', 4])]);
    expect(() => classPlan(both, { ...OPTIONS, topK: 1 })).toThrow(/More than one/);
    const soft = facts([spec('x', ['N'])], [spec('a', ['N', 4])], { probabilities: new Set(['a']) });
    expect(() => classPlan(soft, { ...OPTIONS, topK: 1, softmax: true })).toThrow(/already/);
  });
});

describe('marName', () => {
  it('makes a name that the archiver takes of any file name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        checkMarName(marName(`${text.replaceAll('/', '')}.onnx`));
      }),
    );
    expect(marName('/models/res net-50.v1.onnx')).toBe('res_net-50.v1');
  });
});

describe('requirementsText', () => {
  it('asks for an ONNX Runtime that has the operators of the model', () => {
    const model = (opset: number, irVersion = 8) => facts([], [], { opset, irVersion });
    expect(requirementsText(model(17), OPTIONS)).toBe('numpy\nonnxruntime>=1.12\n');
    expect(requirementsText(model(21, 10), OPTIONS)).toContain('onnxruntime>=1.18');
    expect(requirementsText(model(17), { ...OPTIONS, device: 'gpu', preprocess: 'image' })).toBe(
      'numpy\nonnxruntime-gpu>=1.12\npillow>=9.1\n',
    );
  });
});
