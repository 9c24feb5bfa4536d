import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { checkOutputs } from '../../codec/output-target.js';
import { ServeOptError } from '../../errors.js';
import type { MarReport } from '../../report/mar-types.js';
import { REPORT_SCHEMA_VERSION } from '../../report/types.js';
import { readClassNames } from '../../samples/dataset/class-names.js';
import { marFiles } from '../../targets/mar/mar-files.js';
import { marName } from '../../targets/mar/mar-name.js';
import { MAR_DEFAULTS, type MarFormat, type MarOptions } from '../../targets/mar/mar-options.js';
import { type MarPlan, marNotes, marPlan, UNMAINTAINED } from '../../targets/mar/mar-plan.js';
import type { PackageFile } from '../../targets/package-file.js';
import { packageVersion } from '../../version.js';
import type { FileOptions, SourceOptions, WorkflowContext } from '../options.js';
import { type ArchiveTarget, archiveTarget } from './archive-target.js';
import { assertOwnArchive } from './check-mar.js';
import type { LoadOptions } from './load-model.js';
import { marFacts, readTokenizer } from './mar-facts.js';
import { withOpenModel } from './open-model.js';
import { withTriedExample } from './tried-example.js';
import { hashedFiles, stageArchive } from './write-archive.js';
import { stagePackage, type WritePackageOptions } from './write-package.js';

/** Options of `packageMar`. Everything may be left out. */
export interface PackageMarOptions
  extends Partial<Omit<MarOptions, 'labels'>>,
    SourceOptions,
    LoadOptions,
    FileOptions,
    WritePackageOptions {
  /** Path to write, or a folder that exists. Default: beside the model, named for it. */
  readonly outputPath?: string;
  /** Default: by the ending of the path, else `mar`. */
  readonly format?: MarFormat;
  /** File of class names: one a line, or JSON. */
  readonly labelsPath?: string;
  /** Replace an existing archive, or the folder of one. */
  readonly force?: boolean;
  /** Do everything but write. */
  readonly dryRun?: boolean;
}

/** What is on the disk, or would be. */
interface Made {
  readonly files: MarReport['files'];
  readonly sizeBytes: number;
  readonly sha256?: string;
  /** Gives it its name. */
  commit(): void;
  discard(): void;
}

/**
 * Writes an archive for TorchServe: the model with its data files, a handler that runs it in ONNX Runtime, a manifest, and
 * settings. It is read back and checked before it gets its name.
 * @throws SO1002, SO1005, SO1006 for options, SO2xxx and SO3xxx for a model that is not sound, SO3501 for one that cannot be
 * served, SO4001 for labels or a tokenizer that cannot be read, SO6001
 */
export async function packageMar(
  path: string,
  options: PackageMarOptions = {},
  context: WorkflowContext = {},
): Promise<MarReport> {
  const name = options.name ?? marName(path);
  const target = archiveTarget(path, name, options.outputPath, options.format);
  const { labelsPath, text } = options;
  const given = {
    ...MAR_DEFAULTS,
    ...options,
    name,
    ...(labelsPath === undefined ? {} : { labels: readClassNames(labelsPath) }),
  };
  const tokenizer = text ? readTokenizer(text.tokenizerPath) : undefined;
  let made: Made | undefined;
  try {
    const report = await withOpenModel(path, { ...options, ...context }, async ({ model, warnings, stages }) => {
      const { facts, notes } = await withTriedExample(model, marFacts(model, path), { ...options, ...context });
      const plan = marPlan(facts, given, tokenizer);
      const files = marFiles(plan, packageVersion());
      const sources = files.flatMap((file) => ('source' in file ? [file.source] : []));
      const reads = [...sources, ...(labelsPath === undefined ? [] : [labelsPath])];
      checkTargets(target, reads, options);
      made = await make(files, target, plan, options, context);
      if (made.sha256 !== undefined || target.format === 'folder') stages.end();
      return marReport(plan, target, made, { warnings: [...warnings, UNMAINTAINED], notes }, options);
    });
    made?.commit();
    return report;
  } catch (error) {
    made?.discard();
    throw error;
  }
}

