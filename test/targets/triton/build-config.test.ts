import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { MODEL_CONFIG, type ModelConfig } from '../../../src/proto/model-config.js';
import { parseText, printText } from '../../../src/proto/text-format.js';
import { inputSpecs, outputSpecs } from '../../../src/samples/value-specs.js';
import { buildConfig, type ConfigParts } from '../../../src/targets/triton/build-config.js';
import { servedInterface } from '../../../src/targets/triton/serving-facts.js';
import type { ServingOptions } from '../../../src/targets/triton/triton-options.js';

const BATCHED = 'g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }';

function build(text: string, options: ServingOptions = {}, parts: Partial<ConfigParts> = {}): ModelConfig {
  const model = parseModel(`<ir_version: 8, opset_import: ["": 17]> ${text}`);
  const served = servedInterface(inputSpecs(model), outputSpecs(model));
  const { config } = buildConfig(
    { name: 'm', platform: 'onnxruntime_onnx', served, batchability: { kind: 'yes' }, modelName: 'm.onnx', ...parts },
    options,
  );
  const parsed = parseText(MODEL_CONFIG, 'ModelConfig', printText(MODEL_CONFIG, 'ModelConfig', config));
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join());
  return parsed.message;
}

const NO_BATCH = { batchability: { kind: 'no', why: 'it is fixed' } } as const;

