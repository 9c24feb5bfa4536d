import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/command.js';
import { withStdoutFile } from '../../src/cli/model-to-stdout.js';
import { fileError, outputError } from '../../src/codec/system-error.js';

const context = { stdout: { isTTY: false } } as unknown as CommandContext;
const full = (path: string): Error => Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write', path });

it('a full temporary folder is told by name, with the way out', async () => {
  let folder = '';
  const failing = withStdoutFile(context, {}, (path) => {
    folder = dirname(path);
    throw outputError(path, full(path));
  });
  await expect(failing).rejects.toMatchObject({ code: 'SO6001', hint: expect.stringContaining('TMPDIR') });
  await expect(failing).rejects.toThrow(`Cannot write to the temporary folder "${dirname(folder)}"`);
});

it('other failures are told as they are', async () => {
  const elsewhere = withStdoutFile(context, {}, () => {
    throw outputError('/data/report.json', full('/data/report.json'));
  });
  await expect(elsewhere).rejects.toThrow('Cannot write "/data/report.json": the disk is full');
  const reading = withStdoutFile(context, {}, (path) => {
    throw fileError(path, Object.assign(new Error('gone'), { code: 'ENOENT', syscall: 'open' }));
  });
  await expect(reading).rejects.toMatchObject({ code: 'SO2001' });
});
