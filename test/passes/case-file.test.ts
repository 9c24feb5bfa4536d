import { describe, expect, it } from 'vitest';
import { outputDifference } from '../helpers/output-agreement.js';
import { parsePassCase } from './case-file.js';

const parse = (...lines: string[]) => parsePassCase(`# Title.\n${lines.join('\n')}\n--- before\na\n--- after\nb\n`);

describe('a case of a pass', () => {
  it('gives what the file says', () => {
    const one = parse('pass: p', 'refuses: A: b', 'refuses: C: d', 'sizes: {"N": 3}', 'sqnr: 20 dB, because it rounds');
    expect(one).toMatchObject({ title: 'Title.', pass: 'p', refusals: ['A: b', 'C: d'], before: 'a\n', after: 'b\n' });
    expect([one.sizes.get('N'), one.sqnrDb, one.unchecked]).toEqual([3, 20, undefined]);
  });

  it.each([
    ['outputs: unchecked', 'is not of the form'],
    ['outputs: unchecked, because', 'is not of the form'],
    ['sqnr: 20 dB', 'is not of the form'],
    ['sqnr: 20, because it rounds', 'is not of the form'],
    ['sqrn: 20 dB, because it rounds', 'is no field of a case'],
    ['passes', 'is no field of a case'],
  ])('must give a reason and be spelt right: %s', (line, problem) => {
    expect(() => parse('pass: p', line)).toThrow(problem);
  });

  it('has a field once', () => {
    expect(() => parse('pass: p', 'pass: q')).toThrow('pass is there twice');
  });
});

describe('the outputs of a case', () => {
  it('are the same bits where a pass is exact', () => {
    expect(outputDifference([[1, 0]], [[1, 0]], 'exact')).toBeUndefined();
    expect(outputDifference([[1, 0]], [[1, -0]], 'exact')).toContain('output 0: element 1');
    expect(outputDifference([[1]], [[1 + 1e-6]], 'exact')).toContain('instead of 1');
    expect(outputDifference([[1]], [[1 + 1e-6]], 'reassociates')).toBeUndefined();
  });

  it('keep so many dB where a pass is lossy', () => {
    expect(outputDifference([[100, -100]], [[100.2, -100]], 'lossy')).toBeUndefined();
    expect(outputDifference([[100, -100]], [[101, -100]], 'lossy')).toBe(
      'output 0: SQNR 43.0 dB instead of at least 50 dB',
    );
    expect(outputDifference([[100, -100]], [[101, -100]], 'lossy', 40)).toBeUndefined();
    expect(outputDifference([[0, 0]], [[0, 1e-9]], 'lossy')).toContain('SQNR -Infinity dB');
  });

  it('have NaN and infinities where they were, and as many values', () => {
    expect(outputDifference([[Number.NaN, 1]], [[Number.NaN, 1]], 'lossy')).toBeUndefined();
    expect(outputDifference([[Number.NaN, 1]], [[1, 1]], 'lossy')).toBe('output 0: element 0 is 1 instead of NaN');
    expect(outputDifference([[1, 1]], [[1, Number.NaN]], 'lossy')).toBe('output 0: element 1 is NaN instead of 1');
    expect(outputDifference([[1]], [[1, 1]], 'lossy')).toBe('output 0: 2 values instead of 1');
    expect(outputDifference([[1]], [], 'lossy')).toBe('0 outputs instead of 1');
  });
});
