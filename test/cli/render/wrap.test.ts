import { describe, expect, it } from 'vitest';
import { createStyle } from '../../../src/cli/render/style.js';
import { wrapLine } from '../../../src/cli/render/wrap.js';

const LINE = 'Quantized 11 layers (Conv 10, Gemm 1) with 2.74 MB of weights';

describe('wrapLine', () => {
  it('breaks between words and indents what follows', () => {
    expect(wrapLine(LINE, 40)).toBe('Quantized 11 layers (Conv 10, Gemm 1)\n  with 2.74 MB of weights');
  });

  it('leaves a pipe and a wide terminal alone', () => {
    expect(wrapLine(LINE, undefined)).toBe(LINE);
    expect(wrapLine(LINE, 80)).toBe(LINE);
  });

  it('keeps the indentation of the first line', () => {
    expect(wrapLine('  why: one two three four five', 20, 7)).toBe('  why: one two three\n       four five');
  });

  it('keeps a figure and its unit together', () => {
    expect(wrapLine('at most 3 % slower is allowed; noise 30 %, from 12 ms on', 37)).toBe(
      'at most 3 % slower is allowed; noise\n  30 %, from 12 ms on',
    );
    expect(wrapLine('a percentage of 5 mscope', 22)).toBe('a percentage of 5\n  mscope');
  });

  it('does not count colours', () => {
    const coloured = `${createStyle(true).warning} ${'a'.repeat(17)} b`;
    expect(wrapLine(coloured, 21)).toBe(coloured);
  });

  it('leaves a word that fits nowhere to the terminal', () => {
    expect(wrapLine(`path ${'x'.repeat(50)} end`, 20)).toBe(`path\n  ${'x'.repeat(50)}\n  end`);
  });
});
