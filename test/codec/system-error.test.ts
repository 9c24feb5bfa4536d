import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  environmentError,
  fileError,
  isSystemError,
  outputError,
  systemReason,
  temporaryError,
} from '../../src/codec/system-error.js';
import { ServeOptError } from '../../src/errors.js';

function systemError(code: string, more: { syscall?: string; path?: string } = {}): Error {
  return Object.assign(new Error(`${code}: said by the system`), { code, ...more });
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

const CODES = (
  'ENOENT ENOTDIR EISDIR EACCES EPERM ELOOP ENAMETOOLONG EINVAL ENOSPC EDQUOT EFBIG EROFS EMFILE ENFILE ENOMEM EAGAIN EIO ' +
  'ESTALE ENODEV ENXIO ETXTBSY EBUSY EEXIST EPIPE'
).split(' ');

describe('an error of the system', () => {
  it.each(CODES)('%s has words for reading and for writing, never its number alone', (code) => {
    for (const direction of ['reading', 'writing'] as const)
      expect(systemReason(systemError(code), direction)).toMatch(/^[a-z][a-z ,-]+$/);
  });

  it.each(CODES)('%s is never a bug, wherever it comes from', (code) => {
    for (const syscall of 'open read write fsync close mkdir rename link copyfile scandir stat spawn uv_cwd'.split(
      ' ',
    )) {
      const found = environmentError(systemError(code, { syscall, path: '/somewhere' }));
      expect([1, 3]).toContain(found?.exitCode);
      expect(found?.message).not.toContain(code);
    }
  });

  it('tells reading from writing by the call and the errno', () => {
    const codeOf = (code: string, syscall: string) => environmentError(systemError(code, { syscall, path: 'x' }))?.code;
    expect(codeOf('EIO', 'read')).toBe('SO2002');
    expect(codeOf('ENOENT', 'stat')).toBe('SO2001');
    expect(codeOf('EIO', 'fsync')).toBe('SO6001');
    expect(codeOf('ENOSPC', 'open')).toBe('SO6001');
    expect(codeOf('EACCES', 'mkdir')).toBe('SO6001');
    expect(codeOf('EMFILE', 'open')).toBe('SO6101');
    expect(codeOf('EAGAIN', 'spawn')).toBe('SO6101');
    expect(codeOf('ECONNRESET', 'read')).toBe('SO5101');
    expect(codeOf('ENOENT', 'uv_cwd')).toBe('SO6101');
  });

  it('is told from an error of ours, of Node and of a program', () => {
    expect(environmentError(new TypeError('x is not a function'))).toBeUndefined();
    expect(environmentError(Object.assign(new Error('no'), { code: 'ERR_ASSERTION' }))).toBeUndefined();
    expect(environmentError(Object.assign(new Error('no'), { code: 'Exyz' }))).toBeUndefined();
    expect(environmentError('ENOENT')).toBeUndefined();
    const ours = new ServeOptError('SO4001', 'no data');
    expect([fileError('x', ours), outputError('x', ours), temporaryError('x', ours)]).toEqual([ours, ours, ours]);
  });

  it('as Node itself throws it is recognised, a NUL character in a path as well', () => {
    const missing = join(import.meta.dirname, 'no', 'such');
    for (const error of [thrownBy(() => readFileSync(missing)), thrownBy(() => writeFileSync(`${missing}\0`, ''))])
      expect(isSystemError(error)).toBe(true);
    expect(
      fileError(
        'x\0y',
        thrownBy(() => lstatSync('x\0y')),
      ),
    ).toMatchObject({
      code: 'SO2002',
      message: expect.stringContaining('NUL'),
    });
  });

  it('of a full temporary folder names that folder and TMPDIR', () => {
    const { code, message, hint } = temporaryError('/tmp/x', systemError('ENOSPC'));
    expect([code, message]).toEqual(['SO6001', 'Cannot write to the temporary folder "/tmp/x": the disk is full']);
    expect(hint).toContain('TMPDIR');
  });
});
