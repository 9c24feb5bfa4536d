import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Hold } from './context.js';

export interface SmallDisk {
  readonly folder: string;
  remove(): void;
}

/** The unit in which a tmpfs gives out room, in bytes. */
const PAGE_BYTES = 4096;

export function wholePages(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / PAGE_BYTES)) * PAGE_BYTES;
}

/** A file system of its own with room for so many bytes of files in whole pages; or why there is none. */
export function makeSmallDisk(hold: Hold, bytes: number): SmallDisk | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only the superuser of Linux can make small disks';
  const folder = mkdtempSync(join(hold.scratch, 'disk-'));
  const size = `size=${wholePages(bytes)}`;
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder], { encoding: 'utf8' });
  if (status !== 0) return `no small disk can be made: ${stderr.trim()}`;
  let mounted = true;
  const remove = (): void => {
    if (!mounted) return;
    mounted = false;
    // Lazily: a process that still holds a file of it is no reason to leave it.
    spawnSync('umount', ['--lazy', folder]);
  };
  hold.atEnd(remove);
  return { folder, remove };
}
