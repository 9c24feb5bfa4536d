import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReadArchiveOptions, whyBomb } from '../../../src/codec/archive/archive-entry.js';
import type { ArchiveFile } from '../../../src/codec/archive/archive-file.js';
import { readTarGz } from '../../../src/codec/archive/tar-reader.js';
import { tarGzStream } from '../../../src/codec/archive/tar-writer.js';
import { readZip } from '../../../src/codec/archive/zip-reader.js';
import { zipStream } from '../../../src/codec/archive/zip-writer.js';
import { zip } from '../../helpers/zip.js';

let folder: string;
let source: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'archives-'));
  source = join(folder, 'weights.bin');
  writeFileSync(source, Buffer.alloc(3_000_000, 'weights'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function some(): readonly ArchiveFile[] {
  return [
    { path: 'model/weights.bin', source, sizeBytes: 3_000_000 },
    { path: 'a.txt', bytes: Buffer.from('text') },
    { path: 'Ünïcode/ф.txt', bytes: Buffer.alloc(0) },
  ];
}

const inMemory: ReadArchiveOptions = { keep: () => 'memory', folder: '' };

describe('zipStream', () => {
  it('writes what a reader gets back, without a fault', async () => {
    const path = join(folder, 'some.zip');
    writeFileSync(path, await buffer(zipStream(some())));
    const { entries, contents, stopped } = await readZip(path, inMemory);
    expect(stopped).toBeUndefined();
    expect(entries.flatMap(({ faults, damage }) => [...faults, ...(damage === undefined ? [] : [damage])])).toEqual([]);
    expect(entries.map(({ path: name, kind, sizeBytes }) => [name, kind, sizeBytes])).toEqual([
      ['a.txt', 'file', 4],
      ['Ünïcode/ф.txt', 'file', 0],
      ['model/weights.bin', 'file', 3_000_000],
    ]);
    expect(Buffer.from(contents.get('model/weights.bin') ?? []).equals(readFileSync(source))).toBe(true);
  });

  it('gives the same bytes in any order of files', async () => {
    const first = await buffer(zipStream(some()));
    const again = await buffer(zipStream([...some()].reverse()));
    expect(again.equals(first)).toBe(true);
  });

  it('ends with the error of a file that cannot be read', async () => {
    const files = [{ path: 'x', source: join(folder, 'absent'), sizeBytes: 1 }];
    await expect(buffer(zipStream(files))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(buffer(tarGzStream(files, 'top'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('ends with an error where a file is not as large as it was', async () => {
    const files = [{ path: 'x', source, sizeBytes: 5 }];
    await expect(buffer(zipStream(files))).rejects.toThrow(/bytes/);
    await expect(buffer(tarGzStream(files, 'top'))).rejects.toThrow(/[Ss]ize/);
  });

  it('refuses files behind 4 GiB that a reader of streams would misread, unless they come last', () => {
    const large = (path: string, sizeBytes: number): ArchiveFile => ({ path, source, sizeBytes });
    const GiB = 1024 ** 3;
    expect(() => zipStream([1, 2, 3, 4].map((n) => large(`${n}`, 3 * GiB)))).toThrow(/more than 4 GiB/);
    const last = zipStream([large('a', 3 * GiB), large('b', 3 * GiB)]);
    last.destroy();
  });
});

describe('tarGzStream', () => {
  it('writes what a reader gets back, under one folder', async () => {
    const path = join(folder, 'some.tar.gz');
    writeFileSync(path, await buffer(tarGzStream(some(), 'top')));
    const { entries, contents, stopped } = await readTarGz(path, inMemory);
    expect(stopped).toBeUndefined();
    expect(entries.map(({ path: name }) => name)).toEqual(['top/a.txt', 'top/model/weights.bin', 'top/Ünïcode/ф.txt']);
    expect(Buffer.from(contents.get('top/model/weights.bin') ?? []).equals(readFileSync(source))).toBe(true);
    expect((await buffer(tarGzStream([...some()].reverse(), 'top'))).equals(readFileSync(path))).toBe(true);
  });
});

describe('readZip', () => {
  it('never throws for bytes that were changed, and never takes changed contents for sound', async () => {
    const sound = zip([
      { name: 'a.txt', data: Buffer.from('some text that is long enough to be worth it'), deflate: true },
      { name: 'b.txt', data: Buffer.from('more'), streamed: true, deflate: true },
    ]);
    const path = join(folder, 'changed.zip');
    await fc.assert(
      fc.asyncProperty(fc.nat(sound.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = Buffer.from(sound);
        bytes[at] = (bytes[at] as number) ^ change;
        writeFileSync(path, bytes);
        const { entries, contents, stopped } = await readZip(path, inMemory);
        const silent =
          stopped === undefined && entries.every(({ faults, damage }) => faults.length === 0 && damage === undefined);
        if (silent && contents.has('a.txt'))
          expect(Buffer.from(contents.get('a.txt') ?? []).toString()).toMatch(/^some text/);
      }),
      { numRuns: 200 },
    );
  });

  it('finds entries that share bytes', async () => {
    const bytes = zip([
      { name: 'a.txt', data: Buffer.from('one') },
      { name: 'b.txt', data: Buffer.from('two') },
    ]);
    // The second entry of the directory points at the first content.
    const at = bytes.lastIndexOf('b.txt') - 4;
    bytes.writeUInt32LE(0, at);
    const path = join(folder, 'overlap.zip');
    writeFileSync(path, bytes);
    const { entries, stopped } = await readZip(path, inMemory);
    expect(entries[1]?.faults).toContain('overlap');
    expect(stopped).toMatch(/shares its bytes/);
  });
});

describe('whyBomb', () => {
  it('takes weights of zeros, and refuses what grows without bound', () => {
    expect(whyBomb(60 * 1024 ** 2, 1000)).toBeUndefined();
    expect(whyBomb(100 * 1024 ** 2, 1024 ** 2)).toBeUndefined();
    expect(whyBomb(1024 ** 3, 1024 ** 2)).toMatch(/become/);
    expect(whyBomb(10 ** 12, 10 ** 12)).toMatch(/bytes/);
  });
});
