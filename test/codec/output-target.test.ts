import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOutputs, checkTarget, type PlannedOutput, resolveTarget } from '../../src/codec/output-target.js';
import { skipWhere } from '../helpers/skip-where.js';

let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'serve-opt-target-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...parts: string[]): string => join(folder, ...parts);

function failure(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The reason that a path is refused for. */
function refusal(path: string): string {
  const error = failure(() => resolveTarget(path));
  expect(error).toMatchObject({ code: 'SO6001', exitCode: 1 });
  return (error as Error).message.replace(`Cannot write "${path}": `, '');
}

describe('an output path', () => {
  it('leads to the file that links lead to, be it there or not', () => {
    mkdirSync(at('real'));
    symlinkSync('real/file.onnx', at('one'));
    symlinkSync('one', at('two'));
    expect(resolveTarget(at('two'))).toMatchObject({ path: at('real', 'file.onnx'), existing: undefined });
    writeFileSync(at('real', 'file.onnx'), '');
    expect(resolveTarget(at('two')).existing).toBeDefined();
  });

  it('goes the way of the system through folders: `link/..` is around where the link leads', () => {
    mkdirSync(at('a', 'b'), { recursive: true });
    symlinkSync('a/b', at('link'));
    expect(resolveTarget(`${at('link')}/../m.onnx`).path).toBe(at('a', 'm.onnx'));
    expect(resolveTarget(at('link', 'm.onnx')).path).toBe(at('a', 'b', 'm.onnx'));
  });

  it('is refused where links lead in a circle or out of any folder', () => {
    symlinkSync('loop', at('loop'));
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    symlinkSync('no/such/file', at('away'));
    expect(refusal(at('loop'))).toContain('form a loop');
    expect(refusal(at('a'))).toContain('form a loop');
    expect(refusal(at('loop', 'm.onnx'))).toContain('form a loop');
    expect(refusal(at('away'))).toContain('its folder does not exist');
  });

  it('is refused for what is no regular file, through links as well', () => {
    mkdirSync(at('dir'));
    execFileSync('mkfifo', [at('fifo')]);
    for (const [name, target] of Object.entries({ toDir: 'dir', toFifo: 'fifo', toNull: '/dev/null' }))
      symlinkSync(target, at(name));
    for (const name of ['dir', 'toDir']) expect(refusal(at(name))).toContain('folder');
    for (const name of ['fifo', 'toFifo']) expect(refusal(at(name))).toContain('pipe');
    expect(refusal(at('toNull'))).toContain('device');
    expect(refusal(`${at('new')}/`)).toContain('folder');
    expect(refusal('')).toContain('empty');
    expect(refusal(at('nul\0'))).toContain('NUL');
    expect(refusal(at('x'.repeat(300)))).toContain('too long');
    expect(refusal(at('no', 'm.onnx'))).toContain('its folder does not exist');
  });

  skipWhere(!existsSync('/proc/self/fd'), 'this system has no /proc').it(
    'is refused for descriptors of a process by any name',
    () => {
      for (const path of ['/proc/self/fd/1', '/dev/fd/1', '/dev/stdout', '/proc/new.onnx']) {
        if (path === '/dev/stdout' && !(existsSync(path) && readlinkSync(path).startsWith('/proc'))) continue;
        expect(refusal(path)).toContain('belongs to the system');
      }
    },
  );
});

describe('the files of a run', () => {
  const planned = (replaces: PlannedOutput['replaces'], ...paths: string[]): PlannedOutput[] =>
    paths.map((path, index) => ({ name: index === 0 ? '-o' : '--report', path, replaces }));
  const codeOf = (outputs: PlannedOutput[], inputs: string[] = []): string | undefined =>
    (failure(() => checkOutputs(outputs, inputs)) as { code?: string } | undefined)?.code;

  it('are not two by one name, by whatever name', () => {
    mkdirSync(at('sub'));
    symlinkSync('.', at('here'));
    symlinkSync('r.json', at('link.json'));
    const same = ['r.json', 'sub/../r.json', 'here/r.json', './r.json', 'link.json', 'R.JSON'];
    for (const name of same) expect(codeOf(planned('any', at('r.json'), `${folder}/${name}`))).toBe('SO1002');
    expect(codeOf(planned('any', at('é.json'), at('e\u0301.json')))).toBe('SO1002');
    expect(codeOf(planned('any', at('r.json'), at('s.json')))).toBeUndefined();
    writeFileSync(at('r.json'), '{}');
    linkSync(at('r.json'), at('hard.json'));
    expect(codeOf(planned('any', at('r.json'), at('hard.json')))).toBe('SO1002');
  });

  it('are none that is read, by whatever name', () => {
    writeFileSync(at('m.onnx'), 'model');
    linkSync(at('m.onnx'), at('hard.onnx'));
    symlinkSync('m.onnx', at('link.onnx'));
    for (const name of ['m.onnx', './m.onnx', 'hard.onnx', 'link.onnx']) {
      expect(codeOf(planned('any', `${folder}/${name}`), [at('m.onnx')])).toBe('SO1004');
      expect(codeOf(planned('any', at('m.onnx')), [`${folder}/${name}`])).toBe('SO1004');
    }
    expect(failure(() => checkTarget(at('m.onnx'), true, [at('m.onnx')]))).toMatchObject({ exitCode: 2 });
  });

  it('are no samples of a folder that is read, but may be something else in it', () => {
    for (const name of ['a.npz', 'r.json']) writeFileSync(at(name), 'text');
    expect(codeOf(planned('text', at('a.npz')), [folder])).toBe('SO1004');
    expect(codeOf(planned('text', at('r.json')), [folder])).toBeUndefined();
  });

  it('replace nothing unless they may, and reports nothing but texts', () => {
    writeFileSync(at('text'), '{}');
    writeFileSync(at('model'), new Uint8Array([8, 9, 18, 0, 58]));
    writeFileSync(at('empty'), '');
    expect(codeOf(planned('new', at('text')))).toBe('SO1005');
    expect(codeOf(planned('text', at('text')))).toBeUndefined();
    expect(codeOf(planned('text', at('empty')))).toBeUndefined();
    expect(codeOf(planned('text', at('model')))).toBe('SO1005');
    expect(codeOf(planned('any', at('model')))).toBeUndefined();
  });
});
