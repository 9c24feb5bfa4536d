import { SERVER_IMAGES } from '../server-images.js';
import type { YamlValue } from '../yaml-text.js';
import type { Deployed, Variant } from './deployed.js';
import type { YamlObject } from './metadata.js';
import { CONTAINER_SECURITY } from './pod-security.js';

/** What storage adds to a pod. */
export interface StorageParts {
  readonly volumes: readonly YamlObject[];
  readonly mounts: readonly YamlObject[];
  readonly initContainers: readonly YamlObject[];
}

/** Name of the volume with the models. */
const VOLUME = 'models';
/** Where the init container writes. */
const FETCH_FOLDER = '/models';

/** Name of the claim that the manifests make. */
export function claimName({ name }: Deployed): string {
  return `${name}-models`;
}

/** Name of the secret that holds keys for S3, if any are needed. */
export function storageSecret({ name }: Deployed): string {
  return `${name}-storage`;
}

/** Volume, mounts and init container that bring the model to `folder`; of one version alone in a split. */
export function storageParts(deployed: Deployed, variant: Variant): StorageParts {
  const { storage } = deployed.options;
  const volume = (source: YamlObject): YamlObject => ({ name: VOLUME, ...source });
  switch (storage.kind) {
    case 'claim':
      return mounted(deployed, variant, volume(claim(claimName(deployed))));
    case 'pvc':
      return mounted(deployed, variant, volume(claim(storage.claim)), storage.path);
    case 'image-volume':
      return mounted(
        deployed,
        variant,
        volume({ image: { reference: storage.reference, pullPolicy: 'IfNotPresent' } }),
      );
    case 'host':
      return mounted(deployed, variant, volume({ hostPath: { path: storage.path, type: 'Directory' } }));
    case 's3':
      return fetched(deployed, variant, storage.url);
    case 'image':
      return { volumes: [], mounts: [], initContainers: [] };
  }
}

function claim(claimName: string): YamlObject {
  return { persistentVolumeClaim: { claimName, readOnly: true } };
}

function mounted(deployed: Deployed, variant: Variant, volume: YamlObject, path?: string): StorageParts {
  return { volumes: [volume], mounts: mounts(deployed, variant, path), initContainers: [] };
}

/** The whole volume, or in a split of Triton only the files of one version: the server then has no other to serve. */
function mounts(deployed: Deployed, variant: Variant, path: string | undefined): YamlObject[] {
  const { modelFolder } = deployed.traits;
  const at = (inside: string | undefined): string | undefined =>
    [path, inside].filter((part) => part !== undefined).join('/') || undefined;
  const mount = (inside?: string): YamlObject => ({
    name: VOLUME,
    mountPath: inside === undefined ? modelFolder : `${modelFolder}/${inside}`,
    ...(at(inside) === undefined ? {} : { subPath: at(inside) }),
    readOnly: true,
  });
  const files = versionFiles(deployed, variant);
  return files === undefined ? [mount()] : files.map(mount);
}

/** Files and folders of a repository that one version needs, relative to it; undefined for all of them. */
function versionFiles({ facts, options }: Deployed, { version }: Variant): string[] | undefined {
  const [model] = facts.models;
  if (version === undefined || model === undefined || options.server === 'torchserve') return undefined;
  return [...model.besideVersions, version].map((file) => `${model.name}/${file}`);
}

/** An init container that copies from S3 into an empty folder of the pod. */
function fetched(deployed: Deployed, variant: Variant, url: string): StorageParts {
  const files = versionFiles(deployed, variant);
  const only =
    files === undefined
      ? []
      : ['--exclude=*', ...files.flatMap((file) => [`--include=${globText(file)}`, `--include=${globText(file)}/*`])];
  const container: YamlObject = {
    name: 'fetch-models',
    image: SERVER_IMAGES.awsCli,
    imagePullPolicy: 'IfNotPresent',
    args: ['s3', 'cp', '--recursive', '--no-progress', url, FETCH_FOLDER, ...only],
    env: [{ name: 'HOME', value: '/tmp' }],
    envFrom: [{ secretRef: { name: storageSecret(deployed), optional: true } }],
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: VOLUME, mountPath: FETCH_FOLDER },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
  return {
    volumes: [{ name: VOLUME, emptyDir: {} }],
    mounts: [{ name: VOLUME, mountPath: deployed.traits.modelFolder, readOnly: true }],
    initContainers: [container],
  };
}

/** Text in a pattern of the AWS command line, which has `*`, `?` and `[`. */
function globText(text: string): string {
  return text.replace(/[*?[\]]/g, '[$&]');
}

/** The claim that is to be filled with the model. */
export function claimManifest(deployed: Deployed, meta: YamlObject): YamlObject {
  const bytes = deployed.facts.models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const gibibytes = Math.max(1, Math.ceil((4 * bytes) / 2 ** 30));
  const spec: YamlValue = {
    accessModes: ['ReadWriteMany'],
    resources: { requests: { storage: `${gibibytes}Gi` } },
  };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: meta, spec };
}
