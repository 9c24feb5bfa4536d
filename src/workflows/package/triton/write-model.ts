import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { StagedFolder } from '../../../codec/staged-folder.js';
import { ServeOptError } from '../../../errors.js';
import { MODEL_CONFIG, type ModelConfig } from '../../../proto/model-config.js';
import { parseText, printText } from '../../../proto/text-format.js';
import { type DiffLine, lineDiff } from '../../../report/line-diff.js';
import type { PackagedFile } from '../../../report/package-types.js';
import type { EntryChange, TritonReport } from '../../../report/triton-types.js';
import { REPORT_SCHEMA_VERSION } from '../../../report/types.js';
import { checkPackagePaths, type PackageFile } from '../../../targets/package-file.js';
import { serverCommand, tritonReadme } from '../../../targets/triton/readme.js';
import { TRITON_RELEASES } from '../../../targets/triton/releases.js';
import { packageVersion } from '../../../version.js';
import { hashedSize } from '../../file-hash.js';
import type { WorkflowContext } from '../../options.js';
import { FileHashes } from '../../report-files.js';
import { HASHED_BYTES, stagePackage } from '../write-package.js';
import { lintPlan } from './lint-plan.js';
import { type EntryPlan, planEntries, README } from './model-entries.js';
import type { PreparedModel } from './prepared-model.js';
import { type RepositoryState, readConfig, type StoredConfig } from './repository.js';
import type { RepositoryOptions } from './triton-package-options.js';

const CONFIG = 'config.pbtxt';

/**
 * Writes a prepared model into a repository: a new model, or a version of one that is there. What stands there is not touched
 * unless it is to be replaced; until all is on the disk and was read back, nothing appears.
 * @param given the repository as the caller wrote it, for the report
 * @throws SO1005 for a version that exists, SO3507 for a configuration that would change, SO6001
 */
export async function writeModel(
  state: RepositoryState,
  prepared: PreparedModel,
  given: string,
  options: RepositoryOptions,
  context: WorkflowContext,
): Promise<TritonReport> {
  const { name = '' } = prepared.config;
  const version = chosenVersion(state, options);
  const versionExists = state.versions.includes(version);
  const stored = state.modelExists ? readConfig(state.modelPath) : undefined;
  const text = printText(MODEL_CONFIG, 'ModelConfig', prepared.config);
  const config = planConfig(state, stored, text);
  const versions = [...new Set([...state.versions, version])].sort((a, b) => a - b);
  const policy = policyNotes(prepared.config, version, versions);
  const readme = readmeOf(prepared, given, options);
  const entries = planEntries(state.modelPath, [...prepared.modelFiles, { path: README, text: readme.text }]);
  const plan: readonly EntryPlan[] = [
    ...entries,
    { entry: String(version), change: versionExists ? 'replaced' : 'new', files: versionFiles(prepared, version) },
    config.entry,
  ];
  const ignored = config.entry.change === 'unchanged' ? [] : lintPlan(name, text, plan, versions);
  const report = (written: boolean, files: readonly PackagedFile[]): TritonReport => ({
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'package triton',
    version: packageVersion(),
    ...(prepared.onnxRuntimeVersion === undefined ? {} : { onnxRuntimeVersion: prepared.onnxRuntimeVersion }),
    output: given,
    written,
    ...(prepared.input === undefined ? {} : { input: prepared.input }),
    inputs: prepared.inputs,
    outputs: prepared.outputs,
    name,
    modelVersion: version,
    platform: prepared.platform,
    maxBatch: prepared.config.max_batch_size ?? 0,
    config: config.text,
    versions,
    changes: plan.map(({ entry, change }) => ({ entry, change })),
    ...(config.diff === undefined ? {} : { configDiff: config.diff }),
    serverCommand: readme.serverCommand,
    files: files.map((file) => ({ ...file, path: `${name}/${file.path}` })),
    warnings: [...prepared.warnings, ...ignored, ...policy],
    notes: [...prepared.notes, ...(plan.some(({ change }) => change === 'kept') ? [README_KEPT] : [])],
  });
  refuseChanges(state, plan, version, versionExists, options, () => options.onRefused?.(report(false, [])));
  const changed = plan.filter(({ change }) => change === 'new' || change === 'replaced');
  const files = changed.flatMap((entry) => entry.files);
  if (options.dryRun) {
    checkPackagePaths({ files });
    return report(false, await describeFiles(files));
  }
  const written = await place(state, prepared, changed, version, options, context);
  return withLinkNote(report(true, written));
}

