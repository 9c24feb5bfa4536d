import { mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ReadArchive } from '../../../codec/archive/archive-entry.js';
import { readZip } from '../../../codec/archive/zip-reader.js';
import { JsonRefusal, parseBoundedJson } from '../../../codec/bounded-json.js';
import { ServeOptError } from '../../../errors.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import { checkModelName } from '../../../targets/kubernetes/parse-options.js';
import { whyUnsafePath } from '../../../targets/package-file.js';
import type { InContext } from '../../options.js';
import { type KubernetesSource, readOneModel, type SourceReading } from './kubernetes-source.js';

const MANIFEST = 'MAR-INF/MANIFEST.json';

/** What matters of an archive's manifest. */
interface ArchiveManifest {
  readonly name: string;
  readonly version: string;
  readonly model: string;
}

/**
 * Reads a TorchServe archive: its manifest, and the ONNX model in it, which is extracted to a temporary folder as long as `use` runs.
 * @throws SO3512 for an archive that is damaged, unsafe or without an ONNX model
 */
export async function readArchive<T>(
  path: string,
  name: string | undefined,
  options: InContext<SourceReading>,
  use: (source: KubernetesSource) => Promise<T>,
): Promise<T> {
  return withWorkFolder(async ({ path: folder }) => {
    const archive = await readZip(path, {
      folder,
      signal: options.signal,
      keep: (entry) => (entry.path === MANIFEST ? 'memory' : 'file'),
    });
    const refuse = (why: string): ServeOptError =>
      new ServeOptError('SO3512', `The archive "${path}" cannot be deployed`, {
        why,
        hint: `serve-opt package check ${path}`,
        location: { file: path },
      });
    const damaged = archive.stopped ?? archive.entries.find(({ damage }) => damage !== undefined)?.damage;
    if (damaged !== undefined) throw refuse(damaged);
    const manifest = readManifest(archive, refuse);
    placeFiles(archive, join(folder, 'model'), refuse);
    const model = join(folder, 'model', manifest.model);
    const served = name ?? manifest.name;
    const source = await readOneModel(model, served, basename(path), 'archive', options, [manifest.version]);
    return use(source);
  });
}

function readManifest({ contents, files }: ReadArchive, refuse: (why: string) => ServeOptError): ArchiveManifest {
  const bytes = contents.get(MANIFEST);
  if (bytes === undefined) throw refuse(`it has no ${MANIFEST}`);
  let value: unknown;
  try {
    value = parseBoundedJson(bytes);
  } catch (cause) {
    if (!(cause instanceof JsonRefusal)) throw cause;
    throw refuse(`its manifest is not JSON: ${cause.message}`);
  }
  const { model } = (value ?? {}) as { readonly model?: Readonly<Record<string, unknown>> };
  const { modelName, modelVersion = '1.0', serializedFile } = model ?? {};
  if (typeof modelName !== 'string' || typeof modelVersion !== 'string') throw refuse('its manifest has no modelName');
  if (
    typeof serializedFile !== 'string' ||
    !serializedFile.toLowerCase().endsWith('.onnx') ||
    !files.has(serializedFile)
  )
    throw refuse('its manifest names no ONNX model in it (serializedFile)');
  return { name: checkModelName(modelName), version: modelVersion, model: serializedFile };
}

/** The model's weights may be in files beside it, under the names that it has for them. */
function placeFiles({ files }: ReadArchive, folder: string, refuse: (why: string) => ServeOptError): void {
  for (const [path, content] of files) {
    const why = whyUnsafePath(path);
    if (why !== undefined) throw refuse(`"${path.slice(0, 100)}" is unsafe: ${why}`);
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(content, target);
  }
}
