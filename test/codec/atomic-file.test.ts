import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StagedFiles } from '../../src/codec/atomic-file.js';
import type { Rope } from '../../src/codec/message-writer.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-staged-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function rope(text: string): Rope {
  const bytes = new TextEncoder().encode(text);
  return { parts: [bytes], sizeBytes: bytes.length };
}

/** A rope whose last part breaks after a first that is larger than any buffer. */
function breakingRope(): Rope {
  const large = new Uint8Array(8 * 1024 * 1024);
  const broken = {
    byteLength: 10,
    read: (): Uint8Array => {
      throw new Error('disk error');
    },
    *chunks(): Iterable<Uint8Array> {
      yield new Uint8Array(5);
      throw new Error('disk error');
    },
  };
  return { parts: [large, broken], sizeBytes: large.length + 10 };
}

describe('StagedFiles', () => {
  it('shows nothing under the final names until the commit, then all of it and nothing else', async () => {
    const staged = StagedFiles.create(join(folder, 'm.onnx'));
    await staged.write('m.onnx.data', rope('weights'));
    await staged.write('m.onnx', rope('model'));
    expect(readFileSync(staged.stagedPath('m.onnx'), 'utf8')).toBe('model');
    expect(readdirSync(folder).filter((name) => !/^\.m\.onnx\.[0-9a-z-]+\.tmp$/.test(name))).toEqual([]);
    staged.commit();
    expect(readdirSync(folder)).toEqual(['m.onnx', 'm.onnx.data']);
    staged.discard();
    expect(readdirSync(folder)).toEqual(['m.onnx', 'm.onnx.data']);
  });

  it('leaves no trace when discarded, and keeps what stood at the target', async () => {
    writeFileSync(join(folder, 'm.onnx'), 'old');
    const staged = StagedFiles.create(join(folder, 'm.onnx'));
    await staged.write('m.onnx', rope('new'));
    staged.discard();
    staged.discard();
    expect(readdirSync(folder)).toEqual(['m.onnx']);
    expect(readFileSync(join(folder, 'm.onnx'), 'utf8')).toBe('old');
  });

  it('discards everything when a part cannot be read', async () => {
    const staged = StagedFiles.create(join(folder, 'm.onnx'));
    await staged.write('m.onnx.data', rope('weights'));
    await expect(staged.write('m.onnx', breakingRope())).rejects.toMatchObject({ code: 'SO6001' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('discards everything when it is interrupted while writing', async () => {
    const staged = StagedFiles.create(join(folder, 'm.onnx'));
    const controller = new AbortController();
    const piece = new Uint8Array(16 * 1024 * 1024);
    const large: Rope = { parts: Array.from({ length: 8 }, () => piece), sizeBytes: 8 * piece.length };
    const write = staged.write('m.onnx', large, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(write).rejects.toMatchObject({ code: 'SO8130' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says that a rope gave fewer bytes than promised, and writes nothing', async () => {
    const staged = StagedFiles.create(join(folder, 'm.onnx'));
    const short = { byteLength: 10, read: () => new Uint8Array(10), chunks: () => [new Uint8Array(9)] };
    await expect(staged.write('m.onnx', { parts: [short], sizeBytes: 10 })).rejects.toMatchObject({ code: 'SO9001' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives a reason where the folder is missing or is a file', () => {
    expect(() => StagedFiles.create(join(folder, 'no', 'm.onnx'))).toThrowError('its folder does not exist');
    writeFileSync(join(folder, 'file'), '');
    expect(() => StagedFiles.create(join(folder, 'file', 'm.onnx'))).toThrowError('a part of the path is not a folder');
  });

  it('removes what a run that was killed left beside the target, for another output too', () => {
    for (const name of ['m.onnx', 'other.onnx', 'kept.onnx']) StagedFiles.create(join(folder, name));
    const [kept = '', killed = '', other = ''] = readdirSync(folder).sort();
    expect([kept, killed, other].map((name) => name.split('.')[1])).toEqual(['kept', 'm', 'other']);
    // A number that was used again: the process is alive, but it is not the one that made the folder.
    const ofAnother = (name: string) => name.replace(/-[0-9a-z]+-/, '-1-');
    for (const name of [killed, other]) renameSync(join(folder, name), join(folder, ofAnother(name)));
    mkdirSync(join(folder, '.m.onnx.backup'));
    StagedFiles.create(join(folder, 'm.onnx')).discard();
    expect(readdirSync(folder).sort()).toEqual([kept, '.m.onnx.backup'].sort());
  });
});
