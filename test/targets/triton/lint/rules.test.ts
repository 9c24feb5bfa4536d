/** One case at least for each rule, and what is said of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RuleId, TRITON_RULES } from '../../../../src/targets/triton/lint/rules.js';
import { BATCHED, type Folder, HEAD, line, lint, onnx, PLAIN, X4, Y4 } from './lint-text.js';

type Models = Readonly<Record<string, Folder>>;
interface Case {
  readonly rule: RuleId;
  /** What is said, from its beginning. */
  readonly what: string;
  readonly models: Models;
}
const one = (rule: RuleId, what: string, model: Folder): Case => ({ rule, what, models: { model } });
const plus = (rule: RuleId, what: string, fields: string): Case => one(rule, what, onnx(`${PLAIN}${fields}\n`));
const instead = (rule: RuleId, what: string, text: string, by: string, graph = BATCHED): Case =>
  one(rule, what, onnx(PLAIN.replace(text, by), graph));

const UNBATCHED = PLAIN.replace('8', '0').replaceAll('dims: 4', 'dims: [-1, 4]');
const STEP_A =
  'step { model_name: "a" model_version: -1 input_map { key: "X" value: "IN" } output_map { key: "Y" value: "MID" } }\n';
const STEP_B =
  'step { model_name: "b" model_version: -1 input_map { key: "X" value: "MID" } output_map { key: "Y" value: "OUT" } }\n';
const IO = 'input { name: "IN" data_type: TYPE_FP32 dims: 4 }\noutput { name: "OUT" data_type: TYPE_FP32 dims: 4 }\n';
const ENSEMBLE = `platform: "ensemble"\nmax_batch_size: 8\n${IO}ensemble_scheduling {\n${STEP_A}${STEP_B}}\n`;
function ensemble(rule: RuleId, what: string, text: string, by: string, more: Models = {}): Case {
  if (!ENSEMBLE.includes(text)) throw new Error(`The ensemble has no ${text}`);
  const pipeline = { config: ENSEMBLE.replace(text, by), files: { '1/': 0 } };
  return { rule, what, models: { pipeline, a: onnx(PLAIN), b: onnx(PLAIN), ...more } };
}
const warmup = (fields: string): string =>
  `model_warmup { name: "w" batch_size: 1 inputs { key: "X" value { ${fields} } } }`;
const sequence = (fields: string): string => `sequence_batching { ${fields} }`;