const README_KEPT = 'README.md is kept: it was edited.';

/** What follows from hard links, for whoever reads the model later. */
function withLinkNote(report: TritonReport): TritonReport {
  if (!report.files.some(({ linked }) => linked)) return report;
  return {
    ...report,
    notes: [
      ...report.notes,
      'Model files are second names of the originals (--link): a change of one changes both, and later commands read external data with more than one name only with --allow-links.',
    ],
  };
}

function versionFiles({ versionFiles: files }: PreparedModel, version: number): PackageFile[] {
  return files.map((file) => ({ ...file, path: `${version}/${file.path}` }));
}

function chosenVersion({ versions }: RepositoryState, { version = 1 }: RepositoryOptions): number {
  return version === 'next' ? (versions.at(-1) ?? 0) + 1 : version;
}

interface ConfigPlan {
  readonly entry: EntryPlan;
  /** What stands there afterwards. */
  readonly text: string;
  readonly diff?: readonly DiffLine[];
}

/** A configuration that says the same in other words, with comments or in another order, is left as it is. */
function planConfig(state: RepositoryState, stored: StoredConfig | undefined, text: string): ConfigPlan {
  const entry = (change: EntryChange): EntryPlan => ({ entry: CONFIG, change, files: [{ path: CONFIG, text }] });
  if (stored === undefined) {
    if (state.versions.length === 0) return { entry: entry('new'), text };
    // Without a file the server makes a configuration of its own.
    return { entry: entry('replaced'), text, diff: lineDiff('', text) };
  }
  const isSame = stored.config !== undefined && printText(MODEL_CONFIG, 'ModelConfig', stored.config) === text;
  if (isSame) return { entry: entry('unchanged'), text: stored.text };
  return { entry: entry('replaced'), text, diff: lineDiff(stored.text, text) };
}

function refuseChanges(
  state: RepositoryState,
  plan: readonly EntryPlan[],
  version: number,
  versionExists: boolean,
  { force = false }: RepositoryOptions,
  tell: () => void,
): void {
  if (force) return;
  if (versionExists) {
    throw new ServeOptError('SO1005', `Version ${version} of "${basename(state.modelPath)}" already exists`, {
      hint: 'add --version next for a new version, or --force to replace this one',
      location: { file: join(state.modelPath, String(version)) },
    });
  }
  const changed = plan.filter(({ entry, change }) => change === 'replaced' && entry !== README);
  if (changed.length === 0) return;
  tell();
  const names = changed.map(({ entry }) => entry).join(', ');
  throw new ServeOptError('SO3507', `${names} of "${basename(state.modelPath)}" would change`, {
    why: 'it holds for the versions that are there too',
    hint: 'add --force to replace it, give the options that it was written with, or choose another --name',
  });
}

function readmeOf(
  { config, platform, example, notes, measured }: PreparedModel,
  given: string,
  options: RepositoryOptions,
): { readonly text: string; readonly serverCommand: string } {
  const release = TRITON_RELEASES.at(-1);
  const onGpu = platform === 'tensorrt_plan' || (config.instance_group ?? []).some(({ kind }) => kind === 'KIND_GPU');
  const facts = {
    config,
    example,
    image: `nvcr.io/nvidia/tritonserver:${release?.container}-py3`,
    onGpu,
    repository: basename(given) === '' || basename(given) === '.' ? 'models' : basename(given),
    notes: options.link ? [...notes, 'Model files are hard links (--link): copy them before you change one.'] : notes,
    measured,
  };
  return { text: tritonReadme(facts), serverCommand: serverCommand({ ...facts, repository: given }) };
}

