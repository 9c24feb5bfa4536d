import { describe, expect, it } from 'vitest';
import { missingModel } from '../../src/serving/refusal.js';

describe('missingModel', () => {
  it('does not offer the name that was given where it is the version that is missing', () => {
    expect(missingModel('localhost:8000', 'digits', '7', 'not found', ['digits'])).toMatchObject({
      message: expect.stringContaining('"digits" in version 7'),
      hint: expect.stringContaining('leave the version out'),
    });
    expect(missingModel('localhost:8000', 'digit', '7', '', ['digits']).hint).toBe('did you mean "digits"?');
  });
});