const CASES: readonly Case[] = [
  one('config-unreadable', 'The configuration cannot be read: permission denied', {
    configUnreadable: 'permission denied',
    files: { '1/model.onnx': 1 },
  }),
  one('config-too-large', 'The text has more than 1 MiB', onnx('#'.repeat(1024 * 1024 + 1))),
  one('text-encoding', 'The text begins with a byte order mark', onnx(`\xef\xbb\xbf${PLAIN}`)),
  one('text-syntax', 'A field name is due here', onnx(`${PLAIN}}`)),
  one('unknown-field', 'A model configuration has no field max_batchsize', onnx('max_batchsize: 4')),
  one('field-value', 'data_type has no value FP32', onnx(PLAIN.replace('TYPE_FP32', 'FP32'))),
  one(
    'field-twice',
    'sequence_batching is set beside dynamic_batching',
    onnx('dynamic_batching { } sequence_batching { }'),
  ),
  plus(
    'key-twice',
    'The key "a" is there twice',
    'metric_tags { key: "a" value: "1" } metric_tags { key: "a" value: "2" }',
  ),
  instead('octal-number', 'max_batch_size is 8', 'max_batch_size: 8', 'max_batch_size: 010'),
  plus('text-bytes', 'value has bytes that are not UTF-8', 'metric_tags { key: "a" value: "\xe9" }'),
  one('folder-unreadable', 'The folder cannot be read: permission denied', { unreadable: 'permission denied' }),
  { rule: 'name-in-url', what: 'The name "my model"', models: { 'my model': onnx(PLAIN) } },
  one('broken-link', 'The link leads nowhere', onnx(PLAIN, BATCHED, { links: { 'vocab.txt': 'broken' } })),
  one('link-outside', 'The link leads out of what is checked', { config: PLAIN, links: { '1/model.onnx': 'outside' } }),
  one('folder-too-deep', 'The model is in the folder "model"', { files: { 'model/1/': 0, 'model/config.pbtxt': 9 } }),
  one(
    'config-misplaced',
    'The configuration is in a version folder',
    onnx(undefined, BATCHED, { files: { '1/config.pbtxt': 9 } }),
  ),
  one(
    'config-misnamed',
    'The configuration is named config.pbtx',
    onnx(undefined, BATCHED, { files: { 'config.pbtx': 9 } }),
  ),
  one('no-config', 'There is no config.pbtxt', onnx(undefined)),
  { rule: 'not-a-model', what: 'The folder "docs"', models: { model: onnx(PLAIN), docs: { files: { 'a.md': 9 } } } },
  one('version-beyond', 'The version "99999999999999999999"', {
    config: PLAIN,
    files: { '99999999999999999999/model.onnx': 9, '1/model.onnx': 9 },
  }),
  plus('version-absent', 'There is no version 7', 'version_policy { specific { versions: [1, 7] } }'),
  one(
    'version-name',
    'The folder "2_old" is taken for version 2',
    onnx(PLAIN, BATCHED, { files: { '2_old/model.onnx': 9 } }),
  ),
  one('folder-ignored', 'The folder "v2" is no version', onnx(PLAIN, BATCHED, { files: { 'v2/model.onnx': 9 } })),
  one('no-version', 'There is no version folder: model.onnx is beside', { config: PLAIN, files: { 'model.onnx': 9 } }),
  plus('no-version', 'The version policy is the latest 0 versions', 'version_policy { latest { } }'),
  ensemble('ensemble-file', 'The ensemble has a model file', IO, IO, {
    pipeline: { config: ENSEMBLE, files: { '1/model.onnx': 9 } },
  }),
  one('no-model-file', 'Version 1 has no model.onnx', { config: PLAIN, files: { '1/net.onnx': 9 } }),
  one('name-differs', 'The name "other" is not that of the folder, "model"', onnx(`name: "other"\n${PLAIN}`)),
  instead('unknown-platform', 'There is no platform "onnxruntime"', 'onnxruntime_onnx', 'onnxruntime'),
  one(
    'platform-backend',
    'The platform "tensorrt_plan" is not one of the backend',
    onnx(`backend: "onnxruntime"\n${PLAIN.replace('onnxruntime_onnx', 'tensorrt_plan')}`),
  ),
  one(
    'unknown-backend',
    'There is no backend "onnx"',
    onnx(PLAIN.replace('platform: "onnxruntime_onnx"', 'backend: "onnx"')),
  ),
  one('other-backend', 'The backend "our_own_backend"', {
    config: 'backend: "our_own_backend"',
    files: { '1/weights.bin': 9 },
  }),
  one('no-backend', 'Neither platform nor backend', {
    config: PLAIN.replace('platform: "onnxruntime_onnx"\n', ''),
    files: { '1/net.onnx': 9 },
  }),
  instead('label-file', 'There is no label file "labels.txt"', 'name: "Y"', 'label_filename: "labels.txt" name: "Y"'),
  instead(
    'label-file',
    'The label file "../labels.txt" is outside',
    'name: "Y"',
    'label_filename: "../labels.txt" name: "Y"',
  ),
  one(
    'label-count',
    'The label file "labels.txt" has 2 lines for 4 classes',
    onnx(PLAIN.replace('name: "Y"', 'label_filename: "labels.txt" name: "Y"'), BATCHED, {
      labels: { 'labels.txt': 2 },
    }),
  ),
  one('environment-file', 'There is no Python environment "env.tar.gz"', {
    config:
      'backend: "python" parameters { key: "EXECUTION_ENV_PATH" value { string_value: "$$TRITON_MODEL_DIRECTORY/env.tar.gz" } }',
    files: { '1/model.py': 9 },
  }),
  plus('operator-library', 'The library "libown.so"', 'model_operations { op_library_filename: "libown.so" }'),
  plus('repository-agent', 'The repository agent "own"', 'model_repository_agents { agents { name: "own" } }'),
  instead('tensor-name', 'The input 0 has no name', 'name: "X"', ''),
  instead('tensor-type', 'The input "X" has no data_type', 'data_type: TYPE_FP32', ''),
  instead('tensor-dims', 'The input "X" has no dims', 'dims: 4', 'dims: [ ]'),
  instead('dimension', 'The input "X" has a dimension of 0', 'dims: 4', 'dims: 0'),
  one('reshape-empty', 'The input "X" has an empty reshape', onnx(UNBATCHED.replace('dims', 'reshape { } dims'))),
  instead(
    'reshape-count',
    'The input "X" has dims [4] and a reshape to [5]',
    'dims: 4',
    'dims: 4 reshape { shape: 5 }',
  ),
  instead('format-dims', 'The input "X" has FORMAT_NCHW and 1 dims', 'dims: 4', 'dims: 4 format: FORMAT_NCHW'),
  instead('tensorrt-only', 'The input "X" is a shape tensor', 'dims: 4', 'dims: 4 is_shape_tensor: true'),
  plus('batch-tensor', 'batch_input[0] has 0 source inputs', 'batch_input { target_name: "X" data_type: TYPE_FP32 }'),
  instead('max-batch-negative', 'max_batch_size is -1', 'max_batch_size: 8', 'max_batch_size: -1'),
  one('max-batch-completed', 'max_batch_size is 0', onnx(HEAD.replace('8', '0'))),
  one('batching-off', 'Dynamic batching is on, and max_batch_size is 0', onnx(`${UNBATCHED}dynamic_batching { }`)),
  plus(
    'preferred-size',
    'The preferred batch size 16 is above max_batch_size, 8',
    'dynamic_batching { preferred_batch_size: 16 }',
  ),
  plus('priority-off', 'There is a default priority level', 'dynamic_batching { default_priority_level: 1 }'),
  plus(
    'priority-level',
    'default_priority_level is 0, and must be from 1 to 2',
    'dynamic_batching { priority_levels: 2 }',
  ),
  plus(
    'ordering',
    'preserve_ordering is on with 2',
    'dynamic_batching { preserve_ordering: true priority_levels: 2 default_priority_level: 1 }',
  ),
  plus(
    'timeout-off',
    'There is a timeout action',
    'dynamic_batching { default_queue_policy { timeout_action: DELAY } }',
  ),
  plus(
    'cache-conflict',
    'The response cache is on for a decoupled',
    'response_cache { enable: true } model_transaction_policy { decoupled: true }',
  ),
  plus('server-option', 'The response cache is on', 'response_cache { enable: true }'),
  plus('decoupled', 'An ONNX model is decoupled', 'model_transaction_policy { decoupled: true }'),
  plus('metric', 'A metric has no family', 'model_metrics { metric_control { histogram_options { buckets: 1 } } }'),
  plus('sequence-control', 'A control has no name', sequence('control_input { control { fp32_false_true: [0, 1] } }')),
  plus('slot-utilization', 'minimum_slot_utilization is 1.5', sequence('direct { minimum_slot_utilization: 1.5 }')),
  one(
    'sequence-state',
    'The initial state of "H" has neither',
    onnx(
      `${PLAIN}${sequence('state { input_name: "H" output_name: "Y" data_type: TYPE_FP32 dims: 4 initial_state { name: "z" data_type: TYPE_FP32 dims: 4 } }')}`,
      'g (float[N,4] X, float[N,4] H) => (float[N,4] Y) { Y = Add (X, H) }',
    ),
  ),
  plus('all-passive', 'All instances are passive', 'instance_group { passive: true }'),
  plus('instance-count', 'The count of instances is 0', 'instance_group { count: 0 }'),
  plus('instance-gpus', 'Instances of KIND_CPU have gpus', 'instance_group { kind: KIND_CPU gpus: 0 }'),
  one('instance-profile', 'The optimization profile "first" is not a number', {
    config: 'platform: "tensorrt_plan" instance_group { kind: KIND_GPU profile: "first" }',
    files: { '1/model.plan': 9 },
  }),
  plus('graph-level', 'Graph level 2 switches all optimizations off', 'optimization { graph { level: 2 } }'),
  plus(
    'gpu-option-on-cpu',
    'There are CUDA options',
    'optimization { cuda { graphs: true } } instance_group { kind: KIND_CPU }',
  ),
  plus(
    'accelerator',
    'There is no accelerator "onednn" for the CPU',
    'optimization { execution_accelerators { cpu_execution_accelerator { name: "onednn" } } }',
  ),
  plus(
    'accelerator',
    'The accelerator "tensorrt" has no parameter "precision"',
    'optimization { execution_accelerators { gpu_execution_accelerator { name: "tensorrt" parameters { key: "precision" value: "FP16" } } } }',
  ),
  plus(
    'parameter-value',
    'The parameter "execution_mode" is "2", and takes 0, 1',
    'parameters { key: "execution_mode" value { string_value: "2" } }',
  ),
  plus(
    'parameter-odd',
    'The parameter "intra_op_thread_count" is "2x"',
    'parameters { key: "intra_op_thread_count" value { string_value: "2x" } }',
  ),
  plus(
    'unknown-parameter',
    'The ONNX Runtime backend has no parameter "intra_op_threads"',
    'parameters { key: "intra_op_threads" value { string_value: "2" } }',
  ),
  plus('warmup-off', 'A warm-up request has a batch_size of 0', 'model_warmup { name: "w" }'),
  plus(
    'warmup',
    'The warm-up of "X" has dims [5], and the input [4]',
    warmup('data_type: TYPE_FP32 dims: 5 zero_data: true'),
  ),
  one('onnx-file', 'The file is empty', onnx(PLAIN, BATCHED, { onnxProblem: 'The file is empty' })),
  one(
    'onnx-operator',
    'The model has the operator Mystery',
    onnx(PLAIN, 'g (float[N,4] X) => (float[N,4] Y) { Y = custom.Mystery (X) }'),
  ),
  one(
    'onnx-type',
    'The output "Y" of the model is seq(float[N,4])',
    onnx(HEAD + X4, 'g (float[N,4] X) => (seq(float[N,4]) Y) { Y = SequenceConstruct (X) }'),
  ),
  one(
    'batch-fixed',
    'max_batch_size is 8, and input "X" of the model has the shape [2, 4]',
    onnx(PLAIN, 'g (float[2,4] X) => (float[2,4] Y) { Y = Relu (X) }'),
  ),
  one(
    'input-missing',
    'The model needs the input "B", float[N,4]',
    onnx(PLAIN.replace('"X"', '"A"'), 'g (float[N,4] A, float[N,4] B) => (float[N,4] Y) { Y = Add (A, B) }'),
  ),
  plus('policy-empty', 'The version policy has no choice', 'version_policy { }'),
  one(
    'inputs-mixed',
    'The model needs the input "B"',
    onnx(
      PLAIN.replace(X4, X4.replace('"X"', '"A"').repeat(2)),
      'g (float[N,4] A, float[N,4] B) => (float[N,4] Y) { Y = Add (A, B) }',
    ),
  ),
  plus('input-twice', 'The input "X" is there twice', X4),
  instead('input-optional', 'The input "X" is optional, and max_batch_size is 8', 'dims: 4', 'dims: 4 optional: true'),
  instead('tensor-unknown', 'The model has no input "x"; it has "X"', '"X"', '"x"'),
  instead('type-differs', 'The input "X" is TYPE_FP16, and the model has TYPE_FP32', 'TYPE_FP32', 'TYPE_FP16'),
  instead('dims-differ', 'The input "X" has dims [5], and the shape [-1, 4] in the model', 'dims: 4', 'dims: 5'),
  instead('batch-in-dims', 'The input "X" has dims [-1, 4]', 'dims: 4', 'dims: [-1, 4]'),
  instead('batch-not-in-dims', 'The input "X" has dims [4]', 'max_batch_size: 8', 'max_batch_size: 0'),
  one(
    'vector',
    'The input "X" has dims [1], and the shape [-1]',
    onnx(PLAIN.replaceAll('dims: 4', 'dims: 1'), 'g (float[N] X) => (float[N] Y) { Y = Relu (X) }'),
  ),
  one(
    'scalar-with-batch',
    'The input "S" is a scalar',
    onnx(
      `${PLAIN}input { name: "S" data_type: TYPE_FP32 dims: 1 }`,
      'g (float[N,4] X, float S) => (float[N,4] Y) { Y = Mul (X, S) }',
    ),
  ),
  instead('ragged', 'The input "X" may be ragged', 'dims: 4', 'dims: 4 allow_ragged_batch: true'),
  ensemble('ensemble-backend', 'An ensemble has no backend', IO, `backend: "onnxruntime"\n${IO}`),
  ensemble('ensemble-steps', 'Step 0 has no model_name', 'model_name: "a"', ''),
  ensemble('ensemble-platform', 'ensemble_scheduling is set, and the platform is ""', 'platform: "ensemble"\n', ''),
  ensemble('ensemble-field', 'An ensemble has no instance_group', IO, `${IO}instance_group { count: 1 }\n`),
  ensemble('ensemble-unused', 'Step 1 makes "SIDE"', 'value: "OUT" }', 'value: "SIDE" }'),
  ensemble('ensemble-written-twice', 'Steps 0 and 1 both make "MID"', 'value: "OUT" }', 'value: "MID" }'),
  ensemble(
    'ensemble-not-made',
    'Step 1 takes "MIDDLE", which no step makes',
    'value: "MID" } output_map { key: "Y" value: "OUT"',
    'value: "MIDDLE" } output_map { key: "Y" value: "OUT"',
  ),
  ensemble(
    'ensemble-cycle',
    'Steps wait for each other: "MID", "OUT"',
    'value: "IN" } output_map',
    'value: "OUT" } output_map',
  ),
  ensemble('ensemble-model', 'There is no model "c" in the repository', '"b"', '"c"'),
  ensemble('ensemble-model', 'Version 2 of "b" is not loaded', '"b" model_version: -1', '"b" model_version: 2'),
  ensemble('ensemble-model', 'Step 1 has no model_version, which is version 0', '"b" model_version: -1', '"b"'),
  ensemble('ensemble-model-broken', 'The model "b" does not load', IO, IO, { b: onnx(PLAIN.replace('"X"', '"Q"')) }),
  ensemble(
    'ensemble-batch',
    'max_batch_size is 16, and that of "a" in step 0 is 8',
    'max_batch_size: 8',
    'max_batch_size: 16',
  ),
  ensemble('ensemble-member-batch', 'The tensor "MID" has the shape [-1, 4] in "a", and [4] in "b"', IO, IO, {
    b: onnx(PLAIN.replace('8', '0'), 'g (float[4] X) => (float[4] Y) { Y = Relu (X) }'),
  }),
  ensemble(
    'ensemble-map',
    'The model "a" has no input "x"; it has "X"',
    'key: "X" value: "IN"',
    'key: "x" value: "IN"',
  ),
  ensemble(
    'ensemble-type',
    'The tensor "IN" is TYPE_FP16 in the ensemble, and TYPE_FP32 in "a"',
    'name: "IN" data_type: TYPE_FP32',
    'name: "IN" data_type: TYPE_FP16',
  ),
  ensemble(
    'ensemble-shape',
    'The tensor "OUT" has the shape [-1, 5] in the ensemble, and [-1, 4] in "b"',
    'name: "OUT" data_type: TYPE_FP32 dims: 4',
    'name: "OUT" data_type: TYPE_FP32 dims: 5',
  ),
];