/** A version that the server will not load is written all the same, and said. */
function policyNotes({ version_policy: policy }: ModelConfig, version: number, versions: readonly number[]): string[] {
  const specific = policy?.specific?.versions?.map(Number);
  if (specific !== undefined) {
    return specific.includes(version)
      ? []
      : [`The server does not load version ${version}: the policy names ${specific.join(', ')} (--policy).`];
  }
  if (policy?.all !== undefined) return [];
  const count = policy?.latest?.num_versions ?? 1;
  const latest = versions.slice(-count);
  if (latest.includes(version)) return [];
  return [`The server does not load version ${version}: it loads ${latest.join(', ')}, the latest (--policy).`];
}

/** Writes, reads back, and lets everything appear. @returns the files, relative to the folder of the model */
async function place(
  state: RepositoryState,
  prepared: PreparedModel,
  changed: readonly EntryPlan[],
  version: number,
  options: RepositoryOptions,
  context: WorkflowContext,
): Promise<readonly PackagedFile[]> {
  const name = basename(state.modelPath);
  const prefix = state.exists ? '' : `${name}/`;
  const files = changed.flatMap((entry) => entry.files).map((file) => ({ ...file, path: `${prefix}${file.path}` }));
  const staged = await stagePackage(
    { files, folders: [`${prefix}${version}`].filter(() => prepared.versionFiles.length === 0) },
    state.exists ? state.modelPath : state.path,
    { ...(options.link ? { link: true } : {}), parent: state.stagingParent },
    context,
  );
  try {
    context.onProgress?.({ kind: 'start', stage: 'check' });
    await lookAtStaged(staged.folder, prefix, prepared, version, changed);
    context.onProgress?.({ kind: 'end', stage: 'check' });
    if (context.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
    prepared.check?.();
    if (!state.modelExists) staged.folder.commit();
    else commitEntries(staged.folder, changed, options.force === true);
  } finally {
    staged.folder.discard();
  }
  return staged.files.map((file) => ({ ...file, path: file.path.slice(prefix.length) }));
}

function commitEntries(folder: StagedFolder, changed: readonly EntryPlan[], force: boolean): void {
  const replace = new Set(
    changed
      .filter(({ entry, change }) => change === 'replaced' && (force || entry === README))
      .map(({ entry }) => entry),
  );
  folder.commitInto(
    changed.map(({ entry }) => entry),
    { replace },
  );
}

/** Reads what was written: the configuration gives the message it was made from, and the model opens. */
async function lookAtStaged(
  folder: StagedFolder,
  prefix: string,
  prepared: PreparedModel,
  version: number,
  changed: readonly EntryPlan[],
): Promise<void> {
  if (changed.some(({ entry }) => entry === CONFIG)) {
    const bytes = readFileSync(folder.stagedPath(`${prefix}${CONFIG}`));
    const parsed = parseText(MODEL_CONFIG, 'ModelConfig', bytes);
    const isSame =
      parsed.ok &&
      printText(MODEL_CONFIG, 'ModelConfig', parsed.message) ===
        printText(MODEL_CONFIG, 'ModelConfig', prepared.config);
    if (!isSame)
      throw new ServeOptError('SO6003', 'The written configuration does not read back as what it was made from');
  }
  await prepared.lookAt?.(folder.stagedPath(`${prefix}${version}`));
}

/** What a dry run tells of files: sizes and hashes, as if they had been written. */
async function describeFiles(files: readonly PackageFile[]): Promise<PackagedFile[]> {
  const hashes = new FileHashes();
  try {
    const described: PackagedFile[] = [];
    for (const file of files) {
      if ('source' in file) {
        const sizeBytes = hashedSize(file.source);
        const hash = sizeBytes <= HASHED_BYTES ? { sha256: (await hashes.file(file.source)).sha256 } : {};
        described.push({ path: file.path, sizeBytes, ...hash });
        continue;
      }
      const bytes = 'text' in file ? new TextEncoder().encode(file.text) : file.bytes;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      described.push({ path: file.path, sizeBytes: bytes.byteLength, sha256 });
    }
    return described;
  } finally {
    await hashes.close();
  }
}
