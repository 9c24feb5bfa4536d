import type { ReportModel } from '../../../report/types.js';
import type { KubernetesFacts, ServedModel } from '../../../targets/kubernetes/options.js';
import type { InContext, SourceOptions } from '../../options.js';
import { FileHashes } from '../../report-files.js';
import type { LoadOptions } from '../load-model.js';
import { withOpenModel } from '../open-model.js';
import { withTriedExample } from '../tried-example.js';

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

/** How a source is read. */
export interface SourceReading extends SourceOptions, LoadOptions {
  /** Report with what its models cost: they are not run then. */
  readonly reportPath?: string;
  /** Run its models. Default true. */
  readonly measure?: boolean;
}

/** An ONNX file as a server will have it. */
export interface ServedFile {
  readonly served: ServedModel;
  readonly measurable: MeasurableModel;
  readonly warnings: readonly string[];
}

/** Reads an ONNX file. @throws SO2xxx and SO3xxx for one that is no sound model */
export async function readServedFile(
  path: string,
  { name, versions, besideVersions }: Pick<ServedModel, 'name' | 'versions' | 'besideVersions'>,
  options: InContext<SourceReading>,
): Promise<ServedFile> {
  return withOpenModel(path, options, async ({ model, facts, warnings }) => {
    const report = await hashed(
      path,
      facts.externalFiles.map((file) => file.path),
    );
    const isRun = options.measure !== false && options.reportPath === undefined;
    const tried = isRun ? await withTriedExample(model, facts, options) : { facts, notes: [] };
    return {
      served: { name, versions, facts: tried.facts, sizeBytes: totalBytes(report), besideVersions },
      measurable: { name, path, report },
      warnings: [...warnings, ...tried.notes],
    };
  });
}

/** A source with one ONNX file. @param sourceName what it is called, without its path */
export async function readOneModel(
  path: string,
  name: string,
  sourceName: string,
  kind: KubernetesFacts['kind'],
  options: InContext<SourceReading>,
  versions: readonly string[] = [],
): Promise<KubernetesSource> {
  const model = { name, versions, besideVersions: ['config.pbtxt'] };
  const { served, measurable, warnings } = await readServedFile(path, model, options);
  return { facts: { kind, sourceName, name, models: [served] }, measurable: [measurable], warnings };
}

/** Name, size and hash of a model with its data files. */
async function hashed(path: string, dataPaths: readonly string[]): Promise<ReportModel> {
  const hashes = new FileHashes();
  try {
    return await hashes.model(path, dataPaths);
  } finally {
    await hashes.close();
  }
}

function totalBytes({ sizeBytes, externalData = [] }: ReportModel): number {
  return externalData.reduce((sum, file) => sum + file.sizeBytes, sizeBytes);
}