describe('the rules of the check', () => {
  for (const { rule, what, models } of CASES) {
    it(`${rule}: ${what}`, () => {
      const found = lint(models);
      const told = found.map(line);
      expect(
        told.filter((each) => each.includes(` ${rule} `) && each.includes(what)),
        told.join('\n'),
      ).not.toEqual([]);
      for (const finding of found) {
        expect(finding.what).not.toMatch(/undefined|NaN|\.$/);
        expect(finding.why.length).toBeGreaterThan(0);
      }
    });
  }

  it('have a case each', () => {
    const seen = new Set(CASES.map(({ rule }) => rule));
    expect(Object.keys(TRITON_RULES).filter((rule) => !seen.has(rule as RuleId))).toEqual([]);
  });

  it('are all in docs/package-check.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/package-check.md'), 'utf8');
    for (const [rule, { severity, why }] of Object.entries(TRITON_RULES)) {
      expect(page).toContain(`| \`${rule}\` | ${severity} | ${why} |`);
    }
  });

  it('say nothing of models that are as they should be', () => {
    expect(lint({ model: onnx(PLAIN) })).toEqual([]);
    expect(lint({ pipeline: { config: ENSEMBLE, files: { '1/': 0 } }, a: onnx(PLAIN), b: onnx(PLAIN) })).toEqual([]);
    const minimal = lint({ model: onnx(undefined) });
    expect(minimal.map(({ severity }) => severity)).toEqual(['note']);
  });

  it('take either shape where ONNX Runtime was not asked which one it infers', () => {
    const narrower = 'g (float[N,4] X) => (float[N,D] Y) { Y = Relu (X) }';
    const withDims = (dims: string): string => `${HEAD}${X4}output { name: "Y" data_type: TYPE_FP32 dims: ${dims} }\n`;
    expect(lint({ model: onnx(withDims('4'), narrower) })).toEqual([]);
    expect(lint({ model: onnx(withDims('-1'), narrower) })).toEqual([]);
    expect(lint({ model: onnx(withDims('5'), narrower) }).map(line)).toEqual([
      'error dims-differ model/config.pbtxt:4:41 The output "Y" has dims [5], and the shape [-1, 4] in the model',
    ]);
  });

  it('take what has no rank for a scalar, as the server does', () => {
    const unranked = 'g (float[N,4] X) => (float[] Y) { Y = Mystery (X) }';
    const found = lint({ model: onnx(PLAIN, unranked) }).filter(({ rule }) => rule === 'triton/dims-differ');
    expect(found.map(({ what }) => what)).toEqual([
      'The output "Y" has dims [4], and its rank is unknown in the model, which Triton takes for a scalar',
    ]);
  });

  it('look at each further configuration', () => {
    const others = { 'configs/gpu.pbtxt': PLAIN.replace('FP32', 'FP16') };
    expect(lint({ model: onnx(PLAIN, BATCHED, { others }) }).map(line)).toEqual([
      'error type-differs model/configs/gpu.pbtxt:3:19 The input "X" is TYPE_FP16, and the model has TYPE_FP32',
    ]);
  });

  it('look at each version that is served', () => {
    const config = `${PLAIN}version_policy { all { } }`;
    const second = 'g (float[N,5] X) => (float[N,5] Y) { Y = Relu (X) }';
    const found = lint({ model: onnx(config, BATCHED, { onnx: { '2/model.onnx': second } }) });
    expect(found.map(({ rule }) => rule)).toEqual(['triton/dims-differ', 'triton/dims-differ']);
    expect(lint({ model: onnx(PLAIN, second, { onnx: { '2/model.onnx': BATCHED } }) })).toEqual([]);
  });
});

