import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedKernels } from '../../scripts/gen-kernels.js';

describe('the kernels of blocks', () => {
  it('are compiled from their text', async () => {
    const text = readFileSync(new URL('../../src/tensor/blocks.generated.ts', import.meta.url), 'utf8');
    expect(text, 'run `node scripts/gen-kernels.js`').toBe(await generatedKernels('blocks'));
  });
});
