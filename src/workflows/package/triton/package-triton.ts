import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { ServeOptError } from '../../../errors.js';
import type { TritonReport } from '../../../report/triton-types.js';
import { checkTritonName, tritonName } from '../../../targets/triton/triton-name.js';
import type { WorkflowContext } from '../../options.js';
import { withOpenModel } from '../open-model.js';
import { checkRepositoryOptions, checkTritonOptions } from './check-triton-options.js';
import { fileKind, prepareEngine } from './prepare-engine.js';
import { prepareEnsemble } from './prepare-ensemble.js';
import { prepareOnnx } from './prepare-onnx.js';
import { lookAtRepository, recoverRepository } from './repository.js';
import type { PackageEnsembleOptions, PackageTritonOptions } from './triton-package-options.js';
import { writeModel } from './write-model.js';

/**
 * Puts an ONNX model, or a TensorRT engine, into a Triton model repository: `NAME/config.pbtxt` and `NAME/VERSION/model.onnx` with
 * its external data. The model is copied byte for byte, never loaded as a whole. The repository is made where it does not exist; a
 * model in it gets another version, without a change of what is there.
 * @param path the model
 * @param repository folder of the repository
 * @throws SO3501 for a model that Triton cannot serve, SO1005 for a version that exists, SO3507 for a configuration that would
 *   change; nothing is written then
 */
export async function packageTriton(
  path: string,
  repository: string,
  options: PackageTritonOptions = {},
  context: WorkflowContext = {},
): Promise<TritonReport> {
  checkTritonOptions(options);
  const name = options.name ?? tritonName(path);
  checkTritonName(name);
  if (!options.dryRun) recoverRepository(repository);
  const kind = fileKind(path);
  if (kind === 'engine' || (options.platform === 'tensorrt_plan' && kind !== 'onnx')) {
    if (options.platform === 'onnxruntime_onnx')
      throw new ServeOptError('SO1002', '--platform onnxruntime_onnx and an engine contradict each other');
    const prepared = await prepareEngine(path, name, options);
    return writeModel(lookAtRepository(repository, name), prepared, repository, options, context);
  }
  refuseEngineOptions(options);
  const state = lookAtRepository(repository, name);
  refuseOwnFolder(path, join(state.path, name));
  return withOpenModel(path, { ...options, ...context }, async (opened) => {
    const prepared = await prepareOnnx(opened, name, { ...options, ...context });
    return writeModel(lookAtRepository(repository, name), prepared, repository, options, context);
  });
}

/**
 * Puts an ensemble into a Triton model repository: models that are there, run one after the other.
 * @param members names of models, in the order in which they run
 * @throws SO3506 where they do not fit together, naming both sides
 */
export async function packageTritonEnsemble(
  members: readonly string[],
  repository: string,
  options: PackageEnsembleOptions = {},
  context: WorkflowContext = {},
): Promise<TritonReport> {
  checkRepositoryOptions(options);
  if (members.length === 0) throw new ServeOptError('SO1006', 'An ensemble has at least one model');
  const name = options.name ?? `${members.join('-')}`.slice(0, 200);
  checkTritonName(name);
  if (!options.dryRun) recoverRepository(repository);
  const state = lookAtRepository(repository, name);
  const prepared = prepareEnsemble(state, members, name, options);
  return writeModel(state, prepared, repository, options, context);
}

function refuseEngineOptions({ platform, engineInputs, engineOutputs }: PackageTritonOptions): void {
  const flag =
    platform === 'tensorrt_plan'
      ? '--platform tensorrt_plan'
      : engineInputs !== undefined
        ? '--engine-input'
        : engineOutputs !== undefined
          ? '--engine-output'
          : undefined;
  if (flag === undefined) return;
  throw new ServeOptError('SO1002', `${flag} is for engines, and the file is none`, {
    why: 'the interface of an ONNX model stands in the model',
    hint: `leave ${flag} out`,
  });
}

/** A model that already stands in the folder that is written would be copied onto itself. */
function refuseOwnFolder(path: string, modelPath: string): void {
  const folder = statSync(modelPath, { throwIfNoEntry: false });
  if (!folder?.isDirectory()) return;
  const inside = `${realpathSync(dirname(path))}${sep}`;
  if (!inside.startsWith(`${realpathSync(modelPath)}${sep}`)) return;
  throw new ServeOptError('SO1004', `"${basename(path)}" stands in the folder that would be written`, {
    hint: 'choose another repository with -o, or another --name',
  });
}
