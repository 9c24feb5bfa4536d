import { describe, expect, it } from 'vitest';
import { engineInterface, parseTensorFlag } from '../../../src/targets/triton/engine-interface.js';
import { outputLabels } from '../../../src/targets/triton/labels.js';
import { isUneditedReadme, serverCommand, tritonReadme } from '../../../src/targets/triton/readme.js';
import type { ServedTensor } from '../../../src/targets/triton/serving-facts.js';
import { checkTritonName, tritonName } from '../../../src/targets/triton/triton-name.js';
import { warmupRequests } from '../../../src/targets/triton/warmup.js';
import { DataType } from '../../../src/tensor/dtype.js';

const tensor = (
  name: string,
  shape: ServedTensor['shape'],
  type: ServedTensor['type'] = 'TYPE_FP32',
): ServedTensor => ({
  name,
  type,
  shape,
  typeText: `float[${shape.join(',')}]`,
});

describe('labels', () => {
  const logits = tensor('logits', ['N', 3]);

  it('belong to the only output, line ends of any system', () => {
    const found = outputLabels('cat\r\ndog\r\nfrog\r\n', 'l.txt', [logits], true);
    expect(found).toEqual({ output: 'logits', text: 'cat\ndog\nfrog\n', count: 3, notes: [] });
  });

  it('may stand in JSON, as a list or by index', () => {
    expect(outputLabels('["cat", "dog", "frog"]', 'l.json', [logits], true).text).toBe('cat\ndog\nfrog\n');
    expect(outputLabels('{"1": "dog", "0": "cat", "2": "frog"}', 'l.json', [logits], true).count).toBe(3);
    expect(() => outputLabels('["cat", "dog", "fr\\nog"]', 'l.json', [logits], true)).toThrowError(
      /Label 3.*line break/,
    );
  });

  it('belong to the only output with so many classes, or to the one named', () => {
    const others = [tensor('embedding', ['N', 384]), logits, tensor('also', ['N', 3])];
    expect(outputLabels('a\nb\nc', 'l.txt', others.slice(0, 2), true).output).toBe('logits');
    expect(outputLabels('a\nb\nc', 'l.txt', others, true, 'also').output).toBe('also');
    expect(() => outputLabels('a\nb\nc', 'l.txt', others, true)).toThrowError(/several outputs have 3 classes/);
    expect(() => outputLabels('a\nb\nc', 'l.txt', others, true, 'none')).toThrowError(/--output-name/);
  });

  it('of another number are refused with both numbers', () => {
    expect(() => outputLabels('a\nb\n', 'l.txt', [logits], true)).toThrowError(
      expect.objectContaining({
        code: 'SO3505',
        message: '"l.txt" has 2 labels, and the output "logits" has 3 classes',
      }),
    );
  });

  it('are refused where a line is empty, or a row has several dimensions', () => {
    expect(() => outputLabels('a\n\nc\n', 'l.txt', [logits], true)).toThrowError(/Label 2 of "l.txt" is empty/);
    expect(() => outputLabels('a\nb\nc', 'l.txt', [tensor('y', ['N', 7, 3])], true)).toThrowError(/has 2 dimensions/);
    expect(() => outputLabels('a\nb', 'l.txt', [tensor('y', ['N'])], true)).toThrowError(/one number a row/);
  });

  it('of an open dimension are taken, and that is said', () => {
    expect(outputLabels('a\nb', 'l.txt', [tensor('y', ['N', 'classes'])], true).notes.join()).toContain('not checked');
  });
});