describe('a configuration', () => {
  it('leaves the batch out of dims, and has it whole without batching', () => {
    expect(build(BATCHED).input).toEqual([{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }]);
    expect(build(BATCHED, { maxBatch: 0 }).input).toEqual([{ name: 'x', data_type: 'TYPE_FP32', dims: [-1, 4] }]);
  });

  it('reshapes a vector of one number a row, and no scalar', () => {
    const vector = build('g (float[N] x) => (float[N] y) { y = Relu(x) }');
    expect(vector.input).toEqual([{ name: 'x', data_type: 'TYPE_FP32', dims: [1], reshape: {} }]);
    const scalar = build('g (float x, float[3] z) => (float[3] y) { y = Mul(z, x) }', {}, NO_BATCH);
    expect(scalar.input).toEqual([
      { name: 'x', data_type: 'TYPE_FP32', dims: [1] },
      { name: 'z', data_type: 'TYPE_FP32', dims: [3] },
    ]);
  });

  it('has strings, and names with any character', () => {
    const config = build('g (string[N,2] "in \\"put\\"/0") => (string[N,2] y) { y = Identity("in \\"put\\"/0") }');
    expect(config.input?.[0]).toMatchObject({ name: 'in "put"/0', data_type: 'TYPE_STRING', dims: [2] });
  });

  it.each([
    ['bfloat16', 'bfloat16[N,4]'],
    ['complex64', 'complex64[N,4]'],
    ['float8e4m3fn', 'float8e4m3fn[N,4]'],
    ['int4', 'int4[N,4]'],
    ['sequences', 'seq(float[N])'],
    ['optionals', 'optional(float[N])'],
  ])('refuses %s with the name of the tensor', (_name, type) => {
    const text = `g (${type} strange) => (${type} y) { y = Identity(strange) }`;
    expect(() => build(text)).toThrowError(
      expect.objectContaining({ code: 'SO3501', message: expect.stringContaining('"strange"') }),
    );
  });

  it('refuses an unknown rank and a dimension of 0', () => {
    expect(() => build('g (float[] x) => (float[N,4] y) { y = Relu(x) }')).toThrowError(/rank is unknown/);
    expect(() => build('g (float[N,0] x) => (float[N,0] y) { y = Relu(x) }')).toThrowError(/dimension 1 is 0|of type/);
  });

  it('writes the options of batching', () => {
    const config = build(BATCHED, {
      maxBatch: 32,
      preferredBatches: [4, 8],
      maxDelayMicroseconds: 100,
      priorities: { levels: 3, defaultLevel: 2 },
      queueTimeout: { microseconds: 50_000, action: 'delay' },
    });
    expect(config.max_batch_size).toBe(32);
    expect(config.dynamic_batching).toEqual({
      preferred_batch_size: [4, 8],
      max_queue_delay_microseconds: 100,
      priority_levels: 3,
      default_priority_level: 2,
      default_queue_policy: {
        timeout_action: 'DELAY',
        default_timeout_microseconds: 50_000,
        allow_timeout_override: true,
      },
    });
  });

  it.each([
    ['preferredBatches', { preferredBatches: [4] }, '--preferred'],
    ['maxDelayMicroseconds', { maxDelayMicroseconds: 5 }, '--max-delay'],
    ['priorities', { priorities: { levels: 2, defaultLevel: 1 } }, '--priority'],
    ['queueTimeout', { queueTimeout: { microseconds: 5, action: 'reject' } }, '--queue-timeout'],
  ] as const)('refuses %s without batching, which a server would ignore', (_name, options, flag) => {
    expect(() => build(BATCHED, options, NO_BATCH)).toThrowError(
      expect.objectContaining({ code: 'SO1002', message: expect.stringContaining(flag), why: 'it is fixed' }),
    );
  });

  it('refuses a preferred batch above the largest', () => {
    expect(() => build(BATCHED, { maxBatch: 4, preferredBatches: [2, 8] })).toThrowError(/--preferred 8 .* 4/);
  });

  it.each([
    [undefined, undefined],
    ['off', { graph: { level: 2 } }],
    ['basic', { graph: { level: -1 } }],
    ['extended', { graph: { level: 1 } }],
    ['all', undefined],
  ] as const)('gives --optimization %s the level that the backend reads so', (optimization, expected) => {
    expect(build(BATCHED, optimization === undefined ? {} : { optimization }).optimization).toEqual(expected);
  });

  it('writes instances, devices, accelerators, threads, cache and policy', () => {
    const gpu = build(BATCHED, {
      instances: 2,
      device: { kind: 'gpu', ids: [0, 1] },
      accelerator: { name: 'tensorrt', precision: 'fp16' },
      threads: { intra: 2, inter: 3 },
      cache: true,
      policy: { kind: 'specific', versions: [1, 3] },
    });
    expect(gpu.instance_group).toEqual([{ kind: 'KIND_GPU', count: 2, gpus: [0, 1] }]);
    expect(gpu.optimization?.execution_accelerators).toEqual({
      gpu_execution_accelerator: [{ name: 'tensorrt', parameters: new Map([['precision_mode', 'FP16']]) }],
    });
    expect(gpu.parameters).toEqual(
      new Map([
        ['intra_op_thread_count', { string_value: '2' }],
        ['inter_op_thread_count', { string_value: '3' }],
        ['execution_mode', { string_value: '1' }],
      ]),
    );
    expect([gpu.response_cache, gpu.version_policy]).toEqual([{ enable: true }, { specific: { versions: [1, 3] } }]);
    const cpu = build(BATCHED, { device: { kind: 'cpu' }, accelerator: { name: 'openvino' }, policy: { kind: 'all' } });
    expect(cpu.instance_group).toEqual([{ kind: 'KIND_CPU' }]);
    expect(cpu.optimization?.execution_accelerators).toEqual({ cpu_execution_accelerator: [{ name: 'openvino' }] });
    expect(cpu.version_policy).toEqual({ all: {} });
  });

  it('refuses accelerators on the wrong device', () => {
    const cpu = { kind: 'cpu' } as const;
    expect(() => build(BATCHED, { device: cpu, accelerator: { name: 'tensorrt' } })).toThrowError(/contradict/);
    const gpu = { kind: 'gpu', ids: [] } as const;
    expect(() => build(BATCHED, { device: gpu, accelerator: { name: 'openvino' } })).toThrowError(/contradict/);
    expect(() => build(BATCHED, { device: cpu }, { platform: 'tensorrt_plan' })).toThrowError(/contradict/);
  });

  it('feeds START and READY of a model with sequences by the scheduler', () => {
    const text =
      'g (float[N,4] x, float[N,1] START, int32[N,1] ready, uint64[N,1] corrid) => (float[N,4] y) { y = Mul(x, START) }';
    const config = build(text, { sequence: 'oldest', maxBatch: 16, maxDelayMicroseconds: 100, preferredBatches: [8] });
    expect(config.input?.map(({ name }) => name)).toEqual(['x']);
    expect(config.dynamic_batching).toBeUndefined();
    expect(config.sequence_batching).toEqual({
      oldest: { max_candidate_sequences: 16, preferred_batch_size: [8], max_queue_delay_microseconds: 100 },
      control_input: [
        { name: 'START', control: [{ kind: 'CONTROL_SEQUENCE_START', fp32_false_true: [0, 1] }] },
        { name: 'ready', control: [{ kind: 'CONTROL_SEQUENCE_READY', int32_false_true: [0, 1] }] },
        { name: 'corrid', control: [{ kind: 'CONTROL_SEQUENCE_CORRID', data_type: 'TYPE_UINT64' }] },
      ],
    });
    expect(build(BATCHED, { sequence: 'direct' }).sequence_batching).toEqual({ direct: {} });
  });

  it.each([
    ['priorities', { priorities: { levels: 2, defaultLevel: 1 } }],
    ['a queue timeout', { queueTimeout: { microseconds: 5, action: 'reject' } }],
    ['a cache', { cache: true }],
    ['preferred batches of direct', { preferredBatches: [2] }],
  ] as const)('refuses %s with sequences', (_name, options) => {
    expect(() => build(BATCHED, { sequence: 'direct', ...options })).toThrowError(
      expect.objectContaining({ code: 'SO1002' }),
    );
  });

  it('sets any other field by its path', () => {
    const config = build(BATCHED, {
      fields: [
        'dynamic_batching.preserve_ordering=true',
        'instance_group[0].host_policy=cpu_0',
        'parameters.enable_mem_arena=0',
        'parameters[session.use_device_allocator_for_initializers]=1',
        'optimization.execution_accelerators.gpu_execution_accelerator[0].name=cuda',
      ],
    });
    expect(config.dynamic_batching).toEqual({ preserve_ordering: true });
    expect(config.instance_group).toEqual([{ host_policy: 'cpu_0' }]);
    expect([...(config.parameters ?? [])]).toEqual([
      ['enable_mem_arena', { string_value: '0' }],
      ['session.use_device_allocator_for_initializers', { string_value: '1' }],
    ]);
    expect(config.optimization?.execution_accelerators?.gpu_execution_accelerator).toEqual([{ name: 'cuda' }]);
  });

  it.each([
    ['dynamic_batching.prefered_batch_size=4', 'preferred_batch_size'],
    ['instance_grup=1', 'instance_group'],
    ['input[0].data_type=TYPE_FP23', 'TYPE_FP32'],
  ])('refuses --set %s with what was probably meant', (setting, near) => {
    expect(() => build(BATCHED, { fields: [setting] })).toThrowError(
      expect.objectContaining({ code: 'SO3503', why: expect.stringContaining(near) }),
    );
  });

  it('refuses a setting without a value, a value of another type, and a second scheduler', () => {
    expect(() => build(BATCHED, { fields: ['max_batch_size'] })).toThrowError(
      expect.objectContaining({ code: 'SO1006' }),
    );
    for (const field of ['max_batch_size=many', 'sequence_batching.max_sequence_idle_microseconds=5'])
      expect(() => build(BATCHED, { fields: [field] })).toThrowError(expect.objectContaining({ code: 'SO3503' }));
  });
});
