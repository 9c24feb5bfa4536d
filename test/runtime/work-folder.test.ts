import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { withWorkFolder } from '../../src/runtime/work-folder.js';

const source = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
const file = join(source, 'weights.onnx');
writeFileSync(file, 'weights');
afterAll(() => rmSync(source, { recursive: true }));

describe('withWorkFolder', () => {
  it('links a file in, and removes the folder but not the file', async () => {
    const path = await withWorkFolder(async (folder) => {
      const added = await folder.add(file);
      expect(statSync(added).ino).toBe(statSync(file).ino);
      expect(await folder.add(file, 'other.onnx')).toBe(join(folder.path, 'other.onnx'));
      return folder.path;
    });
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('weights');
  });

  it('removes the folder when the work fails', async () => {
    let path = '';
    const work = withWorkFolder(async (folder) => {
      path = folder.path;
      await folder.add(file);
      throw new Error('stop');
    });
    await expect(work).rejects.toThrow('stop');
    expect(existsSync(path)).toBe(false);
  });

  it('follows a symbolic link: ONNX Runtime refuses links as external data', async () => {
    const link = join(source, 'link.onnx');
    symlinkSync(file, link);
    await withWorkFolder(async (folder) => {
      const added = await folder.add(link);
      expect(lstatSync(added).isFile()).toBe(true);
      expect(readFileSync(added, 'utf8')).toBe('weights');
    });
  });

  it('says which folder or file is the matter', async () => {
    const nowhere = join(source, 'nowhere');
    await expect(withWorkFolder(async () => 1, { parent: nowhere })).rejects.toMatchObject({ code: 'SO6001' });
    await expect(withWorkFolder((folder) => folder.add(nowhere))).rejects.toMatchObject({
      code: 'SO2001',
      message: expect.stringContaining(nowhere),
    });
  });
});
