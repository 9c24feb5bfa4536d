import { type Dirent, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readSmallFile } from '../../../codec/small-file.js';
import { fileError } from '../../../codec/system-error.js';
import { ServeOptError } from '../../../errors.js';
import { MODEL_CONFIG, type ModelConfig } from '../../../proto/model-config.js';
import { MAX_TEXT_BYTES, parseText } from '../../../proto/text-format.js';
import { suggest } from '../../../suggest.js';
import type { ServedModel } from '../../../targets/kubernetes/options.js';
import type { InContext } from '../../options.js';
import {
  type KubernetesSource,
  type MeasurableModel,
  readServedFile,
  type ServedFile,
  type SourceReading,
} from './kubernetes-source.js';

const CONFIG = 'config.pbtxt';
/** A version of Triton. */
const VERSION = /^[1-9]\d*$/;
/** Triton's file names of ONNX models by default. */
const DEFAULT_FILE = 'model.onnx';

/** One folder of a repository. */
interface ModelFolder {
  readonly name: string;
  readonly path: string;
  readonly versions: readonly string[];
  readonly beside: readonly string[];
  readonly config?: ModelConfig;
}

/**
 * Reads a Triton repository: its models, or the one that is named, their versions, and the newest ONNX file of each.
 * @throws SO3512 where it has no model, SO1006 for a name that it does not have
 */
export async function readRepository(
  path: string,
  name: string | undefined,
  options: InContext<SourceReading>,
): Promise<KubernetesSource> {
  const sourceName = basename(resolve(path));
  const folders = modelFolders(path);
  refuseNoRepository(path, folders);
  const chosen = name === undefined ? folders : folders.filter((folder) => folder.name === name);
  if (chosen.length === 0) throw unknownModel(sourceName, name ?? '', folders);
  const models: ServedModel[] = [];
  const measurable: MeasurableModel[] = [];
  const warnings: string[] = [];
  for (const folder of chosen) {
    const found = await readFolder(folder, options);
    models.push(found.served);
    if (found.measurable) measurable.push(found.measurable);
    warnings.push(...found.warnings);
  }
  const instances = Math.max(...chosen.map(({ config }) => instanceCount(config)));
  return {
    facts: {
      kind: 'repository',
      sourceName,
      name: chosen.length === 1 ? (chosen[0]?.name ?? sourceName) : sourceName,
      models,
    },
    measurable,
    ...(instances > 0 ? { instances } : {}),
    warnings,
  };
}

function modelFolders(path: string): ModelFolder[] {
  return entries(path)
    .filter((entry) => !entry.name.startsWith('.') && isFolder(join(path, entry.name)))
    .map(({ name }) => {
      const folder = join(path, name);
      const names = entries(folder).map((entry) => entry.name);
      const versions = names.filter((each) => VERSION.test(each)).sort((a, b) => Number(a) - Number(b));
      const config = names.includes(CONFIG) ? readConfig(join(folder, CONFIG)) : undefined;
      return {
        name,
        path: folder,
        versions,
        beside: names.filter((each) => !VERSION.test(each) && !each.startsWith('.')),
        ...(config === undefined ? {} : { config }),
      };
    })
    .filter(({ versions, config }) => versions.length > 0 || config !== undefined);
}

/** By name, so that the order is the same everywhere. */
function entries(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw fileError(path, cause);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** A configuration that cannot be read is for `package check` to judge. */
function readConfig(path: string): ModelConfig | undefined {
  const parsed = parseText(MODEL_CONFIG, 'ModelConfig', readSmallFile(path, MAX_TEXT_BYTES));
  return parsed.ok ? parsed.message : undefined;
}

function instanceCount(config: ModelConfig | undefined): number {
  return (config?.instance_group ?? []).reduce((sum, { count }) => sum + (count ?? 1), 0);
}

async function readFolder(
  folder: ModelFolder,
  options: InContext<SourceReading>,
): Promise<Omit<ServedFile, 'measurable'> & Partial<ServedFile>> {
  const { name, versions, beside, config } = folder;
  const newest = versions.at(-1);
  const file = config?.default_model_filename || DEFAULT_FILE;
  const path = newest === undefined ? undefined : join(folder.path, newest, file);
  if (path === undefined || !/\.onnx$/i.test(file) || !statSync(path, { throwIfNoEntry: false })?.isFile()) {
    const sizeBytes = newest === undefined ? 0 : folderBytes(join(folder.path, newest));
    const isEnsemble = config?.platform === 'ensemble';
    return {
      served: { name, versions, sizeBytes, besideVersions: beside },
      warnings: isEnsemble
        ? []
        : [`"${name}" is not an ONNX model and cannot be measured: its figures are estimated from its size.`],
    };
  }
  return readServedFile(path, { name, versions, besideVersions: beside }, options);
}

function folderBytes(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function refuseNoRepository(path: string, folders: readonly ModelFolder[]): void {
  if (folders.length > 0) return;
  const names = entries(path).map(({ name }) => name);
  const isModelFolder = names.includes(CONFIG) || names.some((name) => VERSION.test(name));
  throw new ServeOptError('SO3512', `"${path}" is not a Triton repository`, {
    why: isModelFolder ? 'it is the folder of one model' : 'no folder in it has a config.pbtxt or a version such as 1/',
    hint: isModelFolder
      ? `serve-opt package kubernetes ${join(path, '..')} -o k8s/`
      : 'serve-opt package triton model.onnx -o models/ makes one',
    location: { file: path },
  });
}

function unknownModel(sourceName: string, name: string, folders: readonly ModelFolder[]): ServeOptError {
  const names = folders.map((folder) => folder.name);
  return new ServeOptError('SO1006', `"${sourceName}" has no model "${name}"`, {
    why: `it has ${names.slice(0, 10).join(', ')}${names.length > 10 ? ' …' : ''}`,
    hint: `write --name ${suggest(name, names) ?? names[0]}`,
  });
}
