import { describe, expect, it } from 'vitest';
import { checkOptionRules } from '../../../src/workflows/preflight/check-rules.js';

describe('checkOptionRules', () => {
  it('asks for samples for FP8 of a graph, and not of a checkpoint', () => {
    expect(() => checkOptionRules('quantize', new Map([['mode', 'fp8']]))).toThrow('--mode fp8 needs --data');
    const checkpoint = new Map([
      ['mode', 'fp8'],
      ['for', 'vllm'],
    ]);
    expect(checkOptionRules('quantize', checkpoint)).toEqual([]);
  });
});
