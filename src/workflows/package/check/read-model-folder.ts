import { join } from 'node:path';
import { readSmallFile } from '../../../codec/small-file.js';
import { ServeOptError } from '../../../errors.js';
import { MODEL_CONFIG, type ModelConfig } from '../../../proto/model-config.js';
import { MAX_TEXT_BYTES, parseText } from '../../../proto/text-format.js';
import { effectiveModel } from '../../../targets/triton/lint/effective-model.js';
import type {
  ConfigFacts,
  EntryFacts,
  LabelFacts,
  ModelFolderFacts,
  OnnxFacts,
} from '../../../targets/triton/lint/facts.js';
import { type EntryReader, modelEntries } from './entries.js';
import type { OnnxReader } from './onnx-reader.js';

/** Files of labels have a word a line. */
const MAX_LABEL_BYTES = 16 * 1024 * 1024;
/** Further configurations of one model, for `--model-config-name`. */
const MAX_OTHER_CONFIGS = 100;

/**
 * Reads the folder of one model: names, configurations, and of each ONNX file that is served its inputs and outputs. Reads
 * nothing outside of what is checked.
 * @param folder path to read; @param path the same relative to what is checked
 */
export async function readModelFolder(
  reader: EntryReader,
  models: OnnxReader,
  folder: string,
  name: string,
  path: string,
): Promise<ModelFolderFacts> {
  const entries = modelEntries(reader, folder);
  const none = { name, path, otherConfigs: [], onnx: new Map(), labels: new Map() };
  if (typeof entries === 'string') return { ...none, entries: new Map(), unreadable: entries };
  const config = entries.has('config.pbtxt') ? readConfig(folder, 'config.pbtxt', entries) : undefined;
  const others = [...entries.keys()].filter((each) => /^configs\/[^/]+\.pbtxt$/.test(each)).slice(0, MAX_OTHER_CONFIGS);
  const otherConfigs = others.map((each) => readConfig(folder, each, entries));
  const facts = { ...none, entries, ...(config === undefined ? {} : { config }), otherConfigs };
  const onnx = new Map<string, OnnxFacts>();
  const labels = new Map<string, LabelFacts>();
  for (const each of [config, ...otherConfigs]) {
    const parsed = each?.bytes === undefined ? undefined : parseText(MODEL_CONFIG, 'ModelConfig', each.bytes);
    if (parsed?.ok === false || each?.unreadable !== undefined) continue;
    const message = parsed?.message ?? {};
    lookAtNamed(reader, folder, message, facts, entries);
    await readOnnxFiles(models, folder, message, facts, onnx);
    for (const { label_filename: file = '' } of message.output ?? []) {
      if (entries.get(file)?.kind === 'file' && !labels.has(file)) labels.set(file, readLabels(join(folder, file)));
    }
  }
  return { ...facts, onnx, labels };
}

function readConfig(folder: string, path: string, entries: ReadonlyMap<string, EntryFacts>): ConfigFacts {
  const entry = entries.get(path);
  if (entry?.kind === 'outside') return { path, unreadable: 'it is a link that leads out of what is checked' };
  if (entry?.kind === 'broken') return { path, unreadable: 'it is a link that leads nowhere' };
  try {
    return { path, bytes: readSmallFile(join(folder, path), MAX_TEXT_BYTES) };
  } catch (error) {
    return { path, unreadable: reasonOf(error) };
  }
}

/** What is wrong, without the path, which the finding has. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ServeOptError)) throw error;
  if (error.code === 'SO2104') return error.message.replace(/^"[^"]*" is too large/, 'it is too large');
  return error.message.replace(/^Cannot read "[^"]*": /, '');
}

/** Adds what the configuration names and the listing does not have, because it is deeper in the folder. */
function lookAtNamed(
  reader: EntryReader,
  folder: string,
  config: ModelConfig,
  facts: ModelFolderFacts,
  entries: Map<string, EntryFacts>,
): void {
  const { file, versions } = effectiveModel(config, facts);
  const local = config.parameters?.get('EXECUTION_ENV_PATH')?.string_value;
  const named = [
    ...(config.output ?? []).map(({ label_filename: name = '' }) => name),
    ...(config.model_warmup ?? []).flatMap(({ inputs = new Map() }) =>
      [...inputs.values()].map(({ input_data_file: name = '' }) => (name === '' ? '' : `warmup/${name}`)),
    ),
    ...(config.sequence_batching?.state ?? []).flatMap(({ initial_state: starts = [] }) =>
      starts.map(({ data_file: name = '' }) => (name === '' ? '' : `initial_state/${name}`)),
    ),
    ...(local?.startsWith('$$TRITON_MODEL_DIRECTORY/') ? [local.slice('$$TRITON_MODEL_DIRECTORY/'.length)] : []),
    ...versions.loaded.flatMap((version) =>
      [file, `${file}/model.onnx`, ...(config.cc_model_filenames?.values() ?? [])].map((name) => `${version}/${name}`),
    ),
  ];
  for (const path of named) {
    if (path === '' || entries.has(path) || path.startsWith('/')) continue;
    const entry = reader.look(join(folder, path));
    if (entry !== undefined) entries.set(path, entry);
  }
}

async function readOnnxFiles(
  models: OnnxReader,
  folder: string,
  config: ModelConfig,
  facts: ModelFolderFacts,
  onnx: Map<string, OnnxFacts>,
): Promise<void> {
  const { backend, file, versions } = effectiveModel(config, facts);
  if (backend !== 'onnxruntime' || file === undefined) return;
  for (const version of versions.loaded) {
    const path = `${version}/${file}`;
    const inner = facts.entries.get(path)?.kind === 'folder' ? `${path}/model.onnx` : path;
    if (facts.entries.get(inner)?.kind === 'file' && !onnx.has(inner))
      onnx.set(inner, await models.read(join(folder, inner)));
  }
}

/** Lines as Triton counts them: without what follows the last line break, if that is nothing. */
function readLabels(path: string): LabelFacts {
  try {
    const bytes = readSmallFile(path, MAX_LABEL_BYTES);
    let lines = bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0;
    for (const byte of bytes) if (byte === 10) lines++;
    return { lines };
  } catch (error) {
    return { unreadable: reasonOf(error) };
  }
}
