import type { ReportModel } from '../../../report/types.js';
import type { KubernetesFacts } from '../../../targets/kubernetes/options.js';
import type { InContext, ModelOptions, SourceOptions } from '../../options.js';
import { FileHashes } from '../../report-files.js';
import { withOpenModel } from '../open-model.js';

/** An ONNX file of the source that can be measured. */
export interface MeasurableModel {
  /** Name of the model on the server. */
  readonly name: string;
  readonly path: string;
  readonly report: ReportModel;
}

/** What was found at a path: facts for manifests, and what can be measured. */
export interface KubernetesSource {
  readonly facts: KubernetesFacts;
  readonly measurable: readonly MeasurableModel[];
  /** Copies of the models in a server, as the configurations of a repository say. */
  readonly instances?: number;
  readonly warnings: readonly string[];
}

/** A source with one ONNX file. @param sourceName what it is called, without its path */
export async function readOneModel(
  path: string,
  name: string,
  sourceName: string,
  kind: KubernetesFacts['kind'],
  options: InContext<SourceOptions & ModelOptions>,
  versions: readonly string[] = [],
): Promise<KubernetesSource> {
  return withOpenModel(path, options, async ({ facts, warnings }) => {
    const report = await hashed(
      path,
      facts.externalFiles.map((file) => file.path),
    );
    const served = { name, versions, facts, sizeBytes: totalBytes(report), besideVersions: ['config.pbtxt'] };
    return {
      facts: { kind, sourceName, name, models: [served] },
      measurable: [{ name, path, report }],
      warnings,
    };
  });
}

/** Name, size and hash of a model with its data files. */
export async function hashed(path: string, dataPaths: readonly string[]): Promise<ReportModel> {
  const hashes = new FileHashes();
  try {
    return await hashes.model(path, dataPaths);
  } finally {
    await hashes.close();
  }
}

export function totalBytes({ sizeBytes, externalData = [] }: ReportModel): number {
  return externalData.reduce((sum, file) => sum + file.sizeBytes, sizeBytes);
}
