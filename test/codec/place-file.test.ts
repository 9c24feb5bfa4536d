import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PlaceSystem, placeNew } from '../../src/codec/place-file.js';
import { replacePair } from '../../src/codec/replace-pair.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-place-'));
  mkdirSync(at('staged'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...parts: string[]): string => join(folder, ...parts);
const text = (...parts: string[]): string => readFileSync(at(...parts), 'utf8');
const shown = (): string[] => readdirSync(folder).filter((name) => name !== 'staged');

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'link' });
}

/** A file system without hard links. */
const NO_LINKS: PlaceSystem = {
  link: () => {
    throw systemError('EPERM');
  },
  rename: renameSync,
};

describe.each([
  ['by a hard link', undefined],
  ['by a claim, where there are no hard links', NO_LINKS],
])('a finished file gets its name %s', (_, system) => {
  it('where nothing stands, and has one name then', () => {
    writeFileSync(at('staged', 'm'), 'new');
    const placed = placeNew(at('staged', 'm'), at('m'), 'm', system);
    expect(text('m')).toBe('new');
    expect(statSync(at('m')).nlink).toBe(1);
    expect(placed.inode).toBe(statSync(at('m'), { bigint: true }).ino);
    expect(readdirSync(at('staged'))).toEqual([]);
  });

  it('and replaces nothing: the second of two writers is told', () => {
    writeFileSync(at('m'), 'first');
    writeFileSync(at('staged', 'm'), 'second');
    expect(() => placeNew(at('staged', 'm'), at('m'), 'm', system)).toThrow(
      expect.objectContaining({ code: 'SO1005', exitCode: 2 }),
    );
    expect(text('m')).toBe('first');
  });
});

describe('a claim', () => {
  it('is given up where the file cannot follow', () => {
    writeFileSync(at('staged', 'm'), 'new');
    const rename = (): never => {
      throw systemError('EIO');
    };
    expect(() => placeNew(at('staged', 'm'), at('m'), 'm', { ...NO_LINKS, rename })).toThrow('EIO');
    expect(shown()).toEqual([]);
  });
});

describe('a pair of files', () => {
  const BRIDGE = 'm.0123456789ab.data';
  /** Both files say which version they are of; the first names the second. */
  function stage(): void {
    writeFileSync(at('m'), 'old m.data');
    writeFileSync(at('m.data'), 'old');
    writeFileSync(at('staged', 'm'), 'new m.data');
    writeFileSync(at('staged', 'm.data'), 'new');
    writeFileSync(at('staged', 'bridge'), `new ${BRIDGE}`);
  }
  const replace = (system?: PlaceSystem): void => {
    const staged = { file: at('staged', 'm'), data: at('staged', 'm.data'), bridge: at('staged', 'bridge') };
    replacePair({ ...staged, bridgeName: BRIDGE }, at('m'), at('m.data'), system);
  };
  /** What a reader of the first file finds. */
  function isWhole(): boolean {
    const [version = '', data = ''] = text('m').split(' ');
    return text(data) === version;
  }

  it('is replaced whole, and leaves nothing else', () => {
    stage();
    replace();
    expect([text('m'), text('m.data')]).toEqual(['new m.data', 'new']);
    expect(shown()).toEqual(['m', 'm.data']);
    expect(statSync(at('m.data')).nlink).toBe(1);
  });

  it('is whole before and after every call of the system, so whenever the process is killed', () => {
    stage();
    const states: boolean[] = [];
    const watched =
      (call: (from: string, to: string) => void) =>
      (from: string, to: string): void => {
        states.push(isWhole());
        call(from, to);
        states.push(isWhole());
      };
    replace({ link: watched(linkSync), rename: watched(renameSync) });
    expect(states).toEqual(Array.from({ length: 8 }, () => true));
  });

  it('is whole when any call fails, and the next time cleans up', () => {
    for (let failing = 0; failing < 4; failing++) {
      stage();
      let calls = 0;
      const broken =
        (call: (from: string, to: string) => void) =>
        (from: string, to: string): void => {
          if (calls++ === failing) throw systemError('EIO');
          call(from, to);
        };
      expect(() => replace({ link: broken(linkSync), rename: broken(renameSync) })).toThrow('EIO');
      expect(isWhole()).toBe(true);
      rmSync(at(BRIDGE), { force: true });
      stage();
      replace();
      expect(shown()).toEqual(['m', 'm.data']);
    }
  });

  it('is replaced where there are no hard links', () => {
    stage();
    replace(NO_LINKS);
    expect([text('m'), text('m.data')]).toEqual(['new m.data', 'new']);
  });

  it('takes away what a killed process left', () => {
    stage();
    writeFileSync(at('m.aaaaaaaaaaaa.data'), 'left');
    writeFileSync(at('m.other.data'), 'of somebody else');
    replace();
    expect(shown()).toEqual(['m', 'm.data', 'm.other.data']);
  });
});
