import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyDurably } from '../../src/codec/copy-durably.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'serve-opt-copy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a durable copy', () => {
  it('has the bytes of its source, also where flushes run beside it', async () => {
    const bytes = randomFillSync(new Uint8Array(64 << 20));
    const source = join(folder, 'source');
    writeFileSync(source, bytes);
    await copyDurably(source, join(folder, 'target'));
    expect(Buffer.compare(readFileSync(join(folder, 'target')), bytes)).toBe(0);
  });

  it('does not touch a file that exists', async () => {
    writeFileSync(join(folder, 'source'), 'new');
    writeFileSync(join(folder, 'target'), 'old');
    await expect(copyDurably(join(folder, 'source'), join(folder, 'target'))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('old');
  });

  it('fails with the error of the system where the source cannot be read', async () => {
    await expect(copyDurably(join(folder, 'none'), join(folder, 'target'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