describe('warm-up', () => {
  it('has requests of one row and of a whole batch, with data in files', () => {
    const feeds = new Map([
      ['ids/0', { dataType: DataType.INT64, dims: [1, 3], data: BigInt64Array.from([1n, 2n, 3n]) }],
      ['ids:0', { dataType: DataType.STRING, dims: [1, 2], data: ['ab', 'é'] }],
    ]);
    const inputs = [tensor('ids/0', ['N', 'seq'], 'TYPE_INT64'), tensor('ids:0', ['N', 2], 'TYPE_STRING')];
    const { requests, files } = warmupRequests(inputs, feeds, 4);
    expect(requests.map(({ batch_size }) => batch_size)).toEqual([1, 4]);
    expect([...(requests[1]?.inputs ?? [])]).toEqual([
      ['ids/0', { data_type: 'TYPE_INT64', dims: [3], input_data_file: 'ids_0.bin' }],
      ['ids:0', { data_type: 'TYPE_STRING', dims: [2], input_data_file: 'ids_0_1.bin' }],
    ]);
    const [numbers, strings] = files.map((file) => ('bytes' in file ? [...file.bytes] : []));
    expect(numbers).toHaveLength(24);
    expect(strings).toEqual([2, 0, 0, 0, 97, 98, 2, 0, 0, 0, 0xc3, 0xa9]);
  });

  it('has whole tensors without batching, and [1] for a scalar', () => {
    const feeds = new Map([['sr', { dataType: DataType.INT64, dims: [], data: BigInt64Array.from([16_000n]) }]]);
    const { requests } = warmupRequests([tensor('sr', [], 'TYPE_INT64')], feeds, 0);
    expect(requests).toEqual([
      {
        name: 'rows-1',
        batch_size: 1,
        inputs: new Map([['sr', { data_type: 'TYPE_INT64', dims: [1], input_data_file: 'sr.bin' }]]),
      },
    ]);
  });
});

describe('the interface of an engine', () => {
  it('comes from its report, open sizes with their symbols', () => {
    const { inputs } = engineInterface([{ name: 'x', type: 'float16', dims: [-1, 3], symbols: ['N', null] }], []);
    expect(inputs).toEqual([{ name: 'x', type: 'TYPE_FP16', shape: ['N', 3], typeText: 'float16[N,3]' }]);
  });

  it('or from flags, where names may have colons', () => {
    expect(parseTensorFlag('input', 'a:0:float:-1,3')).toEqual({ name: 'a:0', type: 'float', dims: [-1, 3] });
    expect(parseTensorFlag('input', 's:int64:')).toEqual({ name: 's', type: 'int64', dims: [] });
  });

  it.each(['x', 'x:float', 'x:flaot:1', 'x:float:0', 'x:float:1,,2', ':float:1'])('not from %s', (text) => {
    expect(() => parseTensorFlag('output', text)).toThrowError(expect.objectContaining({ code: 'SO1006' }));
  });
});

describe('a model name', () => {
  it('is made of the file name', () => {
    expect(tritonName('/a/my model (v2).onnx')).toBe('my_model_v2_');
    expect(tritonName('..onnx')).toBe('model');
    expect(tritonName('résumé-1.5.onnx')).toBe('r_sum_-1.5');
    expect(tritonName('con.onnx')).toBe('model');
  });

  it.each(['../up', '/abs', 'a/b', 'a\\b', '', '.hidden', 'a\0b', 'nul', 'a.', 'é', 'x'.repeat(201)])(
    'is not %j',
    (name) => {
      expect(() => checkTritonName(name)).toThrowError(expect.objectContaining({ code: 'SO1006' }));
    },
  );
});

describe('the README', () => {
  const config = {
    name: 'm',
    max_batch_size: 4,
    input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [2] }],
    output: [{ name: 'y|<b>`', data_type: 'TYPE_STRING', dims: [-1] }],
  } as const;
  const facts = { config, image: 'triton:1', onGpu: false, repository: 'models', notes: ['A note.'], measured: [] };

  it('has the calls for the inputs of the model', () => {
    const text = tritonReadme(facts);
    expect(text).toContain(`{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,1]}]}`);
    expect(text).toContain('inputs.append(triton.InferInput("x", data.shape, "FP32"))');
    expect(text).toContain('| output | y\\|\\<b\\>\\` | BYTES | [-1, -1] |');
    expect(text).toContain('- A note.');
  });

  it('tells whether somebody edited it', () => {
    const text = tritonReadme(facts);
    expect(isUneditedReadme(text)).toBe(true);
    expect(isUneditedReadme(text.replace('A note.', 'Mine.'))).toBe(false);
    expect(isUneditedReadme('# mine\n')).toBe(false);
  });

  it('starts a server with the repository where it is', () => {
    const command = (repository: string, onGpu = false) => serverCommand({ ...facts, repository, onGpu });
    expect(command('./out/models/')).toContain('-v "$PWD/out/models:/models:ro" triton:1');
    expect(command('/srv/my models')).toContain('-v "/srv/my models:/models:ro"');
    expect(command('a"$(b)')).toContain('-v "$PWD/a\\"\\$(b):/models:ro"');
    expect(command('models', true)).toContain('--gpus=all');
  });
});
