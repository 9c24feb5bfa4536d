import type { ArchiveEntry, EntryFault } from '../../../codec/archive/archive-entry.js';
import { whyUnsafePath } from '../../package-file.js';
import { type MarContents, unpackedPath } from './mar-contents.js';
import type { Reporter } from './mar-finding.js';

interface FaultWords {
  readonly rule: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

const AGAIN = 'make the archive again, for example with serve-opt package mar';

/** Faults of the container, in words. */
const FAULTS: Readonly<Record<EntryFault, FaultWords>> = {
  name: {
    rule: 'name-encoding',
    what: 'the name is not UTF-8',
    why: 'TorchServe reads names as UTF-8 and fails',
    fix: 'rename the file',
  },
  encrypted: {
    rule: 'encrypted',
    what: 'the entry is encrypted',
    why: 'TorchServe has no password',
    fix: 'make the archive without one',
  },
  method: {
    rule: 'compression',
    what: 'the entry is compressed by another method than deflate',
    why: 'Java reads stored and deflated entries only',
    fix: 'make the archive with deflate',
  },
  streamed: {
    rule: 'stored-stream',
    what: 'the entry is stored, and its size comes behind it',
    why: 'TorchServe reads the archive as a stream, and cannot find the end of such an entry',
    fix: 'deflate the entry, or write its size before it',
  },
  header: {
    rule: 'header',
    what: 'the header before the content differs from the directory',
    why: 'some programs read one and some the other: TorchServe reads the headers',
    fix: AGAIN,
  },
  overlap: {
    rule: 'overlap',
    what: 'the entry shares bytes with another',
    why: 'this is how archives hide their size',
    fix: AGAIN,
  },
  gap: {
    rule: 'gap',
    what: 'there are bytes before the entry that belong to none',
    why: 'TorchServe reads the archive as a stream, and stops there',
    fix: AGAIN,
  },
};

/** Files that load code when they are opened. */
const PICKLE = /\.(pt|pth|pkl|pickle|joblib|ckpt|bin\.pkl)$/i;
const LEFTOVER = /(^|\/)(__pycache__|__MACOSX|\.git|\.ipynb_checkpoints)\/|\.pyc$|(^|\/)\.DS_Store$/;

/** Names, kinds and layout of everything in the archive. */
export function checkEntries(contents: MarContents, report: Reporter): void {
  const { entries, format, stopped } = contents;
  if (stopped !== undefined) {
    report('error', 'unreadable', '', {
      what: `the archive is not read: ${stopped}`,
      why: format === 'folder' ? 'a package has fewer files' : 'TorchServe would fail to unpack it, or fill the disk',
      fix: AGAIN,
    });
  }
  const seen = new Map<string, string>();
  for (const entry of entries) {
    checkPath(entry, format, report);
    checkKind(entry, report);
    for (const fault of new Set(entry.faults)) {
      const { rule, ...words } = FAULTS[fault];
      report('error', rule, entry.path, words);
    }
    if (entry.damage !== undefined) {
      report('error', 'damaged', entry.path, {
        what: `the content is damaged: ${entry.damage}`,
        why: 'it cannot be unpacked',
        fix: AGAIN,
      });
    }
    if (entry.kind === 'file') checkTwins(entry, seen, contents, report);
  }
  if (format === 'tgz') checkTopFolder(entries, report);
  for (const path of contents.files.keys()) checkContent(path, report);
}

function checkPath({ path, kind }: ArchiveEntry, format: MarContents['format'], report: Reporter): void {
  const bare = (kind === 'folder' ? path.replace(/\/+$/, '') : path).replace(/^\.\//, '');
  if (bare === '' || bare === '.') return;
  const why = whyUnsafePath(bare);
  if (why === undefined) return;
  // Windows alone minds these.
  const harmless = /device on Windows/.test(why);
  report(harmless ? 'warning' : 'error', 'path', path, {
    what: `the path is not safe: ${why}`,
    why:
      format === 'folder' ? 'such a file cannot be archived' : 'unpacking it could write outside of the model, or fail',
    fix: 'rename the file: relative, with slashes, without ".."',
  });
}

function checkKind({ path, kind }: ArchiveEntry, report: Reporter): void {
  if (kind === 'file' || kind === 'folder') return;
  report('error', 'link', path, {
    what: kind === 'link' ? 'this is a link' : 'this is neither a file nor a folder',
    why: 'TorchServe unpacks it as an empty file, and other programs could write through it',
    fix: 'put the file itself there',
  });
}

function checkTwins(entry: ArchiveEntry, seen: Map<string, string>, { format }: MarContents, report: Reporter): void {
  const unpacked = unpackedPath(entry.path, format);
  const folded = unpacked.normalize('NFC').toLowerCase();
  const twin = seen.get(folded);
  seen.set(folded, unpacked);
  if (twin === undefined) return;
  report('error', 'duplicate', entry.path, {
    what: twin === unpacked ? 'the path is there twice' : `the path differs from "${twin}" in capital letters only`,
    why: 'which of the two is used depends on the program and the file system',
    fix: 'keep one of them',
  });
}

function checkTopFolder(entries: readonly ArchiveEntry[], report: Reporter): void {
  const tops = new Set<string>();
  for (const { path, kind } of entries) {
    if (kind === 'folder') continue;
    const at = path.indexOf('/');
    if (at >= 0) tops.add(path.slice(0, at));
    if (at < 0 || path.startsWith('MAR-INF/')) {
      report('error', 'top-folder', path, {
        what: 'the file is not in a top folder',
        why: 'TorchServe drops the first part of each path of a tar file',
        fix: 'put all files into one folder, named for the model',
      });
    }
  }
  if (tops.size > 1) {
    report('warning', 'top-folder', '', {
      what: `the archive has ${tops.size} top folders: ${[...tops].slice(0, 4).join(', ')}`,
      why: 'TorchServe drops the first part of each path, and puts all files into one folder',
      fix: 'put all files into one folder, named for the model',
    });
  }
}

function checkContent(path: string, report: Reporter): void {
  if (PICKLE.test(path)) {
    report('warning', 'pickle', path, {
      what: 'this is a file of pickled objects',
      why: 'opening it runs code that is in it, and an ONNX model needs none',
      fix: 'remove it, or trust whoever made it',
    });
  } else if (LEFTOVER.test(path)) {
    report('warning', 'leftover', path, {
      what: 'this file is not part of a model',
      why: 'compiled code and files of tools do not belong into an archive',
      fix: 'remove it',
    });
  }
}
