import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError } from '../../../codec/system-error.js';
import { ServeOptError } from '../../../errors.js';
import type { PackageCheckReport, PackageFinding, PackageKind } from '../../../report/package-check-types.js';
import { REPORT_SCHEMA_VERSION } from '../../../report/types.js';
import { FRAMEWORKS } from '../../../targets/triton/lint/effective-model.js';
import type { ModelFolderFacts } from '../../../targets/triton/lint/facts.js';
import { lintRepository } from '../../../targets/triton/lint/lint-repository.js';
import { packageVersion } from '../../../version.js';
import type { WorkflowContext } from '../../options.js';
import { Stages } from '../../stages.js';
import { checkMar, isMarPath } from '../check-mar.js';
import { EntryReader } from './entries.js';
import { OnnxReader } from './onnx-reader.js';
import { readModelFolder } from './read-model-folder.js';

/** Folders of one repository. */
const MAX_MODELS = 100_000;

/** What a check found, before it is counted. */
interface Checked {
  readonly kind: PackageKind;
  readonly models: readonly string[];
  readonly findings: readonly PackageFinding[];
}

/**
 * Checks a package as the server would that it is made for, and says more: a Triton model repository, the folder of
 * one of its models, or an archive for TorchServe. Reads configurations, names and the graphs of ONNX files, nothing outside of
 * the folder, and writes nothing. A model is loaded in ONNX Runtime only where shapes of its outputs are in doubt.
 * @throws SO2001, SO2002 for a path that cannot be read, SO3509 for one that is no package
 */
export async function checkPackage(path: string, context: WorkflowContext = {}): Promise<PackageCheckReport> {
  const { kind, models, findings } = await checkerOf(path)(path, context);
  const count = (severity: PackageFinding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length;
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'package check',
    version: packageVersion(),
    checked: path,
    kind,
    models,
    errors: count('error'),
    warnings: count('warning'),
    notes: count('note'),
    findings,
  };
}

type Checker = (path: string, context: WorkflowContext) => Promise<Checked>;

/** The check for a path, by what is there. Archives get a row here. */
function checkerOf(path: string): Checker {
  let isFolder: boolean;
  let isFile: boolean;
  try {
    const stats = statSync(path);
    isFolder = stats.isDirectory();
    isFile = stats.isFile();
  } catch (cause) {
    throw fileError(path, cause);
  }
  if ((isFolder || isFile) && isMarPath(path)) return checkArchive;
  if (isFolder) return checkTriton;
  if (isFile && basename(path) === 'config.pbtxt')
    return (file, context) => checkTriton(dirname(resolve(file)), context);
  throw new ServeOptError('SO3509', `Not a package: "${path}" is not a folder`, {
    why: 'a package is a Triton model repository, or the folder of one of its models',
    hint: 'serve-opt package check FOLDER',
  });
}

async function checkArchive(path: string, context: WorkflowContext): Promise<Checked> {
  return { kind: 'torchserve archive', models: [basename(path)], findings: await checkMar(path, context) };
}

async function checkTriton(path: string, context: WorkflowContext): Promise<Checked> {
  const reader = new EntryReader(path);
  const names = reader.names(path);
  if (typeof names === 'string')
    throw new ServeOptError('SO2002', `Cannot read "${path}": ${names}`, { location: { file: path } });
  const kinds = new Map(names.map((name) => [name, reader.look(join(path, name))?.kind]));
  const isModel = isModelFolder(reader, path, kinds);
  const folders = names.filter((name) => kinds.get(name) === 'folder');
  if (!isModel && folders.length === 0) {
    throw new ServeOptError('SO3509', `There are no models in "${path}"`, {
      why:
        names.length === 0 ? 'the folder is empty' : 'it has no folder, and a model repository has one for each model',
      hint: 'serve-opt package triton MODEL.onnx -o FOLDER makes a model repository',
    });
  }
  if (folders.length > MAX_MODELS) {
    throw new ServeOptError('SO2104', `"${path}" has more than ${MAX_MODELS} folders`, { location: { file: path } });
  }
  const stages = new Stages(context);
  await using onnx = new OnnxReader(reader, context);
  const models: ModelFolderFacts[] = [];
  if (isModel) {
    stages.start('read');
    models.push(await readModelFolder(reader, onnx, path, basename(reader.root), ''));
  } else {
    stages.start('read', folders.length);
    for (const [index, name] of folders.entries()) {
      models.push(await readModelFolder(reader, onnx, join(path, name), name, name));
      stages.advance(index + 1, folders.length);
      if (index % BREATH === 0) await breathe(context);
    }
  }
  stages.end(`${models.length} ${models.length === 1 ? 'model' : 'models'}`);
  const findings = lintRepository({ kind: isModel ? 'model' : 'repository', models });
  return { kind: isModel ? 'triton model' : 'triton repository', models: models.map(({ name }) => name), findings };
}

/** Models between two looks at signals. */
const BREATH = 20;

async function breathe({ signal }: WorkflowContext): Promise<void> {
  await new Promise((done) => setImmediate(done));
  if (signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
}

/** Whether a folder is one model: it has a configuration, or a version with a model file. */
function isModelFolder(reader: EntryReader, path: string, kinds: ReadonlyMap<string, string | undefined>): boolean {
  if (kinds.has('config.pbtxt')) return true;
  const files = new Set(FRAMEWORKS.map(({ file }) => file));
  for (const [name, kind] of kinds) {
    if (kind !== 'folder' || !/^\d+$/.test(name)) continue;
    const inside = reader.names(join(path, name));
    if (typeof inside !== 'string' && inside.some((each) => files.has(each))) return true;
  }
  return false;
}
