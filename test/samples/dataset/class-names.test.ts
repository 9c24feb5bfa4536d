import { describe, expect, it } from 'vitest';
import { parseClassNames } from '../../../src/samples/dataset/class-names.js';

describe('parseClassNames', () => {
  it('reads lines, lists, and objects from index to name', () => {
    expect(parseClassNames('a\r\nb \n\n', 'f')).toEqual(['a', 'b']);
    expect(parseClassNames('["a", 1]', 'f')).toEqual(['a', '1']);
    expect(parseClassNames('{"1": ["n02", "dog"], "0": "cat"}', 'f')).toEqual(['cat', 'dog']);
    expect(parseClassNames('{"id2label": {"0": "no", "1": "yes"}}', 'f')).toEqual(['no', 'yes']);
    expect(parseClassNames('{"classes": ["no", "yes"]}', 'f')).toEqual(['no', 'yes']);
  });

  it('refuses what leaves a class without a name', () => {
    expect(() => parseClassNames('', 'f')).toThrow(/not a file of class labels/);
    expect(() => parseClassNames('{"0": "a", "2": "b"}', 'f')).toThrow(/class labels/);
    expect(() => parseClassNames('{"a": "b"}', 'f')).toThrow(/class labels/);
    expect(() => parseClassNames('[null]', 'f')).toThrow(/class labels/);
    expect(() => parseClassNames('[', 'f')).toThrow(/class labels/);
  });
});
