import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTemporaryFolder, removeTemporaryFolder, sweepTemporaryFolders } from '../../src/codec/temporary-folder.js';
import { heldLeftovers, type LeftoverChange, observeLeftovers } from '../../src/leftovers.js';
import { skipWhere } from '../helpers/skip-where.js';

let parent = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'serve-opt-folders-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** The number of a process that has ended. */
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

/** Renames a folder as if another process, or another machine, had made it. */
function disguise(path: string, change: { pid?: number; machine?: string }): string {
  const parts = /^(.*\.)(\d+)(-[0-9a-z]+-)([0-9a-f]{8})(-.*)$/.exec(basename(path));
  if (!parts) throw new Error(`the name ${path} has another form`);
  const [, stem, pid, began, machine, rest] = parts;
  const name = `${stem}${change.pid ?? pid}${began}${change.machine ?? machine}${rest}`;
  renameSync(path, join(parent, name));
  return join(parent, name);
}

describe('a temporary folder', () => {
  it('is held from before it is made until it is removed', () => {
    const seen: LeftoverChange[] = [];
    const stop = observeLeftovers((change) => seen.push(change));
    const path = makeTemporaryFolder(parent, 'x');
    expect(heldLeftovers()).toContainEqual({ kind: 'folder', path });
    removeTemporaryFolder(path);
    removeTemporaryFolder(path);
    stop();
    expect(existsSync(path)).toBe(false);
    expect(seen).toEqual([
      { leftover: { kind: 'folder', path }, held: true },
      { leftover: { kind: 'folder', path }, held: false },
    ]);
  });

  it('is not held when it cannot be made', () => {
    const before = heldLeftovers();
    expect(() => makeTemporaryFolder(join(parent, 'missing'), 'x')).toThrowError('ENOENT');
    expect(heldLeftovers()).toEqual(before);
  });
});

describe('sweeping', () => {
  const sweep = (): string[] => {
    sweepTemporaryFolders(parent, 'x');
    return readdirSync(parent).sort();
  };

  it('removes what a dead process made, and leaves what a living one made', () => {
    const own = makeTemporaryFolder(parent, 'x');
    const orphan = disguise(makeTemporaryFolder(parent, 'x'), { pid: deadPid() });
    mkdirSync(join(orphan, 'inside'));
    expect(sweep()).toEqual([basename(own)]);
  });

  it('leaves names of another form and of other programs alone', () => {
    const other = disguise(makeTemporaryFolder(parent, 'y'), { pid: deadPid() });
    mkdirSync(join(parent, 'x.1-2.tmp'));
    expect(sweep()).toEqual(['x.1-2.tmp', basename(other)].sort());
  });

  it('knows nothing of processes elsewhere: only what is untouched for hours goes', () => {
    const fresh = disguise(makeTemporaryFolder(parent, 'x'), { pid: deadPid(), machine: '00000000' });
    const stale = disguise(makeTemporaryFolder(parent, 'x'), { pid: deadPid(), machine: '00000001' });
    const old = new Date(Date.now() - 24 * 60 * 60 * 1000);
    utimesSync(stale, old, old);
    expect(sweep()).toEqual([basename(fresh)]);
  });

  skipWhere(process.platform === 'win32', 'Windows has no such permissions').it(
    'touches nothing that others could have put there',
    () => {
      const open = disguise(makeTemporaryFolder(parent, 'x'), { pid: deadPid() });
      chmodSync(open, 0o777);
      expect(sweep()).toEqual([basename(open)]);
    },
  );

  it('is quiet about a folder that is not there', () => {
    expect(() => sweepTemporaryFolders(join(parent, 'missing'), 'x')).not.toThrow();
  });
});
