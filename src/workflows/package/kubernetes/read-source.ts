import { lstatSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileError } from '../../../codec/system-error.js';
import { ServeOptError } from '../../../errors.js';
import type { KubernetesFacts, KubernetesOptions, KubernetesServer } from '../../../targets/kubernetes/options.js';
import { checkModelName } from '../../../targets/kubernetes/parse-options.js';
import { tritonName } from '../../../targets/triton/triton-name.js';
import type { InContext } from '../../options.js';
import { type KubernetesSource, readOneModel, type SourceReading } from './kubernetes-source.js';
import { readArchive } from './read-archive.js';
import { readRepository } from './read-repository.js';

/** What kind of source a path is. */
export type SourceKind = KubernetesFacts['kind'];

/** @throws SO2001, SO2002 */
export function sourceKind(path: string): SourceKind {
  try {
    if (lstatSync(resolve(path)).isDirectory()) return 'repository';
  } catch (cause) {
    throw fileError(path, cause);
  }
  return /\.mar$/i.test(path) ? 'archive' : 'model';
}

/** The server that suits a source. */
export function defaultServer(kind: SourceKind): KubernetesServer {
  return kind === 'archive' ? 'torchserve' : 'triton';
}

/** @throws SO1002 for a source that the server cannot load */
export function checkSource(path: string, kind: SourceKind, server: KubernetesServer): void {
  if (kind === 'repository' && server === 'torchserve') {
    throw new ServeOptError('SO1002', `"${path}" is a folder, and --for torchserve needs a model or an archive`, {
      why: 'TorchServe does not read Triton repositories',
      hint: 'serve-opt package kubernetes model.mar --for torchserve -o k8s/',
    });
  }
  if (kind === 'archive' && server !== 'torchserve') {
    throw new ServeOptError(
      'SO1002',
      `"${path}" is a TorchServe archive, and --for ${server} needs a model or a repository`,
      {
        why:
          server === 'kserve'
            ? "the TorchServe of KServe's runtime has no ONNX Runtime"
            : 'Triton does not read archives',
        hint: `serve-opt package kubernetes ${path} --for torchserve -o k8s/`,
      },
    );
  }
}

/**
 * Reads what is to be deployed, and hands it to `use` while its files are there: those of an archive only as long.
 * @throws SO2xxx and SO3xxx for what cannot be read, SO3512 for a repository or archive without a model, SO1006 for a version or a
 *   model that it does not have
 */
export async function withSource<T>(
  path: string,
  kind: SourceKind,
  { name, ...options }: InContext<SourceReading> & { readonly name?: string },
  use: (source: KubernetesSource) => Promise<T>,
): Promise<T> {
  if (name !== undefined) checkModelName(name);
  if (kind === 'archive') return readArchive(path, name, options, use);
  if (kind === 'repository') return use(await readRepository(path, name, options));
  return use(await readOneModel(path, name ?? tritonName(path), basename(path), 'model', options));
}

/**
 * The versions of a split against those of the source. @returns what could not be checked
 * @throws SO1006 for a version that is not there, SO1002 for several models
 */
export function checkVersions(
  { kind, models, sourceName }: KubernetesFacts,
  { split, server }: KubernetesOptions,
): string[] {
  if (split.length === 0) return [];
  const [model, another] = models;
  if (another !== undefined) {
    throw new ServeOptError('SO1002', `--split needs one model, and "${sourceName}" has ${models.length}`, {
      hint: `add --name ${model?.name}`,
    });
  }
  const versions = model?.versions ?? [];
  const names = split.map(({ version }) => version);
  const wrong = server === 'torchserve' ? undefined : names.find((version) => !/^[1-9]\d*$/.test(version));
  if (wrong !== undefined) {
    throw new ServeOptError('SO1006', `The version "${wrong}" of --split is not allowed`, {
      why: 'versions of Triton are whole numbers from 1 on',
      hint: 'write --split 1=90,2=10',
    });
  }
  const missing = names.filter((version) => !versions.includes(version));
  if (kind === 'repository' && missing.length > 0) {
    throw new ServeOptError('SO1006', `"${sourceName}" has no version ${missing.join(', ')} of "${model?.name}"`, {
      why: `it has ${versions.join(', ')}`,
      hint: 'serve-opt package triton MODEL -o REPOSITORY adds a version',
    });
  }
  if (kind === 'archive' && missing.length === names.length) {
    throw new ServeOptError(
      'SO1006',
      `"${sourceName}" has version ${versions.join(', ')}, which --split does not name`,
      {
        hint: `write --split ${versions[0] ?? '1.0'}=90,${names.at(-1)}=10`,
      },
    );
  }
  const unseen = kind === 'repository' ? [] : kind === 'archive' ? missing : names;
  return unseen.length === 0
    ? []
    : [`Versions ${unseen.join(', ')} were not looked at: all are sized as "${sourceName}".`];
}
