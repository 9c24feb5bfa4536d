/** Ensembles: the configuration alone, and with the models of its steps. */
import { type ModelFolder, type Outcome, onnx, PLAIN, type ServerCase } from '../server-case.js';

const STEP_A =
  'step { model_name: "a" model_version: -1 input_map { key: "X" value: "RAW" } output_map { key: "Y" value: "MID" } }';
const STEP_B =
  'step { model_name: "b" model_version: -1 input_map { key: "X" value: "MID" } output_map { key: "Y" value: "OUT" } }';
const TENSORS =
  'input [ { name: "RAW" data_type: TYPE_FP32 dims: [ 4 ] } ]\noutput [ { name: "OUT" data_type: TYPE_FP32 dims: [ 4 ] } ]\n';
const HEAD = 'platform: "ensemble"\nmax_batch_size: 8\n';
const VALID = `${HEAD}${TENSORS}ensemble_scheduling {\n  ${STEP_A}\n  ${STEP_B}\n}\n`;

const ensembleFolder = (config: string): ModelFolder => ({ config, files: {}, folders: ['1'] });
type Models = Readonly<Record<string, ModelFolder>>;
const MEMBERS: Models = { a: onnx('batched', PLAIN), b: onnx('batched', PLAIN) };

function ensemble(
  outcome: Outcome,
  name: string,
  summary: string,
  config: string,
  members: Models = MEMBERS,
  rest: Partial<ServerCase> = {},
): ServerCase {
  return {
    name: `ensemble-${name}`,
    summary,
    outcome,
    models: { pipeline: ensembleFolder(config), ...members },
    ...rest,
  };
}
const swap = (text: string, by: string): string => {
  if (!VALID.includes(text)) throw new Error(`the ensemble has no ${text}`);
  return VALID.replace(text, by);
};
const VECTOR = PLAIN.replaceAll('[ 4 ]', '[ 1 ] reshape { shape: [ ] }');
const UNBATCHED = PLAIN.replace('8', '0').replaceAll('[ 4 ]', '[ -1, 4 ]');

