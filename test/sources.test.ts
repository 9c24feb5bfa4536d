import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
const MOST_BYTES = 6_000_000;

const page = readFileSync(join(FIXTURES, 'SOURCES.md'), 'utf8');

/** `| kws-dscnn/model.onnx | 139772 | \`<hash>\` | same |` */
const rows = [...page.matchAll(/^\| (\S+) \| (\d+) \| `([0-9a-f]{64})` \| (same|`[0-9a-f]{64}`) \|$/gm)].map(
  ([, path = '', sizeBytes, sha256]) => ({ path, sizeBytes: Number(sizeBytes), sha256 }),
);

describe('fixtures/SOURCES.md', () => {
  it('lists every fixture', () => {
    const files = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(FIXTURES, path)).isFile())
      .map((path) => path.split(sep).join('/'))
      // Made by scripts of this repository, from its own texts: see the section triton.
      .filter((path) => path !== 'SOURCES.md' && !path.startsWith('triton/'));
    expect(rows.map((row) => row.path).sort()).toEqual(files.sort());
  });

  it.each(rows)('gives the size and hash of $path', ({ path, sizeBytes, sha256 }) => {
    const bytes = readFileSync(join(FIXTURES, path));
    expect(bytes.length).toBe(sizeBytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  });

  it('names the origin and licence of every model', () => {
    for (const model of new Set(rows.map((row) => row.path.split('/')[0]))) {
      const section = page.split(/^## /m).find((part) => part.startsWith(`${model}\n`));
      expect(section, `fixtures/SOURCES.md has no section ${model}`).toBeDefined();
      expect(section).toMatch(/^- Origin: /m);
      expect(section).toMatch(/^- Licence: /m);
    }
  });

  it('keeps a clone small', () => {
    expect(rows.reduce((sum, row) => sum + row.sizeBytes, 0)).toBeLessThan(MOST_BYTES);
  });
});
