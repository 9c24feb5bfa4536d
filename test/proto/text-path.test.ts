import { describe, expect, it } from 'vitest';
import { MODEL_CONFIG, type ModelConfig } from '../../src/proto/model-config.js';
import { parseText, printText } from '../../src/proto/text-format.js';
import { findTextPath, setTextField } from '../../src/proto/text-path.js';

const find = (path: string) => findTextPath(MODEL_CONFIG, 'ModelConfig', path);
function set(path: string, value: string, message: ModelConfig = {}): unknown {
  const result = setTextField(MODEL_CONFIG, 'ModelConfig', message, path, value);
  if (!result.ok) return result.suggestion === undefined ? result.why : `${result.why} → ${result.suggestion}`;
  // What is set prints and is read back.
  const parsed = parseText(MODEL_CONFIG, 'ModelConfig', printText(MODEL_CONFIG, 'ModelConfig', result.message));
  expect(parsed.ok && parsed.message).toEqual(result.message);
  return result.message;
}

describe('findTextPath', () => {
  it('gives the type of the last field', () => {
    const found = find('dynamic_batching.default_queue_policy.timeout_action');
    expect(found.ok && found.steps.at(-1)?.field.type).toBe('ModelQueuePolicy.TimeoutAction');
  });

  it('takes indices and keys', () => {
    const found = find('optimization.cuda.graph_spec[1].input["a.b"].dim');
    expect(found.ok && found.steps.map(({ name, index, key }) => [name, index ?? key])).toEqual([
      ['optimization', undefined],
      ['cuda', undefined],
      ['graph_spec', 1],
      ['input', 'a.b'],
      ['dim', undefined],
    ]);
  });

  const refused: readonly (readonly [path: string, why: string])[] = [
    ['', '"" is not a path'],
    ['a b', 'A model configuration has no field a'],
    ['name name', '"name name" is not a path'],
    ['name.', '"name." is not a path'],
    ['name.x', 'name takes a value and has no field x'],
    ['name[0]', 'name is not a list'],
    ['dynamic_batching.max_delay', 'dynamic_batching has no field max_delay'],
    ['__proto__', 'A model configuration has no field __proto__'],
  ];
  for (const [path, why] of refused) {
    it(`refuses "${path}"`, () => {
      const found = find(path);
      expect(found.ok ? '' : found.why).toMatch(why);
    });
  }

  it('suggests the name of a field', () => {
    expect(find('max_batchsize')).toMatchObject({ suggestion: 'max_batch_size' });
  });
});

describe('setTextField', () => {
  it('sets scalars, enums, texts with and without quotes', () => {
    expect(set('max_batch_size', '8')).toEqual({ max_batch_size: 8 });
    expect(set('instance_group[0].kind', 'KIND_GPU')).toEqual({ instance_group: [{ kind: 'KIND_GPU' }] });
    expect(set('name', 'a "b"')).toEqual({ name: 'a "b"' });
    expect(set('name', '"a"')).toEqual({ name: 'a' });
  });

  it('sets lists with and without brackets', () => {
    const expected = { dynamic_batching: { preferred_batch_size: [4, 8] } };
    expect(set('dynamic_batching.preferred_batch_size', '4,8')).toEqual(expected);
    expect(set('dynamic_batching.preferred_batch_size', '[ 4, 8 ]')).toEqual(expected);
    expect(set('instance_group[0].profile', 'a, b')).toEqual({ instance_group: [{ profile: ['a', 'b'] }] });
  });

  it('sets entries of maps, and blocks', () => {
    expect(set('parameters[a.b].string_value', '1')).toEqual({ parameters: new Map([['a.b', { string_value: '1' }]]) });
    expect(set('metric_tags["k"]', 'v')).toEqual({ metric_tags: new Map([['k', 'v']]) });
    expect(set('response_cache', '{ enable: true }')).toEqual({ response_cache: { enable: true } });
    expect(set('dynamic_batching.priority_queue_policy[2].max_queue_size', '4')).toEqual({
      dynamic_batching: { priority_queue_policy: new Map([[2, { max_queue_size: 4 }]]) },
    });
  });

  it('adds to what is there and leaves the message given as it was', () => {
    const before: ModelConfig = { input: [{ name: 'a' }], dynamic_batching: { priority_levels: 2 } };
    const copy = structuredClone(before);
    expect(set('input[1].name', 'b', before)).toMatchObject({ input: [{ name: 'a' }, { name: 'b' }] });
    expect(set('dynamic_batching.default_priority_level', '1', before)).toMatchObject({
      dynamic_batching: { priority_levels: 2, default_priority_level: 1 },
    });
    expect(before).toEqual(copy);
  });

  it('refuses what the field does not take', () => {
    expect(set('max_batch_size', 'many')).toBe('max_batch_size: many is not an integer of 32 bits');
    expect(set('input[0].data_type', 'FP32')).toBe('data_type has no value FP32 → TYPE_FP32');
    expect(set('parameters', '1')).toBe('parameters is a map: give the key in brackets, parameters[KEY]');
    expect(set('input[2].name', 'a')).toBe('input has 0 elements, so that there is no input[2]');
    expect(set('max_batch_size', '4 name: "x"')).toBe('max_batch_size takes one value, not 4 name: "x"');
    expect(set('max_batch_size', '0 max_batch_size: 4')).toMatch('takes one value');
    expect(set('metric_tags[a]', '"1" } metric_tags { key: "b"')).toEqual({
      metric_tags: new Map([['a', '"1" } metric_tags { key: "b"']]),
    });
  });

  it('refuses a second member of a oneof', () => {
    expect(set('sequence_batching', '{ }', { dynamic_batching: {} })).toBe(
      'dynamic_batching is set: only one of dynamic_batching, sequence_batching, ensemble_scheduling may be set',
    );
  });
});