function checkTargets(target: ArchiveTarget, reads: readonly string[], options: PackageMarOptions): void {
  const { onFiles, force = false } = options;
  if (target.format === 'folder') {
    onFiles?.({ reads, writes: [] });
    return;
  }
  const writes = [{ name: '-o', path: target.path, replaces: force ? 'any' : 'new' } as const];
  checkOutputs(writes, reads);
  onFiles?.({ reads, writes });
}

async function make(
  files: readonly PackageFile[],
  { path, format }: ArchiveTarget,
  { options: { name } }: MarPlan,
  options: PackageMarOptions,
  context: WorkflowContext,
): Promise<Made> {
  const nothing = (): void => undefined;
  if (options.dryRun) {
    const hashed = await hashedFiles(files);
    return { files: hashed, sizeBytes: total(hashed), commit: nothing, discard: nothing };
  }
  if (format === 'folder') {
    const replace = replacesFolder(path, options);
    const staged = await stagePackage({ files }, path, options, context);
    const { folder } = staged;
    return {
      files: staged.files,
      sizeBytes: total(staged.files),
      commit: () => folder.commit({ replace }),
      discard: () => folder.discard(),
    };
  }
  const archive = await stageArchive(files, path, { format, topFolder: name }, context);
  try {
    await assertOwnArchive(
      archive.stagedPath,
      format,
      files.map((file) => file.path),
      context,
    );
  } catch (error) {
    archive.discard();
    throw error;
  }
  const { sizeBytes, sha256 } = archive;
  const commit = (): void => archive.commit({ replace: options.force ?? false });
  return { files: archive.files, sizeBytes, sha256, commit, discard: archive.discard };
}

/** Whether a folder is replaced: only one that is an archive itself. @throws SO1005 for another one that is not empty */
function replacesFolder(path: string, { force = false }: PackageMarOptions): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!force || found === undefined || (found.isDirectory() && readdirSync(path).length === 0)) return false;
  if (found.isDirectory() && existsSync(join(path, 'MAR-INF/MANIFEST.json'))) return true;
  throw new ServeOptError('SO1005', `The output "${path}" already exists`, {
    why: 'it is not the folder of an archive, and --force replaces no other one',
    hint: 'choose another path with -o',
    location: { file: path },
  });
}

function total(files: MarReport['files']): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function marReport(
  plan: MarPlan,
  { path, format }: ArchiveTarget,
  { files, sizeBytes, sha256 }: Made,
  { warnings, notes }: { readonly warnings: readonly string[]; readonly notes: readonly string[] },
  { dryRun = false }: PackageMarOptions,
): MarReport {
  const { facts, options, batch, batchSize, classes } = plan;
  const model = files.find((file) => file.path === 'model.onnx');
  const value = ({ name, typeText }: { readonly name: string; readonly typeText: string }) => ({
    name,
    type: typeText,
  });
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'package mar',
    version: packageVersion(),
    output: path,
    written: !dryRun,
    format,
    sizeBytes,
    ...(sha256 === undefined ? {} : { sha256 }),
    name: options.name,
    modelVersion: options.version,
    preprocess: options.preprocess,
    workers: options.workers,
    batchSize,
    batching: batch,
    ...(classes
      ? { classes: { output: classes.output, ...(Number.isFinite(classes.top) ? { top: classes.top } : {}) } }
      : {}),
    input: { name: basename(facts.path), sizeBytes: model?.sizeBytes ?? 0, ...(model ? { sha256: model.sha256 } : {}) },
    inputs: facts.inputs.map(value),
    outputs: facts.outputs.map(value),
    files,
    warnings,
    notes: [...marNotes(plan), ...notes],
  };
}
