/** Names, folders, versions and files of a repository. */
import {
  HEAD,
  INPUT,
  type ModelFolder,
  OUTPUT,
  one,
  onnx,
  PLAIN,
  plus,
  quiet,
  type ServerCase,
  shared,
} from '../server-case.js';

const BATCHED = shared('batched.onnx');
const policy = (text: string, ...versions: readonly string[]): ModelFolder => ({
  config: `${PLAIN}version_policy { ${text} }\n`,
  files: Object.fromEntries(versions.map((version) => [`${version}/model.onnx`, BATCHED])),
});
const LABELLED = `${HEAD}${INPUT}${OUTPUT.replace('} ]', 'label_filename: "labels.txt" } ]')}`;
const named = (name: string): Pick<ServerCase, 'models'> => ({
  models: { [name]: onnx('batched', `name: "${name}"\n${PLAIN}`) },
});

export const REPOSITORY_CASES: readonly ServerCase[] = [
  one('loaded', 'named-as-folder', 'The name is the name of the folder', onnx('batched', `name: "model"\n${PLAIN}`)),
  one('refused', 'name-differs', 'The name is not that of the folder', onnx('batched', `name: "other"\n${PLAIN}`)),
  one(
    'refused',
    'name-differs-in-case',
    'The name has other capitals than the folder',
    onnx('batched', `name: "Model"\n${PLAIN}`),
  ),
  { name: 'name-with-dots', summary: 'A name with dots and dashes', outcome: 'loaded', ...named('model-v1.2_fp16') },
  one(
    'loaded',
    'backend-only',
    'The backend without a platform',
    onnx('batched', PLAIN.replace('platform: "onnxruntime_onnx"', 'backend: "onnxruntime"')),
  ),
  one(
    'loaded',
    'backend-and-platform',
    'Backend and platform that agree',
    onnx('batched', `backend: "onnxruntime"\n${PLAIN}`),
  ),
  one(
    'refused',
    'platform-differs',
    'Backend and platform that disagree',
    onnx('batched', `backend: "onnxruntime"\n${PLAIN.replace('onnxruntime_onnx', 'tensorrt_plan')}`),
  ),
  one(
    'refused',
    'backend-differs',
    'The platform of another backend',
    onnx('batched', `backend: "tensorrt"\n${PLAIN}`),
  ),
  one(
    'refused',
    'unknown-platform',
    'A platform that does not exist',
    onnx('batched', PLAIN.replace('onnxruntime_onnx', 'onnx')),
  ),
  one(
    'refused',
    'backend-as-platform',
    'The name of a backend as platform',
    onnx('batched', PLAIN.replace('onnxruntime_onnx', 'onnxruntime')),
  ),
  one(
    'refused',
    'unknown-backend',
    'A backend that does not exist',
    onnx('batched', PLAIN.replace('platform: "onnxruntime_onnx"', 'backend: "onnx"')),
  ),
  one(
    'loaded',
    'no-platform',
    'Neither platform nor backend: found from model.onnx',
    onnx('batched', PLAIN.replace('platform: "onnxruntime_onnx"\n', '')),
  ),
  one('refused', 'no-platform-unknown-file', 'Neither platform nor backend, and a file without a known name', {
    config: PLAIN.replace('platform: "onnxruntime_onnx"\n', ''),
    files: { '1/net.onnx': BATCHED },
  }),
  one('loaded', 'no-config', 'No configuration: completed from the model', onnx('batched')),
  one('loaded', 'empty-config', 'An empty configuration: completed from the model', onnx('batched', '')),
  one(
    'loaded',
    'only-max-batch',
    'Only max_batch_size: the rest is completed',
    onnx('batched', 'max_batch_size: 16\n'),
    { shows: ['max_batch_size', 'dynamic_batching'] },
  ),
  quiet(
    'max-batch-completed',
    'max_batch_size 0 without inputs and outputs',
    'the completion sets max_batch_size to 4 and turns dynamic batching on',
    onnx('batched', 'platform: "onnxruntime_onnx"\nmax_batch_size: 0\n'),
    'max_batch_size',
    'dynamic_batching',
  ),
  one(
    'refused',
    'completion-not-batchable',
    'max_batch_size 8 to complete, and a model with a fixed batch',
    onnx('fixed', 'platform: "onnxruntime_onnx"\nmax_batch_size: 8\n'),
  ),
  one(
    'loaded',
    'outputs-completed',
    'Inputs without outputs: outputs are completed',
    onnx('batched', `${HEAD}${INPUT}`),
  ),
  one(
    'loaded',
    'inputs-completed',
    'Outputs without inputs: inputs are completed',
    onnx('batched', `${HEAD}${OUTPUT}`),
  ),
  quiet(
    'config-in-version-folder',
    'The configuration stands in the version folder',
    'the file is not read; everything is completed from the model',
    { files: { '1/model.onnx': BATCHED, '1/config.pbtxt': PLAIN } },
    'max_batch_size',
  ),
  quiet(
    'config-misnamed',
    'The file is named config.pbtx',
    'the file is not read; everything is completed from the model',
    { files: { '1/model.onnx': BATCHED, 'config.pbtx': PLAIN } },
    'max_batch_size',
  ),
  one('refused', 'no-version-folder', 'The model file stands beside the configuration', {
    config: PLAIN,
    files: { 'model.onnx': BATCHED },
  }),
  one('refused', 'no-files', 'A configuration alone', { config: PLAIN, files: {} }),
  one('refused', 'empty-version-folder', 'A version folder without a model', {
    config: PLAIN,
    files: {},
    folders: ['1'],
  }),
  one('loaded', 'version-zero', 'The version folder is named 0', onnx('batched', PLAIN, '0')),
  one('refused', 'version-leading-zero', 'The version folder is named 01', onnx('batched', PLAIN, '01')),
  one('refused', 'version-letter', 'The version folder is named a', onnx('batched', PLAIN, 'a')),
  one('refused', 'version-prefixed', 'The version folder is named v1', onnx('batched', PLAIN, 'v1')),
  one('refused', 'version-dotted', 'The version folder is named 1.0', onnx('batched', PLAIN, '1.0')),
  one('refused', 'version-negative', 'The version folder is named -1', onnx('batched', PLAIN, '-1')),
  one(
    'refused',
    'version-beyond-64-bits',
    'The version folder has a number beyond 64 bits',
    onnx('batched', PLAIN, '99999999999999999999'),
  ),
  one('loaded', 'version-large', 'A date as version', onnx('batched', PLAIN, '20261130')),
  one('refused', 'version-is-file', 'A file named 1 instead of a folder', { config: PLAIN, files: { '1': BATCHED } }),
  quiet('other-folder-beside', 'A folder that is no version beside one that is', 'the folder v2 is not served', {
    config: PLAIN,
    files: { '1/model.onnx': BATCHED, 'v2/model.onnx': BATCHED },
  }),
  one('refused', 'nested-twice', 'The folder of the model in a folder of the same name', {
    files: { 'model/1/model.onnx': BATCHED, 'model/config.pbtxt': PLAIN },
  }),
  one(
    'loaded',
    'two-versions',
    'Two versions: the latest is served',
    { config: PLAIN, files: { '1/model.onnx': BATCHED, '2/model.onnx': BATCHED } },
    { shows: ['version_policy'] },
  ),
  one('loaded', 'policy-all', 'All versions', policy('all { }', '1', '2')),
  one('loaded', 'policy-latest-two', 'The latest two of three', policy('latest { num_versions: 2 }', '1', '2', '3')),
  one('loaded', 'policy-latest-more', 'The latest four of two', policy('latest { num_versions: 4 }', '1', '2')),
  one('refused', 'policy-latest-zero', 'The latest no versions', policy('latest { num_versions: 0 }', '1')),
  one(
    'loaded',
    'policy-specific',
    'Versions 1 and 3 of three',
    policy('specific { versions: [ 1, 3 ] }', '1', '2', '3'),
  ),
  one('refused', 'policy-specific-absent', 'A version that is not there', policy('specific { versions: [ 7 ] }', '1')),
  quiet(
    'policy-specific-partly-absent',
    'One version that is there and one that is not',
    'version 7 is not served',
    policy('specific { versions: [ 1, 7 ] }', '1'),
  ),
  one('refused', 'policy-specific-empty', 'A list of no versions', policy('specific { }', '1')),
  one('refused', 'policy-one-broken', 'Two versions are served and one has no model', {
    config: `${PLAIN}version_policy { all { } }\n`,
    files: { '1/model.onnx': BATCHED },
    folders: ['2'],
  }),
  quiet(
    'policy-empty',
    'A version policy without a choice',
    'a policy without a choice stands for all versions, not for the default',
    policy('', '1', '2'),
    'version_policy',
  ),
  one('loaded', 'file-named', 'default_model_filename names the file', {
    config: `${PLAIN}default_model_filename: "net.onnx"\n`,
    files: { '1/net.onnx': BATCHED },
  }),
  one(
    'refused',
    'file-named-absent',
    'default_model_filename names a file that is not there',
    plus('default_model_filename: "net.onnx"'),
  ),
  one('refused', 'file-misnamed', 'The file has another name than model.onnx', {
    config: PLAIN,
    files: { '1/net.onnx': BATCHED },
  }),
  one('loaded', 'file-in-folder', 'model.onnx is a folder with a model.onnx', {
    config: PLAIN,
    files: { '1/model.onnx/model.onnx': BATCHED },
  }),
  quiet(
    'cc-filenames-on-cpu',
    'Files by compute capability without a GPU',
    'only GPU instances look at it',
    plus('cc_model_filenames { key: "8.0" value: "model.onnx" }'),
  ),
  one('loaded', 'external-data', 'Weights in a file beside the model', {
    config: PLAIN.replace('"X"', '"A"'),
    files: { '1/model.onnx': shared('external.onnx'), '1/external.onnx.data': shared('external.onnx.data') },
  }),
  one('refused', 'external-data-absent', 'Weights in a file that is not there', {
    config: PLAIN.replace('"X"', '"A"'),
    files: { '1/model.onnx': shared('external.onnx') },
  }),
  one('refused', 'not-a-model', 'A file that is no ONNX model', {
    config: PLAIN,
    files: { '1/model.onnx': 'this is no model\n' },
  }),
  one('refused', 'empty-model', 'An empty model file', { config: PLAIN, files: { '1/model.onnx': '' } }),
  one('refused', 'unsupported-operator', 'A model with an operator that no one has', onnx('unknown-operator', PLAIN)),
  one('loaded', 'more-files', 'Other files beside the model', {
    config: PLAIN,
    files: { '1/model.onnx': BATCHED, 'README.md': '# A model\n', '1/vocab.txt': 'a\n' },
  }),
  one('loaded', 'labels', 'A file of labels, one a line', {
    config: LABELLED,
    files: { '1/model.onnx': BATCHED, 'labels.txt': 'a\nb\nc\nd\n' },
  }),
  one('refused', 'labels-absent', 'A file of labels that is not there', onnx('batched', LABELLED)),
  quiet('labels-too-few', 'Fewer labels than classes', 'classes without a label have an empty one', {
    config: LABELLED,
    files: { '1/model.onnx': BATCHED, 'labels.txt': 'a\nb\n' },
  }),
  one('loaded', 'labels-in-version-folder', 'The path of labels is relative to the folder of the model', {
    config: LABELLED.replace('labels.txt', '1/labels.txt'),
    files: { '1/model.onnx': BATCHED, '1/labels.txt': 'a\nb\nc\nd\n' },
  }),
  one(
    'refused',
    'repository-agent-unknown',
    'A repository agent that does not exist',
    plus('model_repository_agents { agents [ { name: "nobody" } ] }'),
  ),
  one('loaded', 'metric-tags', 'Tags of metrics', plus('metric_tags { key: "team" value: "vision" }')),
];
