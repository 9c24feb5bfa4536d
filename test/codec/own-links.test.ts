import { closeSync, linkSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hasOnlyOwnLinks } from '../../src/codec/own-links.js';
import { makeTemporaryFolder, removeTemporaryFolder, TEMPORARY_STEM } from '../../src/codec/temporary-folder.js';

let folder = '';
let fd = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-links-'));
  mkdirSync(join(folder, 'elsewhere'));
  writeFileSync(join(folder, 'weights.bin'), 'weights');
  fd = openSync(join(folder, 'weights.bin'), 'r');
});
afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const link = (...parts: [string, ...string[]]): void => linkSync(join(folder, 'weights.bin'), join(...parts));

it('a file without further links has only own ones', () => {
  expect(hasOnlyOwnLinks(fd, folder)).toBe(true);
});

it('a link beside the model is its own, one in another folder is not', () => {
  link(folder, 'again.bin');
  expect(hasOnlyOwnLinks(fd, folder)).toBe(true);
  link(folder, 'elsewhere', 'weights.bin');
  expect(hasOnlyOwnLinks(fd, folder)).toBe(false);
});

it('a model that another run is at work on can be read', () => {
  const work = makeTemporaryFolder(tmpdir(), TEMPORARY_STEM);
  link(work, 'weights-0.bin');
  expect(hasOnlyOwnLinks(fd, folder)).toBe(true);
  removeTemporaryFolder(work);
});
