/** What Triton fills in before it looks at a model: backend, platform, name of the file, versions (its `model_config_utils.cc`, `model_lifecycle.cc`). */
import type { ModelConfig } from '../../../proto/model-config.js';
import type { ModelFolderFacts } from './facts.js';

interface Framework {
  readonly backend: string;
  /** By which `platform` names it; the first is filled in. */
  readonly platforms: readonly string[];
  /** File or folder in the version folder, unless `default_model_filename` gives another. */
  readonly file: string;
}

/** In the order in which Triton tries them. */
export const FRAMEWORKS: readonly Framework[] = [
  { backend: 'tensorflow', platforms: ['tensorflow_savedmodel'], file: 'model.savedmodel' },
  { backend: 'tensorflow', platforms: ['tensorflow_graphdef'], file: 'model.graphdef' },
  { backend: 'tensorrt', platforms: ['tensorrt_plan'], file: 'model.plan' },
  { backend: 'onnxruntime', platforms: ['onnxruntime_onnx'], file: 'model.onnx' },
  { backend: 'openvino', platforms: [], file: 'model.xml' },
  { backend: 'pytorch', platforms: ['pytorch_libtorch', 'libtorch'], file: 'model.pt' },
  { backend: 'pytorch', platforms: ['torch_aoti'], file: 'model.pt2' },
  { backend: 'python', platforms: [], file: 'model.py' },
];

/** Further backends of Triton's own containers; `file` where each model must have it. */
export const OTHER_BACKENDS: readonly { readonly backend: string; readonly file?: string }[] = [
  { backend: 'vllm', file: 'model.json' },
  { backend: 'tensorrtllm' },
  { backend: 'dali' },
  { backend: 'fil' },
  { backend: 'identity' },
  { backend: 'repeat' },
  { backend: 'square' },
  { backend: 'armnn_tflite' },
  { backend: 'paddle' },
  { backend: 'hugectr' },
  { backend: 'hps' },
];

/** Platform of ensembles, which have no backend. */
export const ENSEMBLE = 'ensemble';

export interface EffectiveModel {
  /** Empty for ensembles, and where Triton cannot tell. */
  readonly backend: string;
  readonly platform: string;
  /** What each version folder must have; undefined where the backend decides. */
  readonly file: string | undefined;
  readonly isEnsemble: boolean;
  readonly versions: VersionFacts;
}

/** How the server reads the folders of a model. */
export interface VersionFacts {
  /** Version folders by number: what is left of `2_old` is 2. */
  readonly found: ReadonlyMap<bigint, readonly string[]>;
  /** Folders whose names are no number. */
  readonly ignored: readonly string[];
  /** Folders with a number that has leading zeros. */
  readonly zeroed: readonly string[];
  /** Folders with a number of more than 64 bits: the server ends. */
  readonly beyond: readonly string[];
  /** Numbers that are loaded, newest first. */
  readonly loaded: readonly bigint[];
  /** Numbers that `version_policy` asks for and no folder has. */
  readonly absent: readonly bigint[];
}

/** Folders with a meaning of their own. */
const SPECIAL_FOLDERS: ReadonlySet<string> = new Set(['warmup', 'initial_state', 'configs']);

export function effectiveModel(config: ModelConfig, folder: ModelFolderFacts): EffectiveModel {
  const { platform = '', backend = '', default_model_filename: file = '' } = config;
  const versions = versionFacts(config, folder);
  const isEnsemble = platform === ENSEMBLE || config.ensemble_scheduling !== undefined;
  const none = { platform, backend, file: file === '' ? undefined : file, isEnsemble, versions };
  if (isEnsemble) return { ...none, file: undefined };
  const other = OTHER_BACKENDS.find((each) => each.backend === backend);
  if (other !== undefined) return { ...none, file: file === '' ? other.file : file };
  const present = platform === '' && file === '' ? filesOfFirstVersion(folder) : undefined;
  const framework = FRAMEWORKS.find((each) => {
    if (backend !== '' && each.backend !== backend) return false;
    if (platform !== '') return each.platforms.includes(platform) || (backend !== '' && each.platforms.length === 0);
    if (file !== '' && file === each.file) return true;
    if (present?.has(each.file)) return true;
    return backend !== '' && each.backend === backend && backend !== 'tensorflow';
  });
  const filled = framework ?? (backend === '' && platform !== '' ? meantFramework(platform, folder) : undefined);
  if (filled === undefined) return none;
  return {
    ...none,
    backend: filled.backend,
    platform: framework === undefined || platform === '' ? (filled.platforms[0] ?? '') : platform,
    file: file === '' ? filled.file : file,
  };
}

/** What a platform that does not exist was meant to be, so that the rest can be checked: a backend, or what the files are. */
function meantFramework(platform: string, folder: ModelFolderFacts): Framework | undefined {
  const present = filesOfFirstVersion(folder);
  return FRAMEWORKS.find(({ backend }) => backend === platform) ?? FRAMEWORKS.find(({ file }) => present.has(file));
}

/** Triton looks into the folder whose name comes first. */
function filesOfFirstVersion({ entries }: ModelFolderFacts): ReadonlySet<string> {
  const first = foldersOf(entries)[0];
  const files = new Set<string>();
  if (first === undefined) return files;
  for (const path of entries.keys()) {
    const [folder, name, ...deeper] = path.split('/');
    if (folder === first && name !== undefined && deeper.length === 0) files.add(name);
  }
  return files;
}

function foldersOf(entries: ModelFolderFacts['entries']): readonly string[] {
  const names = [...entries].filter(
    ([path, { kind }]) => !path.includes('/') && (kind === 'folder' || kind === 'outside'),
  );
  return names.map(([path]) => path).sort();
}

const MOST = 2n ** 63n - 1n;

function versionFacts({ version_policy: policy }: ModelConfig, { entries }: ModelFolderFacts): VersionFacts {
  const found = new Map<bigint, string[]>();
  const ignored: string[] = [];
  const zeroed: string[] = [];
  const beyond: string[] = [];
  for (const name of foldersOf(entries)) {
    if (SPECIAL_FOLDERS.has(name)) continue;
    const digits = /^\s*[-+]?\d+/.exec(name)?.[0].trim();
    if (name.length > 1 && name.startsWith('0')) zeroed.push(name);
    else if (digits === undefined) ignored.push(name);
    else {
      const version = BigInt(digits.replace('+', ''));
      if (version > MOST || version < -MOST - 1n) beyond.push(name);
      else found.set(version, [...(found.get(version) ?? []), name]);
    }
  }
  const newest = [...found.keys()].sort((a, b) => (a < b ? 1 : -1));
  const wanted = policy?.specific?.versions?.map(BigInt);
  const latest = policy === undefined ? 1 : policy.latest === undefined ? undefined : (policy.latest.num_versions ?? 0);
  const loaded =
    policy?.specific !== undefined
      ? newest.filter((version) => wanted?.includes(version))
      : latest === undefined
        ? newest
        : newest.slice(0, latest);
  const absent = (wanted ?? []).filter((version) => !found.has(version));
  return { found, ignored, zeroed, beyond, loaded, absent };
}
