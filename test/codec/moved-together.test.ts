/** Several renames as one: errors and kills at every step leave all as before, or all done. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { undoInterrupted } from '../../src/codec/moved-together.js';
import { StagedFolder } from '../../src/codec/staged-folder.js';

const ROOT = dirname(dirname(import.meta.dirname));
const KILLER = join(ROOT, 'test/helpers/kill-at-call.mjs');

let parent = '';
let path = '';
beforeEach(() => {
  parent = mkdtempSync(join(realpathSync(tmpdir()), 'serve-opt-moved-'));
  path = join(parent, 'model');
  fill();
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** A model with one version and a configuration. */
function fill(): void {
  mkdirSync(join(path, '1'), { recursive: true });
  writeFileSync(join(path, '1/model'), 'old');
  writeFileSync(join(path, 'config'), 'old');
  writeFileSync(join(path, 'labels'), 'old');
}

/** Files with their content. */
function contents(folder = parent): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const full = join(entry.parentPath, entry.name);
      return `${relative(folder, full)}=${readFileSync(full, 'utf8')}`;
    })
    .sort();
}

/** In a process of its own: a version that is replaced, one that is new, and two files; killed before the n-th change of the file system. */
function change(killAt: number): ReturnType<typeof spawnSync> {
  const module = pathToFileURL(join(ROOT, 'dist/codec/staged-folder.js')).href;
  const script = `
    import { StagedFolder } from ${JSON.stringify(module)};
    const folder = StagedFolder.create(${JSON.stringify(path)});
    for (const name of ['1/model', '2/model', 'config', 'labels']) folder.writeFile(name, 'new');
    globalThis.killFrom(${killAt});
    folder.commitInto(['1', '2', 'labels', 'config'], { replace: new Set(['1', 'labels', 'config']) });`;
  const args = ['--import', pathToFileURL(KILLER).href, '--input-type=module', '-e', script];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

describe('several moves', () => {
  it('are all done or all undone wherever the process is killed', () => {
    const before = contents();
    const after = ['1/model=new', '2/model=new', 'config=new', 'labels=new'].map((each) => `model/${each}`);
    let kills = 0;
    for (; ; kills++) {
      expect(kills).toBeLessThan(60);
      const { status, signal, stderr } = change(kills);
      if (signal === null) {
        expect(status, String(stderr)).toBe(0);
        break;
      }
      expect(signal).toBe('SIGKILL');
      StagedFolder.create(path).discard();
      const found = contents();
      expect([before, after]).toContainEqual(found);
      if (found.length !== before.length) {
        rmSync(path, { recursive: true });
        fill();
      }
      expect(readdirSync(parent)).toEqual(['model']);
    }
    expect(kills).toBeGreaterThan(10);
    expect(contents()).toEqual(after);
  });

  it('are undone when one of them fails', () => {
    const before = contents();
    const folder = StagedFolder.create(path);
    for (const name of ['1/model', '2/model', 'config']) folder.writeFile(name, 'new');
    rmSync(folder.stagedPath('config'));
    mkdirSync(folder.stagedPath('config'));
    writeFileSync(folder.stagedPath('config/a'), '');
    expect(() => folder.commitInto(['1', '2', 'config'], { replace: true })).toThrowError(
      expect.objectContaining({ code: 'SO1005' }),
    );
    expect(contents()).toEqual(before);
    expect(readdirSync(parent)).toEqual(['model']);
  });
});

describe('moves that were interrupted', () => {
  /** The process is killed right after the version was moved, with the rest to come. */
  const interrupt = (): string => {
    for (let killAt = 0; killAt < 60; killAt++) {
      change(killAt);
      const keep = readdirSync(parent).find((name) => name.endsWith('.replaced'));
      if (keep !== undefined && existsSync(join(path, '2'))) return join(parent, keep);
      StagedFolder.create(path).discard();
    }
    throw new Error('no kill was between two moves');
  };

  it('leave alone what somebody put there afterwards', () => {
    interrupt();
    rmSync(join(path, '2'), { recursive: true });
    mkdirSync(join(path, '2'));
    writeFileSync(join(path, '2/model'), 'mine');
    undoInterrupted(parent);
    expect(contents(path)).toEqual(['1/model=old', '2/model=mine', 'config=old', 'labels=old']);
  });

  it('are not undone from a folder that others can write to', () => {
    chmodSync(interrupt(), 0o777);
    undoInterrupted(parent);
    expect(readFileSync(join(path, '1/model'), 'utf8')).toBe('new');
  });
});
