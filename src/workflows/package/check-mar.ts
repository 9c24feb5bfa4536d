import { closeSync, ftruncateSync, linkSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ArchiveEntry, KeepContent, ReadArchive, ReadArchiveOptions } from '../../codec/archive/archive-entry.js';
import { readFolder } from '../../codec/archive/folder-reader.js';
import { readTarGz } from '../../codec/archive/tar-reader.js';
import { readZip } from '../../codec/archive/zip-reader.js';
import { fileError } from '../../codec/system-error.js';
import { bug, ServeOptError } from '../../errors.js';
import { readModel } from '../../ir/read-model.js';
import { collectingEvery } from '../../machine/collect-garbage.js';
import type { PackageFinding } from '../../report/package-check-types.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import { lintMar } from '../../targets/mar/lint/lint-mar.js';
import { type MarContents, marContents } from '../../targets/mar/lint/mar-contents.js';
import { type MarFinding, reporter } from '../../targets/mar/lint/mar-finding.js';
import type { MarFormat } from '../../targets/mar/mar-options.js';
import { whyUnsafePath } from '../../targets/package-file.js';
import type { WorkflowContext } from '../options.js';
import { checkModel } from '../preflight/model.js';

/** Files that rules read. */
const TEXT = /\.(json|ya?ml|txt|py)$/i;
const ONNX = /\.onnx$/i;

/** Whether a path is an archive for TorchServe, or a folder that could be one: what `checkMar` takes. */
export function isMarPath(path: string): boolean {
  if (/\.(mar|tar\.gz|tgz)$/i.test(path)) return true;
  const isFolder = (each: string): boolean => statSync(each, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder(path) && isFolder(join(path, 'MAR-INF'));
}

/**
 * Checks an archive for TorchServe (.mar, .tar.gz or a folder): names and layout, the manifest and what it names, the
 * handler, requirements, settings, and the ONNX model. Nothing in it is run, and nothing is unpacked but the model, into a
 * temporary folder.
 * @throws SO2001, SO2002 for a path that cannot be read, SO8130
 */
export async function checkMar(path: string, context: WorkflowContext = {}): Promise<readonly PackageFinding[]> {
  const { format, misnamed } = formatOf(path);
  return withWorkFolder(async (work) => {
    context.onProgress?.({ kind: 'start', stage: 'read' });
    const keep = (entry: ArchiveEntry): KeepContent =>
      ONNX.test(entry.path) ? 'file' : TEXT.test(entry.path) ? 'memory' : 'nothing';
    const read = await readAny(path, format, { keep, folder: work.path, signal: context.signal });
    context.onProgress?.({ kind: 'end', stage: 'read' });
    const contents = marContents(format, read);
    const { findings, manifest } = lintMar(contents);
    const all = [...findings];
    const report = reporter(all);
    if (misnamed !== undefined) {
      report('error', 'ending', '', {
        what: misnamed,
        why: 'TorchServe tells archives apart by their endings',
        fix: 'rename it',
      });
    }
    const { serializedFile } = manifest;
    if (serializedFile !== undefined && ONNX.test(serializedFile) && !hasUnsafe(all)) {
      const file = await unpackedModel(path, serializedFile, contents, read, join(work.path, 'model'));
      if (file !== undefined) all.push(...(await modelFindings(file, serializedFile)));
    }
    return all;
  });
}

/** Reads back an archive that was written, before it gets its name. @throws SO9001 where a rule is broken, or a file is not there */
export async function assertOwnArchive(
  path: string,
  format: 'mar' | 'tgz',
  files: readonly string[],
  { signal }: WorkflowContext,
): Promise<void> {
  const keep = (entry: ArchiveEntry): KeepContent => (TEXT.test(entry.path) ? 'memory' : 'nothing');
  const read = await readAny(path, format, { keep, folder: dirname(path), signal });
  const contents = marContents(format, read);
  const [wrong] = lintMar(contents).findings.filter(({ severity }) => severity === 'error');
  if (wrong) throw bug(`the archive that was written is not right: ${wrong.path}: ${wrong.what}`);
  const missing = files.find((file) => !contents.files.has(file));
  if (missing !== undefined) throw bug(`the archive that was written has no ${missing}`);
}

function readAny(path: string, format: MarFormat, given: ReadArchiveOptions): ReadArchive | Promise<ReadArchive> {
  if (format === 'folder') return readFolder(path, given);
  const options = { ...given, onBytes: collectingEvery() };
  return format === 'mar' ? readZip(path, options) : readTarGz(path, options);
}

/** How the content of a path is stored, and what is wrong with its ending. @throws SO2001, SO2002 */
function formatOf(path: string): { readonly format: MarFormat; readonly misnamed?: string } {
  let magic: Buffer;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return { format: 'folder' };
    if (!stat.isFile()) throw new ServeOptError('SO2002', `Cannot read "${path}": it is neither a file nor a folder`);
    magic = Buffer.alloc(2);
    const fd = openSync(path, 'r');
    try {
      readSync(fd, magic, 0, 2, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw error instanceof ServeOptError ? error : fileError(path, error);
  }
  const named = path.endsWith('.mar') ? 'mar' : 'tgz';
  const found = magic.toString('latin1') === 'PK' ? 'mar' : magic[0] === 0x1f && magic[1] === 0x8b ? 'tgz' : named;
  if (found === named) return { format: named };
  const is =
    found === 'mar' ? 'a zip file, and its name does not end with .mar' : 'a compressed tar file, but named .mar';
  return { format: found, misnamed: `${basename(path)} is ${is}` };
}

function hasUnsafe(findings: readonly MarFinding[]): boolean {
  return findings.some(
    ({ severity, rule }) => severity === 'error' && ['mar/path', 'mar/duplicate', 'mar/link'].includes(rule),
  );
}

/**
 * The model where it can be read: in the folder itself, or as it was unpacked, with files of the right sizes in the place of
 * its data. Undefined where it was not unpacked.
 */
async function unpackedModel(
  path: string,
  serializedFile: string,
  contents: MarContents,
  { entries, files }: ReadArchive,
  folder: string,
): Promise<string | undefined> {
  if (contents.format === 'folder') return join(path, serializedFile);
  const entry = entries.find((each) => each.path.endsWith(serializedFile) && files.has(each.path));
  const unpacked = entry && files.get(entry.path);
  if (unpacked === undefined) return undefined;
  const target = join(folder, serializedFile);
  mkdirSync(dirname(target), { recursive: true });
  linkSync(unpacked, target);
  for (const [name, sizeBytes] of contents.files) {
    if (name === serializedFile || whyUnsafePath(name) !== undefined) continue;
    const place = join(folder, name);
    mkdirSync(dirname(place), { recursive: true });
    const fd = openSync(place, 'w');
    try {
      // A file without content takes no space.
      ftruncateSync(fd, sizeBytes);
    } finally {
      closeSync(fd);
    }
  }
  return target;
}

async function modelFindings(file: string, name: string): Promise<readonly MarFinding[]> {
  const findings: MarFinding[] = [];
  try {
    const model = await readModel(file, { allowLinks: true });
    try {
      checkModel(model, {});
    } finally {
      model.source?.close();
    }
  } catch (error) {
    if (!(error instanceof ServeOptError)) throw error;
    reporter(findings)('error', 'model', name, {
      what: `the model is not sound: ${error.message.replaceAll(dirname(file), '')}`,
      why: error.why ?? 'ONNX Runtime would refuse it',
      fix: error.hint,
    });
  }
  return findings;
}