describe('mistakes that users reported', () => {
  const fixed = 'g (float[1,3,8,8] X) => (float[1,5] Y) { Y = Mystery (X) }';
  const image = (dims: string, rest = ''): string =>
    `${HEAD}input { name: "X" data_type: TYPE_FP32 dims: ${dims} ${rest} }\noutput { name: "Y" data_type: TYPE_FP32 dims: 5 }\n`;
  const rulesOf = (folder: Folder): string[] =>
    lint({ model: folder })
      .filter(({ rule }) => rule !== 'triton/onnx-operator')
      .map(({ rule }) => rule.replace('triton/', ''));

  it('server #2387: max_batch_size above 0 for a model with a fixed batch', () => {
    expect(rulesOf(onnx(image('[3, 8, 8]'), fixed))).toEqual(['batch-fixed', 'batch-fixed']);
  });

  it('server #1889: the fixed batch in dims, and max_batch_size above 0', () => {
    expect(rulesOf(onnx(image('[1, 3, 8, 8]'), fixed))).toContain('batch-fixed');
  });

  it('server #4048: a batch of 1 in the model, and in the reshape', () => {
    expect(rulesOf(onnx(image('[3, 8, 8]', 'reshape { shape: [1, 3, 8, 8] }'), fixed))).toContain('batch-fixed');
    const open = 'g (float[N,4] X) => (float[N,4] Y) { Y = Relu (X) }';
    expect(rulesOf(onnx(PLAIN.replace('dims: 4', 'dims: 4 reshape { shape: [1, 4] }'), open))).toEqual([
      'batch-in-dims',
    ]);
  });

  it('server #924: the batch in dims, and max_batch_size above 0', () => {
    const both = onnx(PLAIN.replaceAll('dims: 4', 'dims: [-1, 4]'));
    expect(rulesOf(both)).toEqual(['batch-in-dims', 'batch-in-dims']);
    expect(lint({ model: both })[0]?.fix).toBe('Write dims: [4]');
  });

  it('onnxruntime_backend #165: fixed dims for an output that is open in the model', () => {
    const open = 'g (float[N,L] X) => (float[N,L] Y) { Y = Relu (X) }';
    expect(rulesOf(onnx(PLAIN, open))).toEqual(['dims-differ']);
    expect(lint({ model: onnx(PLAIN, open) })[0]).toMatchObject({ line: 4, fix: 'Write dims: [-1]' });
  });

  it('server #7981: an input with a batch and nothing else', () => {
    const vector = 'g (float[N] X) => (float[N] Y) { Y = Relu (X) }';
    const found = lint({ model: onnx(PLAIN.replaceAll('dims: 4', 'dims: 1'), vector) });
    expect(found.map(({ rule }) => rule)).toEqual(['triton/vector', 'triton/vector']);
    expect(found[0]?.fix).toBe('Write dims: [1] reshape { shape: [ ] }');
    expect(lint({ model: onnx(PLAIN.replaceAll('dims: 4', 'dims: 1 reshape { }'), vector) })).toEqual([]);
  });

  it('a scalar input, such as the sample rate of silero-vad, has dims [1] and no batching', () => {
    const graph = 'g (float[N,4] X, int64 sr) => (float[N,4] Y) { f = Cast <to = 1> (sr)\n Y = Mul (X, f) }';
    const config = (sr: string): string =>
      `${HEAD.replace('8', '0')}input [ { name: "X" data_type: TYPE_FP32 dims: [-1, 4] }, { name: "sr" data_type: TYPE_INT64 dims: [${sr}] } ]\noutput { name: "Y" data_type: TYPE_FP32 dims: [-1, 4] }`;
    expect(rulesOf(onnx(config('1'), graph))).toEqual([]);
    expect(rulesOf(onnx(config('-1'), graph))).toEqual(['dims-differ']);
    expect(rulesOf(onnx(config(''), graph))).toEqual(['tensor-dims']);
  });
});

describe('names of strangers', () => {
  it('do not reach properties of objects', () => {
    const config = `${PLAIN}parameters { key: "__proto__" value { string_value: "1" } } metric_tags { key: "constructor" value: "x" }`;
    expect(lint({ __proto__x: onnx(config) }).map(({ rule }) => rule)).toEqual(['triton/unknown-parameter']);
    expect(lint({ model: onnx(`${X4}${Y4}platform: "toString"`) }).map(({ rule }) => rule)).toContain(
      'triton/unknown-platform',
    );
  });
});
