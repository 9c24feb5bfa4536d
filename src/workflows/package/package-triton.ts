import { join } from 'node:path';
import type { PackageReport } from '../../report/package-types.js';
import { REPORT_SCHEMA_VERSION } from '../../report/types.js';
import { tritonName } from '../../targets/triton/triton-name.js';
import { packageVersion } from '../../version.js';
import type { ModelOptions, SourceOptions, WorkflowContext } from '../options.js';
import { withOpenModel } from './open-model.js';
import { stagePackage, type WritePackageOptions } from './write-package.js';

/** Options of `packageTriton`. */
export interface PackageTritonOptions extends SourceOptions, ModelOptions, WritePackageOptions {}

/** Writes a model into a Triton model repository, a folder that exists. */
export async function packageTriton(
  path: string,
  repository: string,
  options: PackageTritonOptions = {},
  context: WorkflowContext = {},
): Promise<PackageReport> {
  return withOpenModel(path, { ...options, ...context }, async ({ facts, warnings }) => {
    const name = tritonName(path);
    const files = [
      { path: '1/model.onnx', source: path },
      ...facts.externalFiles.map((file) => ({ path: `1/${file.location}`, source: file.path })),
      { path: 'config.pbtxt', text: `name: "${name}"\nplatform: "onnxruntime_onnx"\n` },
    ];
    const staged = await stagePackage({ files }, join(repository, name), options, context);
    staged.folder.commit();
    const value = ({ name, typeText }: { name: string; typeText: string }) => ({ name, type: typeText });
    return {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command: 'package triton',
      version: packageVersion(),
      output: repository,
      written: true,
      input: { name: path, sizeBytes: 0 },
      inputs: facts.inputs.map(value),
      outputs: facts.outputs.map(value),
      files: staged.files,
      warnings,
      notes: [],
    };
  });
}
