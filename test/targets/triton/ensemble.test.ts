import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../../src/proto/model-config.js';
import { buildEnsemble, type EnsembleMember } from '../../../src/targets/triton/ensemble-config.js';

type Tensor = readonly [name: string, type: string, ...dims: number[]];

function member(name: string, maxBatch: number, inputs: readonly Tensor[], outputs: readonly Tensor[]): EnsembleMember {
  const tensors = (list: readonly Tensor[]) =>
    list.map(([tensor, type, ...dims]) => ({ name: tensor, data_type: type, dims }));
  const config = { name, max_batch_size: maxBatch, input: tensors(inputs), output: tensors(outputs) } as ModelConfig;
  return { name, config };
}

const prepare = member('prepare', 8, [['image', 'TYPE_UINT8', -1, -1, 3]], [['x', 'TYPE_FP32', 3, 32, 32]]);
const model = member('model', 32, [['x', 'TYPE_FP32', 3, 32, 32]], [['logits', 'TYPE_FP32', 10]]);
const top = member('top.1', 16, [['scores', 'TYPE_FP32', -1]], [['label', 'TYPE_STRING', 1]]);

const steps = (config: ModelConfig) =>
  config.ensemble_scheduling?.step?.map(({ model_name, input_map = new Map(), output_map = new Map() }) => [
    model_name,
    Object.fromEntries(input_map),
    Object.fromEntries(output_map),
  ]);

describe('an ensemble', () => {
  it('connects tensors of one name, and has the smallest batch', () => {
    const { config } = buildEnsemble([prepare, model], { name: 'all' });
    expect(config).toMatchObject({ name: 'all', platform: 'ensemble', max_batch_size: 8 });
    expect(config.input).toEqual([{ name: 'image', data_type: 'TYPE_UINT8', dims: [-1, -1, 3] }]);
    expect(config.output).toEqual([{ name: 'logits', data_type: 'TYPE_FP32', dims: [10] }]);
    expect(steps(config)).toEqual([
      ['prepare', { image: 'image' }, { x: 'x' }],
      ['model', { x: 'x' }, { logits: 'logits' }],
    ]);
  });

  it('connects tensors of other names by --map, of models with dots in their names too', () => {
    const { config } = buildEnsemble([model, top], {
      name: 'all',
      map: ['top.1.scores=model.logits', 'model.x=pixels', 'answer=top.1.label'],
    });
    expect(config.input?.map(({ name }) => name)).toEqual(['pixels']);
    expect(config.output?.map(({ name }) => name)).toEqual(['answer']);
    expect(steps(config)).toEqual([
      ['model', { x: 'pixels' }, { logits: 'logits' }],
      ['top.1', { scores: 'logits' }, { label: 'answer' }],
    ]);
  });

  it('gives one input to several steps, and keeps outputs of one name apart', () => {
    const a = member('a', 4, [['x', 'TYPE_FP32', -1]], [['y', 'TYPE_FP32', 2]]);
    const b = member('b', 4, [['x', 'TYPE_FP32', 7]], [['y', 'TYPE_FP32', 2]]);
    const sum = member(
      'sum',
      4,
      [
        ['l', 'TYPE_FP32', 2],
        ['r', 'TYPE_FP32', 2],
      ],
      [['z', 'TYPE_FP32', 2]],
    );
    const { config, notes } = buildEnsemble([a, b, sum], { name: 'all', map: ['sum.l=a.y', 'sum.r=b.y'] });
    expect(config.input).toEqual([{ name: 'x', data_type: 'TYPE_FP32', dims: [7] }]);
    expect(steps(config)?.[2]).toEqual(['sum', { l: 'y', r: 'b.y' }, { z: 'z' }]);
    expect(notes).toEqual([]);
  });

  it('may run a model twice', () => {
    const relu = member('relu', 4, [['x', 'TYPE_FP32', 2]], [['y', 'TYPE_FP32', 2]]);
    const { config } = buildEnsemble([relu, relu], { name: 'all', map: ['relu#2.x=relu.y'] });
    expect(steps(config)).toEqual([
      ['relu', { x: 'x' }, { y: 'y' }],
      ['relu', { x: 'y' }, { y: 'relu#2.y' }],
    ]);
  });

  it('is not batched where one of its models is not, and has whole shapes then', () => {
    const whole = member('whole', 0, [['x', 'TYPE_FP32', -1, 3, 32, 32]], [['y', 'TYPE_FP32', -1, 5]]);
    const { config, notes } = buildEnsemble([prepare, whole], { name: 'all' });
    expect(config).toMatchObject({
      max_batch_size: 0,
      input: [{ name: 'image', dims: [-1, -1, -1, 3] }],
      output: [{ name: 'y', dims: [-1, 5] }],
    });
    expect(notes.join()).toContain('not batched');
  });

  it.each([
    [
      'types differ',
      member('model', 8, [['x', 'TYPE_FP16', 3, 32, 32]], [['y', 'TYPE_FP32', 1]]),
      'TYPE_FP32 is not TYPE_FP16',
    ],
    ['shapes differ', member('model', 8, [['x', 'TYPE_FP32', 3, 64, 64]], [['y', 'TYPE_FP32', 1]]), 'does not fit'],
    ['ranks differ', member('model', 8, [['x', 'TYPE_FP32', 3, 1024]], [['y', 'TYPE_FP32', 1]]), 'does not fit'],
  ])('names both sides where %s', (_why, other, why) => {
    expect(() => buildEnsemble([prepare, other], { name: 'all' })).toThrowError(
      expect.objectContaining({
        code: 'SO3506',
        message: expect.stringMatching(/the output "x" of "prepare" .* the input "x" of "model"/),
        why: expect.stringContaining(why),
      }),
    );
  });

  it('refuses a step that is connected with nothing, and shows the connection to write', () => {
    expect(() => buildEnsemble([model, top], { name: 'all' })).toThrowError(
      expect.objectContaining({ code: 'SO3506', hint: 'connect them: --map top.1.scores=model.logits' }),
    );
  });

  it.each([
    ['model.z=prepare.x', 'SO3506', /has no input "z"/],
    ['model.x=prepare.y', 'SO3506', /has no output "y"/],
    ['prepare.image=model.logits', 'SO3506', /leads back/],
    ['nothing', 'SO1006', /--map/],
    ['a=b', 'SO1006', /--map/],
  ])('refuses --map %s', (map, code, message) => {
    expect(() => buildEnsemble([prepare, model], { name: 'all', map: [map] })).toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('refuses a batch that one of its models does not take, and a model without inputs', () => {
    expect(() => buildEnsemble([prepare, model], { name: 'all', maxBatch: 16 })).toThrowError(
      /"prepare" takes at most 8/,
    );
    expect(() => buildEnsemble([member('bare', 4, [], []), model], { name: 'all' })).toThrowError(/lists no inputs/);
  });
});
