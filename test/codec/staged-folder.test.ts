import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StagedFolder } from '../../src/codec/staged-folder.js';
import { makeTemporaryFolder, removeTemporaryFolder } from '../../src/codec/temporary-folder.js';

let parent = '';
let path = '';
beforeEach(() => {
  parent = mkdtempSync(join(realpathSync(tmpdir()), 'serve-opt-staged-'));
  path = join(parent, 'model');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** A name as that of a temporary folder whose process does not exist any more. */
function deadName(): string {
  const own = makeTemporaryFolder(parent, '.model');
  removeTemporaryFolder(own);
  return basename(own).replace(`.${process.pid}-`, '.999999999-');
}

describe('a staged folder', () => {
  it('appears whole with its commit, and leaves nothing beside', async () => {
    const source = join(parent, 'weights');
    writeFileSync(source, 'w', { mode: 0o444 });
    const folder = StagedFolder.create(path);
    folder.writeFile('config', 'text');
    folder.makeFolder('empty');
    expect(await folder.addFile('1/weights', source)).toBe(false);
    expect(existsSync(path)).toBe(false);
    folder.commit();
    expect(readdirSync(path).sort()).toEqual(['1', 'config', 'empty']);
    expect(readdirSync(parent).sort()).toEqual(['model', 'weights']);
    // A package of a read-only file can still be removed and changed by its owner.
    expect(statSync(join(path, '1/weights')).mode & 0o200).toBe(0o200);
  });

  it('takes the place of an empty folder, and of nothing else', () => {
    mkdirSync(path);
    const first = StagedFolder.create(path);
    first.writeFile('a', '1');
    first.commit();
    const second = StagedFolder.create(path);
    second.writeFile('a', '2');
    expect(() => second.commit()).toThrowError(expect.objectContaining({ code: 'SO1005' }));
    expect(readFileSync(join(path, 'a'), 'utf8')).toBe('1');
    expect(readdirSync(parent)).toEqual(['model']);
  });

  it('links where it is asked to, through a symbolic link to the file itself', async () => {
    const source = join(parent, 'weights');
    writeFileSync(source, 'w');
    symlinkSync(source, join(parent, 'alias'));
    const folder = StagedFolder.create(path);
    expect(await folder.addFile('w', join(parent, 'alias'), { link: true })).toBe(true);
    folder.commit();
    expect(statSync(join(path, 'w')).ino).toBe(statSync(source).ino);
  });

  it('adds entries to a folder that exists, and touches no other', () => {
    mkdirSync(join(path, '1'), { recursive: true });
    writeFileSync(join(path, '1/model'), 'old');
    const folder = StagedFolder.create(path);
    folder.writeFile('2/model', 'new');
    folder.writeFile('config', 'text');
    folder.commitInto(['2', 'config']);
    expect(readdirSync(path).sort()).toEqual(['1', '2', 'config']);
    expect(readFileSync(join(path, '1/model'), 'utf8')).toBe('old');
  });

  it('moves nothing where one of the entries exists, unless it may replace that one', () => {
    mkdirSync(join(path, '1'), { recursive: true });
    writeFileSync(join(path, '1/model'), 'old');
    writeFileSync(join(path, 'config'), 'old');
    const stage = (): StagedFolder => {
      const folder = StagedFolder.create(path);
      folder.writeFile('1/model', 'new');
      folder.writeFile('config', 'new');
      return folder;
    };
    expect(() => stage().commitInto(['1', 'config'], { replace: new Set(['config']) })).toThrowError(
      expect.objectContaining({ code: 'SO1005' }),
    );
    expect(readFileSync(join(path, 'config'), 'utf8')).toBe('old');
    stage().commitInto(['1', 'config'], { replace: true });
    expect(readFileSync(join(path, '1/model'), 'utf8')).toBe('new');
    expect(readFileSync(join(path, 'config'), 'utf8')).toBe('new');
    expect(readdirSync(parent)).toEqual(['model']);
  });

  it('does not replace a folder by a file, or a file by a folder', () => {
    mkdirSync(join(path, 'a'), { recursive: true });
    const folder = StagedFolder.create(path);
    folder.writeFile('a', 'file');
    expect(() => folder.commitInto(['a'], { replace: true })).toThrowError(expect.objectContaining({ code: 'SO1005' }));
  });

  it('is swept after its process died', () => {
    mkdirSync(join(parent, deadName(), 'tree'), { recursive: true, mode: 0o700 });
    StagedFolder.create(path).discard();
    expect(readdirSync(parent)).toEqual([]);
  });

  it('may stand elsewhere until its commit', () => {
    const repository = join(parent, 'repository');
    mkdirSync(repository);
    const folder = StagedFolder.create(join(repository, 'model'), parent);
    folder.writeFile('a', '1');
    expect(readdirSync(repository)).toEqual([]);
    folder.commit();
    expect(readdirSync(repository)).toEqual(['model']);
  });
});
