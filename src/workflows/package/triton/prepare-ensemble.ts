import { join } from 'node:path';
import { ServeOptError } from '../../../errors.js';
import type { ModelConfig } from '../../../proto/model-config.js';
import { suggest } from '../../../suggest.js';
import { wireType } from '../../../targets/triton/data-types.js';
import { buildEnsemble, type EnsembleMember } from '../../../targets/triton/ensemble-config.js';
import { requestShape } from '../../../targets/triton/tensor-config.js';
import type { PreparedModel } from './prepared-model.js';
import { modelNames, type RepositoryState, readConfig, versionsIn } from './repository.js';
import type { PackageEnsembleOptions } from './triton-package-options.js';

/**
 * Prepares an ensemble of models of a repository.
 * @throws SO3506 for models that are not there, or do not fit
 */
export function prepareEnsemble(
  state: RepositoryState,
  members: readonly string[],
  name: string,
  options: PackageEnsembleOptions,
): PreparedModel {
  const models = members.map((member) => readMember(state, member, name));
  const built = buildEnsemble(models, { name, ...options });
  const config: ModelConfig = {
    ...built.config,
    ...(options.cache ? { response_cache: { enable: true } } : {}),
  };
  const { max_batch_size: maxBatch = 0, input = [], output = [] } = config;
  type Tensor = {
    readonly name?: string;
    readonly data_type?: string | number;
    readonly dims?: readonly (number | bigint)[];
  };
  const value = ({ name: tensor = '', data_type: type, dims = [] }: Tensor) => ({
    name: tensor,
    type: `${wireType(String(type))}[${requestShape({ dims }, maxBatch).join(',')}]`,
  });
  return {
    platform: 'ensemble',
    config,
    versionFiles: [],
    modelFiles: [],
    inputs: input.map(value),
    outputs: output.map(value),
    notes: built.notes,
    warnings: [],
    measured: [],
  };
}

function readMember(state: RepositoryState, member: string, ensemble: string): EnsembleMember {
  if (member === ensemble) {
    throw new ServeOptError('SO3506', `The ensemble "${ensemble}" cannot be a step of itself`, {
      hint: 'give it another --name',
    });
  }
  const names = state.exists ? modelNames(state.path) : [];
  if (!names.includes(member)) {
    const near = suggest(member, names);
    throw new ServeOptError('SO3506', `The repository has no model "${member}"`, {
      why:
        near !== undefined
          ? `did you mean "${near}"?`
          : names.length === 0
            ? 'it has no models'
            : `its models are ${names.join(', ')}`,
      hint: `serve-opt package triton ${member}.onnx -o ${state.path} packages it first`,
    });
  }
  const modelPath = join(state.path, member);
  const stored = readConfig(modelPath);
  if (stored?.config === undefined) {
    throw new ServeOptError(
      'SO3506',
      stored === undefined
        ? `The model "${member}" has no config.pbtxt`
        : `The configuration of "${member}" cannot be read: ${stored.problem}`,
      { why: 'an ensemble is connected by the names, types and shapes that stand there' },
    );
  }
  if (versionsIn(modelPath).length === 0)
    throw new ServeOptError('SO3506', `The model "${member}" has no version to run`);
  return { name: member, config: stored.config };
}
