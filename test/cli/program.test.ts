import { describe, expect, it } from 'vitest';
import { type CommandDefinition, findCommand } from '../../src/cli/commands.js';
import { parseCommand } from '../../src/cli/program.js';
import { ServeOptError } from '../../src/errors.js';

function command(name: string): CommandDefinition {
  const found = findCommand(name);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

function codeOf(words: string): string | undefined {
  try {
    parseCommand(command('quantize'), words.split(' '));
    return undefined;
  } catch (error) {
    return error instanceof ServeOptError ? error.code : String(error);
  }
}

describe('parseCommand', () => {
  it('reads arguments and flags in any order', () => {
    const words = ['--data', 'a.npz', 'm.onnx', '-o', 'out.onnx', '--samples', '8', '--no-verify', '--mode=fp16'];
    expect(parseCommand(command('quantize'), words)).toEqual({
      args: ['m.onnx'],
      flags: { data: 'a.npz', output: 'out.onnx', samples: 8, 'no-verify': true, mode: 'fp16' },
    });
  });

  it('leaves out what was not given, so that defaults stay with the workflow', () => {
    expect(parseCommand(command('quantize'), ['m.onnx']).flags).toEqual({});
  });

  it('collects repeated flags in order', () => {
    const words = ['m.onnx', '--include', '/a/*', '--include', 'Conv', '--ep', 'cuda', '--ep', 'cpu'];
    expect(parseCommand(command('quantize'), words).flags).toEqual({ include: ['/a/*', 'Conv'], ep: ['cuda', 'cpu'] });
  });

  it('takes what follows -- as it is', () => {
    expect(parseCommand(command('inspect'), ['--json', '--', '--odd-name.onnx'])).toEqual({
      args: ['--odd-name.onnx'],
      flags: { json: true },
    });
  });

  it.each([
    ['--explain m.onnx', { explain: '' }],
    ['m.onnx --explain', { explain: '' }],
    ['--explain fuse-gelu m.onnx', { explain: 'fuse-gelu' }],
    ['--explain=fuse-gelu m.onnx', { explain: 'fuse-gelu' }],
    ['--explain --level max m.onnx', { explain: '', level: 'max' }],
    ['m.onnx --passes -fuse-gelu', { passes: '-fuse-gelu' }],
  ])('takes a model for no value in %s', (words, flags) => {
    expect(parseCommand(command('optimize'), words.split(' '))).toEqual({ args: ['m.onnx'], flags });
  });

  it('lets an argument be absent that may be', () => {
    expect(parseCommand(command('passes'), []).args).toEqual([]);
    expect(parseCommand(command('passes'), ['fuse-gelu']).args).toEqual(['fuse-gelu']);
  });

  it.each([
    ['colour', '--color', { color: true }],
    ['no colour', '--no-color', { 'no-color': true }],
    ['joined short flags', '-vh', { verbose: true, help: true }],
  ])('understands %s', (_title, words, flags) => {
    expect(parseCommand(command('inspect'), ['m.onnx', words]).flags).toEqual(flags);
  });

  it.each([
    ['m.onnx --samples 0', 'SO1006'],
    ['m.onnx --samples 1e3', 'SO1006'],
    ['m.onnx --samples 99999999999999999999', 'SO1006'],
    ['m.onnx --data=', 'SO1006'],
    ['m.onnx --mode int8', 'SO1006'],
    ['m.onnx --dataa x', 'SO1001'],
    ['m.onnx extra.onnx', 'SO1001'],
    ['--force', 'SO1001'],
    ['m.onnx -o', 'SO1001'],
    ['m.onnx --force', undefined],
  ])('answers %s with %s', (words, code) => {
    expect(codeOf(words)).toBe(code);
  });
});
