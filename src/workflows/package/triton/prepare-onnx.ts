import { basename, join } from 'node:path';
import { ServeOptError } from '../../../errors.js';
import { readModel } from '../../../ir/read-model.js';
import { inputSpecs, outputSpecs } from '../../../samples/value-specs.js';
import type { ModelFacts } from '../../../targets/model-facts.js';
import type { PackageFile } from '../../../targets/package-file.js';
import { buildConfig } from '../../../targets/triton/build-config.js';
import { LABELS_FILE } from '../../../targets/triton/labels.js';
import { hashedSize } from '../../file-hash.js';
import type { InContext, WorkflowContext } from '../../options.js';
import type { OpenedModel } from '../open-model.js';
import { lookAtModel } from './look-at-model.js';
import { measuredBefore } from './measured-before.js';
import { labelFiles, readLabels, withWarmup } from './prepare-extras.js';
import type { PreparedModel } from './prepared-model.js';
import type { PackageTritonOptions } from './triton-package-options.js';

/** What the server looks for in the folder of a version. */
const MODEL_FILE = 'model.onnx';

/** Prepares an ONNX model. @throws SO3501 for what cannot be served, and what its parts throw */
export async function prepareOnnx(
  { model, facts, warnings, check }: OpenedModel,
  name: string,
  options: InContext<PackageTritonOptions>,
): Promise<PreparedModel> {
  const context: WorkflowContext = options;
  const look = await lookAtModel(model, facts, options, context);
  const modelName = basename(facts.path);
  const isBatched = look.batchability.kind === 'yes' ? options.maxBatch !== 0 : (options.maxBatch ?? 0) > 0;
  const labels = readLabels(options, look.served, isBatched);
  const built = buildConfig(
    {
      name,
      platform: 'onnxruntime_onnx',
      served: look.served,
      batchability: look.batchability,
      modelName,
      ...(labels === undefined ? {} : { labels: new Map([[labels.output, LABELS_FILE]]) }),
    },
    options,
  );
  const fileName = modelFileName(facts);
  const named = fileName === MODEL_FILE ? built.config : { ...built.config, default_model_filename: fileName };
  const { config, files } = await withWarmup(named, look.served, facts.inputs, options);
  return {
    platform: 'onnxruntime_onnx',
    config,
    versionFiles: versionFiles(facts, fileName),
    modelFiles: [...labelFiles(labels), ...files],
    input: { name: modelName, sizeBytes: hashedSize(facts.path) },
    inputs: facts.inputs.map(({ name: tensor, typeText }) => ({ name: tensor, type: typeText })),
    outputs: facts.outputs.map(({ name: tensor, typeText }) => ({ name: tensor, type: typeText })),
    example: look.example,
    ...(look.onnxRuntimeVersion === undefined ? {} : { onnxRuntimeVersion: look.onnxRuntimeVersion }),
    notes: [...built.notes, ...look.notes, ...(labels?.notes ?? []), ...operatorNotes(facts)],
    warnings: [...warnings, ...look.warnings],
    measured: await measuredBefore(facts.path),
    lookAt: (folder) => lookAtWritten(join(folder, fileName), facts),
    check,
  };
}

/** The name of the model file in a version: the server's own, unless data of the model has it. */
function modelFileName({ path, externalFiles }: ModelFacts): string {
  const taken = new Set(externalFiles.map(({ location }) => location.toLowerCase()));
  if (!taken.has(MODEL_FILE)) return MODEL_FILE;
  const own = basename(path);
  if (!taken.has(own.toLowerCase())) return own;
  throw new ServeOptError('SO3502', `The data of the model has the name "${MODEL_FILE}", and so has the model`);
}

/** The model byte for byte, and its data where the model looks for it. */
function versionFiles({ path, externalFiles }: ModelFacts, fileName: string): PackageFile[] {
  return [
    ...externalFiles.map((file) => ({ path: file.location, source: file.path })),
    { path: fileName, source: path },
  ];
}

/** Domains whose operators every ONNX Runtime has, and those that only its own builds have. */
const STANDARD: ReadonlySet<string> = new Set(['ai.onnx.ml', 'ai.onnx.preview.training', 'ai.onnx.training']);
const OF_ONNX_RUNTIME: ReadonlySet<string> = new Set(['com.microsoft', 'com.microsoft.nchwc']);

function operatorNotes({ domains }: ModelFacts): string[] {
  const own = domains.filter((domain) => OF_ONNX_RUNTIME.has(domain));
  const others = domains.filter((domain) => !OF_ONNX_RUNTIME.has(domain) && !STANDARD.has(domain));
  return [
    ...own.map(
      (domain) => `Operators of ${domain} are part of ONNX Runtime, not of ONNX: the server's must be new enough.`,
    ),
    ...others.map(
      (domain) =>
        `Operators of ${domain} need a library in the server: --set model_operations.op_library_filename=/path/library.so`,
    ),
  ];
}

/** Opens a model that was written, and looks whether it is the same one. Links to its data are those that were just made. */
async function lookAtWritten(path: string, facts: ModelFacts): Promise<void> {
  const failed = (why: string): ServeOptError =>
    new ServeOptError('SO6003', `The packaged model is not what it should be: ${why}`);
  const model = await readModel(path, { allowLinks: true });
  try {
    const names = (list: readonly { readonly name: string; readonly typeText: string }[]): string =>
      list.map(({ name, typeText }) => `${name}:${typeText}`).join('\n');
    if (names(inputSpecs(model)) !== names(facts.inputs)) throw failed('its inputs differ');
    if (names(outputSpecs(model)) !== names(facts.outputs)) throw failed('its outputs differ');
    const found = model.source?.externalPaths().length ?? 0;
    if (found !== facts.externalFiles.length)
      throw failed(`${found} of ${facts.externalFiles.length} data files are there`);
  } finally {
    model.close();
  }
}
