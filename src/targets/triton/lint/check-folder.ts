import { suggest } from '../../../suggest.js';
import { ENSEMBLE, FRAMEWORKS, OTHER_BACKENDS } from './effective-model.js';
import type { ModelView } from './view.js';

/** Characters that clients put into a URL as they are; Triton does not decode the others. */
const PLAIN_NAME = /^[\w.~!$&'()*+,;=:@-]+$/;

/** Names and places of folders and files, without the configuration. */
export function checkFolder(view: ModelView): void {
  const { folder, effective } = view;
  if (folder.unreadable !== undefined) {
    view.on('folder-unreadable', '', `The folder cannot be read: ${folder.unreadable}`);
    return;
  }
  if (!PLAIN_NAME.test(view.name))
    view.on('name-in-url', '', `The name "${view.name}" has characters that URLs encode`);
  for (const [path, { kind }] of folder.entries) {
    if (kind === 'broken') view.on('broken-link', path, 'The link leads nowhere');
    else if (kind === 'outside')
      view.on('link-outside', path, 'The link leads out of what is checked, and was not followed');
    const [first, name, ...deeper] = path.split('/');
    if (first !== undefined && name === 'config.pbtxt' && deeper.length === 0 && first !== 'configs') {
      if (folder.config === undefined && effective.versions.found.size === 0) {
        view.on('folder-too-deep', path, `The model is in the folder "${first}" of the folder "${view.name}"`);
      } else view.on('config-misplaced', path, 'The configuration is in a version folder, where it is not read');
    }
  }
  if (folder.config === undefined) {
    const files = [...folder.entries].filter(([path, { kind }]) => kind === 'file' && !path.includes('/'));
    for (const [path] of files) {
      if (/^config\.\w+$/i.test(path) || suggest(path, ['config.pbtxt']) !== undefined) {
        view.on('config-misnamed', path, `The configuration is named ${path}`);
      }
    }
  }
}

/** Version folders, and the model file in each that is loaded. */
export function checkVersions(view: ModelView): void {
  const { effective, folder } = view;
  const { found, ignored, zeroed, beyond, loaded, absent } = effective.versions;
  for (const name of beyond) view.on('version-beyond', name, `The version "${name}" has more than 64 bits`);
  for (const version of absent) view.at('version-absent', 'version_policy', `There is no version ${version}`);
  const policy = view.config.version_policy;
  if (policy !== undefined && (policy.all ?? policy.latest ?? policy.specific) === undefined) {
    view.at('policy-empty', 'version_policy', 'The version policy has no choice');
  }
  if (loaded.length === 0) {
    noVersion(view);
    return;
  }
  for (const name of [...ignored, ...zeroed]) view.on('folder-ignored', name, `The folder "${name}" is no version`);
  for (const version of loaded) {
    const names = found.get(version) ?? [];
    if (version < 0n || !names.includes(String(version))) {
      view.on('version-name', names[0] ?? '', `The folder "${names[0]}" is taken for version ${version}`);
    } else checkModelFile(view, String(version));
  }
  for (const [version, names] of found) {
    if (loaded.includes(version)) continue;
    const odd = names.filter((name) => name !== String(version));
    for (const name of odd) view.on('folder-ignored', name, `The folder "${name}" is no version`);
  }
  if (effective.isEnsemble) {
    for (const [path, { kind }] of folder.entries) {
      const [version, name] = path.split('/');
      if (found.has(bigOf(version)) && name !== undefined && kind === 'file' && /^model\.\w+$/.test(name)) {
        view.on('ensemble-file', path, 'The ensemble has a model file');
      }
    }
  }
}

function bigOf(text: string | undefined): bigint {
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
}

function noVersion(view: ModelView): void {
  const { effective, folder, config } = view;
  const { found, ignored, zeroed } = effective.versions;
  const names = [...ignored, ...zeroed];
  if (found.size > 0) {
    const policy = config.version_policy;
    const zero = policy?.latest !== undefined && (policy.latest.num_versions ?? 0) === 0;
    view.at(
      'no-version',
      zero ? 'version_policy.latest' : 'version_policy',
      zero ? 'The version policy is the latest 0 versions' : 'The version policy selects none of the versions',
      zero ? 'Write version_policy { latest { num_versions: 1 } }' : undefined,
    );
  } else if (names.length > 0) {
    const shown = names.slice(0, 3).map((name) => `"${name}"`);
    view.on(
      'no-version',
      names[0] ?? '',
      `There is no version: ${shown.join(', ')} ${names.length === 1 ? 'is' : 'are'} not a number as Triton writes it`,
    );
  } else {
    const beside = [...folder.entries.keys()].find((path) => FRAMEWORKS.some(({ file }) => file === path));
    view.on(
      'no-version',
      '',
      beside === undefined
        ? 'There is no version folder'
        : `There is no version folder: ${beside} is beside the configuration`,
      beside === undefined ? undefined : `mkdir ${view.name}/1 && mv ${view.name}/${beside} ${view.name}/1/`,
    );
  }
}

function checkModelFile(view: ModelView, version: string): void {
  const { effective, folder, config } = view;
  const { file, backend, isEnsemble } = effective;
  if (isEnsemble || file === undefined) return;
  const byCapability = [...(config.cc_model_filenames?.values() ?? [])];
  const has = (name: string): boolean => folder.entries.has(`${version}/${name}`);
  if (has(file) || byCapability.some(has)) return;
  const known =
    FRAMEWORKS.some((each) => each.backend === backend) ||
    OTHER_BACKENDS.some((each) => each.file !== undefined && each.backend === backend);
  if (!known) return;
  const inside = [...folder.entries.keys()]
    .filter((path) => path.startsWith(`${version}/`))
    .map((path) => path.slice(version.length + 1));
  const near = suggest(file, inside) ?? inside.find((name) => name.endsWith(file.slice(file.lastIndexOf('.'))));
  const fix =
    near === undefined
      ? undefined
      : `Rename ${version}/${near} to ${version}/${file}, or write default_model_filename: "${near}"`;
  const what = `Version ${version} has no ${file}`;
  if (view.has('default_model_filename')) view.at('no-model-file', 'default_model_filename', what, fix);
  else view.on('no-model-file', version, what, fix);
}

/** Name, platform and backend. */
export function checkIdentity(view: ModelView): void {
  const { config, effective } = view;
  const { name = '', platform = '', backend = '' } = config;
  if (name !== '' && name !== view.name) {
    view.at(
      'name-differs',
      'name',
      `The name "${name}" is not that of the folder, "${view.name}"`,
      `Write name: "${view.name}", or leave the name out`,
    );
  }
  if (platform === ENSEMBLE && backend !== '') {
    view.at('ensemble-backend', 'backend', `An ensemble has no backend, and this one has "${backend}"`);
    return;
  }
  if (effective.isEnsemble && platform === ENSEMBLE) return;
  if (config.ensemble_scheduling !== undefined) return;
  if (platform !== '') {
    const owner = FRAMEWORKS.find((each) => each.platforms.includes(platform));
    const framework = FRAMEWORKS.find((each) => each.backend === backend);
    if (owner === undefined && backend === '') {
      const isBackend =
        FRAMEWORKS.some((each) => each.backend === platform) ||
        OTHER_BACKENDS.some((each) => each.backend === platform);
      const near = suggest(platform, [...FRAMEWORKS.flatMap((each) => each.platforms), ENSEMBLE]);
      const fix = isBackend
        ? `Write backend: "${platform}"`
        : near === undefined
          ? undefined
          : `Write platform: "${near}"`;
      view.at('unknown-platform', 'platform', `There is no platform "${platform}"`, fix);
    } else if (framework !== undefined && framework.platforms.length > 0 && owner?.backend !== backend) {
      view.at(
        'platform-backend',
        'platform',
        `The platform "${platform}" is not one of the backend "${backend}"`,
        `Leave the platform out, or write platform: "${framework.platforms[0]}"`,
      );
    }
  }
  if (backend !== '') checkBackend(view, backend);
  else if (platform === '' && effective.backend === '' && effective.versions.loaded.length > 0) noBackend(view);
}

function checkBackend(view: ModelView, backend: string): void {
  const names = [...FRAMEWORKS, ...OTHER_BACKENDS].map((each) => each.backend);
  if (names.includes(backend)) return;
  const library = `libtriton_${backend}.so`;
  if ([...view.folder.entries.keys()].some((path) => path.split('/').at(-1) === library)) return;
  const near = suggest(backend, names);
  if (near !== undefined)
    view.at('unknown-backend', 'backend', `There is no backend "${backend}"`, `Write backend: "${near}"`);
  else view.at('other-backend', 'backend', `The backend "${backend}" is not one of Triton's own`);
}

/** Neither platform nor backend, and no file that gives them away. */
function noBackend(view: ModelView): void {
  // Triton then takes what follows a dot in the name for the backend.
  if (view.config.default_model_filename === undefined && view.name.includes('.')) return;
  const version = String(view.effective.versions.loaded[0]);
  const files = [...view.folder.entries.keys()]
    .filter((path) => path.startsWith(`${version}/`))
    .map((path) => path.slice(version.length + 1));
  const framework = FRAMEWORKS.find(({ file }) => files.some((name) => name.endsWith(file.slice(file.indexOf('.')))));
  const name = files.find(
    (each) => framework !== undefined && each.endsWith(framework.file.slice(framework.file.indexOf('.'))),
  );
  const fix =
    framework === undefined ? undefined : `Write backend: "${framework.backend}" default_model_filename: "${name}"`;
  view.at('no-backend', '', 'Neither platform nor backend is given, and no file has a name that Triton knows', fix);
}

/** Files that the configuration names. */
export function checkNamedFiles(view: ModelView): void {
  const { config, folder } = view;
  for (const [index, output] of (config.output ?? []).entries()) {
    const file = output.label_filename ?? '';
    if (file === '') continue;
    const field = `output[${index}].label_filename`;
    if (leaves(file)) view.at('label-file', field, `The label file "${file}" is outside of the folder of the model`);
    else if (!folder.entries.has(file) && folder.labels.get(file)?.lines === undefined)
      view.at('label-file', field, `There is no label file "${file}"`);
    else checkLabelCount(view, field, file, output.dims ?? []);
  }
  const environment = config.parameters?.get('EXECUTION_ENV_PATH')?.string_value;
  const local = environment?.startsWith('$$TRITON_MODEL_DIRECTORY/') ? environment.slice(25) : undefined;
  if (view.effective.backend === 'python' && local !== undefined && !leaves(local) && !folder.entries.has(local)) {
    view.at('environment-file', 'parameters["EXECUTION_ENV_PATH"]', `There is no Python environment "${local}"`);
  }
  for (const [index, library] of (config.model_operations?.op_library_filename ?? []).entries()) {
    if (!library.startsWith('/'))
      view.at(
        'operator-library',
        `model_operations.op_library_filename[${index}]`,
        `The library "${library}" has no absolute path`,
      );
  }
  for (const [index, { name = '' }] of (config.model_repository_agents?.agents ?? []).entries()) {
    if (name !== 'checksum')
      view.at(
        'repository-agent',
        `model_repository_agents.agents[${index}]`,
        `The repository agent "${name}" is not part of Triton`,
      );
  }
}

/** Whether a path leads out of its folder. */
export function leaves(path: string): boolean {
  let depth = 0;
  for (const part of path.split('/')) {
    depth += part === '..' ? -1 : part === '' || part === '.' ? 0 : 1;
    if (depth < 0) return true;
  }
  return path.startsWith('/');
}

function checkLabelCount(view: ModelView, field: string, file: string, dims: readonly (number | bigint)[]): void {
  const lines = view.folder.labels.get(file)?.lines;
  const why = view.folder.labels.get(file)?.unreadable;
  if (why !== undefined) view.at('label-file', field, `The label file "${file}" cannot be read: ${why}`);
  const sizes = dims.map(Number);
  if (lines === undefined || sizes.some((size) => size < 1)) return;
  const classes = sizes.reduce((product, size) => product * size, 1);
  // A class index as output has one element, and any number of labels.
  if (classes > 1 && lines !== classes)
    view.at('label-count', field, `The label file "${file}" has ${lines} lines for ${classes} classes`);
}