export const ENSEMBLE_CASES: readonly ServerCase[] = [
  ensemble('loaded', 'valid', 'Two steps', VALID),
  ensemble(
    'loaded',
    'steps-in-other-order',
    'The order of steps does not matter',
    `${HEAD}${TENSORS}ensemble_scheduling {\n  ${STEP_B}\n  ${STEP_A}\n}\n`,
  ),
  ensemble(
    'refused',
    'version-left-out',
    'A step without model_version: that is version 0, not the latest',
    swap('"a" model_version: -1', '"a"'),
  ),
  ensemble('refused', 'version-zero', 'A step with version 0', swap('"a" model_version: -1', '"a" model_version: 0')),
  ensemble('refused', 'platform', 'Steps without the platform ensemble', swap('platform: "ensemble"\n', '')),
  ensemble('refused', 'platform-other', 'Steps with another platform', swap('"ensemble"', '"onnxruntime_onnx"')),
  ensemble('refused', 'backend', 'ensemble as a backend', swap('platform: "ensemble"', 'backend: "ensemble"')),
  ensemble(
    'refused',
    'platform-and-backend',
    'The platform ensemble with a backend',
    swap('platform: "ensemble"', 'platform: "ensemble"\nbackend: "onnxruntime"'),
  ),
  ensemble('refused', 'without-steps', 'The platform ensemble without steps', `${HEAD}${TENSORS}`),
  ensemble('refused', 'empty', 'A list of no steps', `${HEAD}${TENSORS}ensemble_scheduling { }\n`),
  ensemble(
    'refused',
    'instance-group',
    'Instances of an ensemble',
    `${VALID}instance_group [ { count: 1 kind: KIND_CPU } ]\n`,
  ),
  ensemble('refused', 'optimization', 'Optimization of an ensemble', `${VALID}optimization { eager_batching: true }\n`),
  ensemble(
    'refused',
    'warmup',
    'Warm-up of an ensemble',
    `${VALID}model_warmup [ { name: "first" batch_size: 1 inputs { key: "RAW" value { data_type: TYPE_FP32 dims: [ 4 ] zero_data: true } } } ]\n`,
  ),
  ensemble('refused', 'dynamic-batching', 'Dynamic batching of an ensemble', `${VALID}dynamic_batching { }\n`),
  ensemble('refused', 'no-version-folder', 'An ensemble without a version folder', VALID, MEMBERS, {
    models: { pipeline: { config: VALID, files: {} }, ...MEMBERS },
  }),
  ensemble('refused', 'step-without-model', 'A step without model_name', swap('model_name: "a" ', '')),
  ensemble(
    'refused',
    'step-without-inputs',
    'A step without input_map',
    swap('input_map { key: "X" value: "RAW" }', ''),
  ),
  ensemble(
    'refused',
    'step-without-outputs',
    'A step without output_map',
    swap('output_map { key: "Y" value: "OUT" }', ''),
  ),
  ensemble(
    'refused',
    'input-unused',
    'An input that no step takes',
    swap('input [ ', 'input [ { name: "EXTRA" data_type: TYPE_FP32 dims: [ 4 ] }, '),
  ),
  ensemble(
    'refused',
    'output-unused',
    'An output that no step names',
    swap('output [ ', 'output [ { name: "EXTRA" data_type: TYPE_FP32 dims: [ 4 ] }, '),
  ),
  ensemble(
    'refused',
    'output-not-made',
    'An output that only a cycle makes',
    `${HEAD}${TENSORS}ensemble_scheduling {\n  ${STEP_A.replace('"RAW" }', '"RAW" }').replace('key: "X" value: "RAW"', 'key: "X" value: "OUT"')}\n  ${STEP_B}\n  step { model_name: "a" input_map { key: "X" value: "RAW" } output_map { key: "Y" value: "SIDE" } }\n}\n`,
  ),
  ensemble(
    'refused',
    'source-missing',
    'A tensor that no step makes',
    swap('value: "MID" } output_map { key: "Y" value: "OUT"', 'value: "MIDDLE" } output_map { key: "Y" value: "OUT"'),
  ),
  ensemble(
    'refused',
    'tensor-unused',
    'A tensor that no step takes',
    `${HEAD}${TENSORS.replace('"OUT"', '"MID"')}ensemble_scheduling {\n  ${STEP_A}\n  ${STEP_B}\n}\n`,
  ),
  ensemble(
    'refused',
    'written-twice',
    'Two steps write the same tensor',
    `${HEAD}${TENSORS}ensemble_scheduling {\n  ${STEP_A}\n  ${STEP_B}\n  ${STEP_B.replace('"b"', '"a"')}\n}\n`,
  ),
  ensemble(
    'refused',
    'overwrites-input',
    'A step writes an input of the ensemble',
    swap('value: "OUT" }', 'value: "RAW" }'),
  ),
  ensemble(
    'refused',
    'maps-swapped',
    'Keys and values of the maps swapped',
    `${HEAD}${TENSORS}ensemble_scheduling {\n  step { model_name: "a" input_map { key: "RAW" value: "X" } output_map { key: "MID" value: "Y" } }\n  step { model_name: "b" input_map { key: "MID" value: "X" } output_map { key: "OUT" value: "Y" } }\n}\n`,
  ),
  ensemble(
    'refused',
    'unknown-input',
    'A map to an input that the model of the step does not have',
    swap('key: "X" value: "RAW"', 'key: "x" value: "RAW"'),
  ),
  ensemble(
    'refused',
    'unknown-output',
    'A map from an output that the model of the step does not have',
    swap('key: "Y" value: "OUT"', 'key: "y" value: "OUT"'),
  ),
  ensemble(
    'refused',
    'input-not-mapped',
    'A step that maps one of two inputs',
    VALID.replace('"b"', '"pair"').replace('key: "X" value: "MID"', 'key: "A" value: "MID"'),
    {
      ...MEMBERS,
      pair: onnx('pair', `${PLAIN.replace('"X"', '"A"')}input { name: "B" data_type: TYPE_FP32 dims: 4 }\n`),
    },
  ),
  ensemble(
    'ignored',
    'input-mapped-twice',
    'An input map with one key twice',
    swap(
      'input_map { key: "X" value: "MID" }',
      'input_map { key: "X" value: "RAW" } input_map { key: "X" value: "MID" }',
    ),
    MEMBERS,
    { ignored: 'the first entry is lost' },
  ),
  ensemble('refused', 'unknown-model', 'A step whose model is not there', swap('"b"', '"c"')),
  ensemble('refused', 'invalid-model', 'A step whose model does not load', VALID, {
    ...MEMBERS,
    b: onnx('batched', PLAIN.replace('"X"', '"Q"')),
  }),
  ensemble('refused', 'unparsed-model', 'A step whose configuration cannot be read', VALID, {
    ...MEMBERS,
    b: onnx('batched', PLAIN.replace('input', 'inputs')),
  }),
  ensemble(
    'refused',
    'version-absent',
    'A version of a step that is not there',
    swap('"b" model_version: -1', '"b" model_version: 2'),
  ),
  ensemble(
    'loaded',
    'version-given',
    'A version of a step that is there',
    swap('"b" model_version: -1', '"b" model_version: 1'),
  ),
  ensemble('refused', 'itself', 'A step that is the ensemble', swap('"b"', '"pipeline"')),
  ensemble(
    'refused',
    'type-of-input',
    'The input has another type than the step takes',
    swap('{ name: "RAW" data_type: TYPE_FP32', '{ name: "RAW" data_type: TYPE_FP16'),
  ),
  ensemble('refused', 'type-between', 'A step makes another type than the next one takes', VALID, {
    ...MEMBERS,
    b: onnx('double', PLAIN.replaceAll('FP32', 'FP64')),
  }),
  ensemble(
    'refused',
    'shape-of-output',
    'The output has another shape than the step makes',
    swap('{ name: "OUT" data_type: TYPE_FP32 dims: [ 4 ]', '{ name: "OUT" data_type: TYPE_FP32 dims: [ 5 ]'),
  ),
  ensemble(
    'refused',
    'shape-between',
    'A step makes another shape than the next one takes',
    VALID.replace('OUT" data_type: TYPE_FP32 dims: [ 4 ]', 'OUT" data_type: TYPE_FP32 dims: [ 2, 3 ]'),
    { ...MEMBERS, b: onnx('cube', PLAIN.replaceAll('[ 4 ]', '[ 2, 3 ]')) },
  ),
  ensemble('loaded', 'open-shape', 'An open dimension between two fixed ones', VALID, {
    ...MEMBERS,
    b: onnx('open', PLAIN.replaceAll('[ 4 ]', '[ -1 ]')),
  }),
  ensemble(
    'refused',
    'batch-above',
    'A larger batch than the model of a step takes',
    swap('max_batch_size: 8', 'max_batch_size: 16'),
  ),
  ensemble(
    'loaded',
    'batch-below',
    'A smaller batch than the models take',
    swap('max_batch_size: 8', 'max_batch_size: 2'),
  ),
  ensemble('loaded', 'member-without-batching', 'A step whose model has the batch in its dims', VALID, {
    ...MEMBERS,
    b: onnx('batched', UNBATCHED),
  }),
  ensemble(
    'ignored',
    'member-without-batch',
    'A step whose model has a fixed shape without a batch',
    VALID,
    { ...MEMBERS, b: onnx('row', PLAIN.replace('8', '0')) },
    { ignored: 'requests of more than one row fail' },
  ),
  ensemble(
    'loaded',
    'without-batching',
    'An ensemble with the batch in its dims',
    VALID.replace('max_batch_size: 8', 'max_batch_size: 0').replaceAll('dims: [ 4 ]', 'dims: [ -1, 4 ]'),
  ),
  ensemble(
    'refused',
    'type-missing',
    'An input of the ensemble without a type',
    swap('{ name: "RAW" data_type: TYPE_FP32', '{ name: "RAW"'),
  ),
  ensemble(
    'refused',
    'dims-missing',
    'An output of the ensemble without dims',
    swap('{ name: "OUT" data_type: TYPE_FP32 dims: [ 4 ]', '{ name: "OUT" data_type: TYPE_FP32'),
  ),
  ensemble('refused', 'without-inputs', 'An ensemble without inputs', VALID.replace(/input \[ .*\]\n/, '')),
  ensemble('loaded', 'nested', 'An ensemble in an ensemble', VALID.replace('"b"', '"inner"'), {
    ...MEMBERS,
    inner: ensembleFolder(VALID.replaceAll('"RAW"', '"X"').replaceAll('"OUT"', '"Y"')),
  }),
  ensemble(
    'loaded',
    'fan-out',
    'One tensor for two steps',
    `${HEAD}${TENSORS.replace('output [ ', 'output [ { name: "MORE" data_type: TYPE_FP32 dims: [ 4 ] }, ')}ensemble_scheduling {\n  ${STEP_A}\n  ${STEP_B}\n  ${STEP_B.replace('"OUT"', '"MORE"')}\n}\n`,
  ),
  ensemble(
    'loaded',
    'output-mid',
    'A tensor between steps is an output, too',
    VALID.replace('output [ ', 'output [ { name: "MID" data_type: TYPE_FP32 dims: [ 4 ] }, '),
  ),
  ensemble(
    'loaded',
    'member-output-left-out',
    'An output of a step that no one takes is left out',
    VALID.replace('"b"', '"labelled"').replace('key: "Y" value: "OUT"', 'key: "P" value: "OUT"'),
    {
      ...MEMBERS,
      labelled: onnx(
        'labelled',
        `platform: "onnxruntime_onnx"\nmax_batch_size: 8\ninput [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]\noutput [ { name: "P" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "L" data_type: TYPE_INT64 dims: [ 1 ] reshape { shape: [ ] } } ]\n`,
      ),
    },
  ),
  ensemble(
    'refused',
    'reshape-of-output',
    'An output with the reshape that the step has, too: the ensemble sees the shape before it',
    VALID.replace('"b"', '"vector"')
      .replace('OUT" data_type: TYPE_FP32 dims: [ 4 ]', 'OUT" data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] }')
      .replace('RAW" data_type: TYPE_FP32 dims: [ 4 ]', 'RAW" data_type: TYPE_FP32 dims: [ 1 ]')
      .replace('model_name: "a"', 'model_name: "front"'),
    { front: onnx('vector', VECTOR), vector: onnx('vector', VECTOR) },
  ),
  ensemble(
    'loaded',
    'reshape-of-member',
    'A step with a reshape, in an ensemble without one',
    VALID.replace('"b"', '"vector"')
      .replaceAll('dims: [ 4 ]', 'dims: [ 1 ]')
      .replace('model_name: "a"', 'model_name: "front"'),
    { front: onnx('vector', VECTOR), vector: onnx('vector', VECTOR) },
  ),
  ensemble(
    'refused',
    'in-flight',
    'max_inflight_requests, which later servers have',
    swap('ensemble_scheduling {', 'ensemble_scheduling {\n  max_inflight_requests: 4'),
    MEMBERS,
    { later: 'loaded' },
  ),
  ensemble(
    'ignored',
    'cache',
    'The response cache of an ensemble, without a cache of the server',
    `${VALID}response_cache { enable: true }\n`,
    MEMBERS,
    { ignored: 'nothing is cached: the server was started without --cache-config' },
  ),
  ensemble('ignored', 'model-file', 'A file in the version folder of an ensemble', VALID, MEMBERS, {
    ignored: 'an ensemble has no model file of its own',
    models: { pipeline: onnx('batched', VALID), ...MEMBERS },
  }),
];
