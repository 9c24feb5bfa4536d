import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedPages } from '../scripts/gen-docs.js';

const ROOT = dirname(import.meta.dirname);

describe('generated pages', async () => {
  for (const [path, text] of await generatedPages()) {
    it(`keeps ${path} as the program says`, () => {
      expect(readFileSync(join(ROOT, path), 'utf8'), 'run: npm run build && npm run docs').toBe(text);
    });
  }
});
