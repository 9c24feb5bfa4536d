import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode, ServeOptError } from '../src/errors.js';

const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];

describe('the table of errors', () => {
  it.each(CODES)('says for %s what happened and what to do', (code) => {
    const { summary, hint } = ERROR_TABLE[code];
    expect(summary).toMatch(/^[A-Z].*[^.!]$/);
    // One clause that can stand after "hint:".
    expect(hint).toMatch(/^\S.{3,140}[^.\s]$/);
    expect(new ServeOptError(code, 'It failed').hint).toBe(hint);
  });

  it('lets a message bring a better hint', () => {
    const error = new ServeOptError('SO2001', 'It failed', { hint: 'look there' });
    expect(error.hint).toBe('look there');
    expect(error.hasDefaultHint).toBe(false);
    expect(new ServeOptError('SO2001', 'It failed').at({ file: 'a' }).hasDefaultHint).toBe(true);
  });
});
