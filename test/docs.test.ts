import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apiPages } from '../scripts/gen-api.js';
import { generatedPages } from '../scripts/gen-docs.js';
import { METRICS } from '../src/gates/metrics.js';
import { PLACE_ROWS } from '../src/quantize/place-names.js';
import { CI_FORMATS } from '../src/report/ci/formats.js';
import { scaled } from './helpers/limits.js';

const ROOT = dirname(import.meta.dirname);

describe('generated pages', async () => {
  const pages = await generatedPages();
  for (const [path, text] of pages) {
    it(`keeps ${path} as the program says`, () => {
      expect(readFileSync(join(ROOT, path), 'utf8'), 'run: npm run build && npm run docs').toBe(text);
    });
  }

  it('has no page of a pass that is gone', () => {
    const present = readdirSync(join(ROOT, 'docs/passes')).map((name) => `docs/passes/${name}`);
    expect(present.filter((path) => !pages.has(path))).toEqual([]);
  });
});

describe('the reference of the library', () => {
  it('is what the declarations and their comments say', { timeout: scaled(120_000) }, async () => {
    const pages = await apiPages();
    const present = readdirSync(join(ROOT, 'docs/api')).map((name) => `docs/api/${name}`);
    expect(present.sort()).toEqual([...pages.keys()].sort());
    for (const [path, text] of pages)
      expect(readFileSync(join(ROOT, path), 'utf8'), `${path}: run npm run docs`).toBe(text);
  });
});

describe('links in the documents', () => {
  const documents = ['README.md', 'CHANGELOG.md', 'fixtures/SOURCES.md'].concat(
    readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  );

  it.each(documents)('lead somewhere in %s', (path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map((match) => match[1] ?? '');
    for (const target of targets) {
      const file = join(ROOT, dirname(path), target);
      expect(() => readdirSync(dirname(file)), `${path} links to ${target}`).not.toThrow();
      expect(readdirSync(dirname(file)), `${path} links to ${target}`).toContain(file.split(/[\\/]/).at(-1));
    }
  });
});

describe('docs/ci.md', () => {
  const page = readFileSync(join(ROOT, 'docs/ci.md'), 'utf8');

  it('shows the workflow as the file has it', () => {
    const example = readFileSync(join(ROOT, 'docs/examples/github-actions-bench.yml'), 'utf8');
    expect(page).toContain(`\`\`\`yaml\n${example}\`\`\``);
    expect(example).not.toContain('\t');
  });

  it('has a row for every metric of a budget', () => {
    expect(Object.keys(METRICS).filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
  });

  it('names the flag of every format', () => {
    for (const { flag } of CI_FORMATS) expect(page).toContain(`\`--${flag} PATH\``);
  });
});

describe('docs/quantization-schemes.md', () => {
  it('has a row for every place where a quantized model may run, with its source', () => {
    const page = readFileSync(join(ROOT, 'docs', 'quantization-schemes.md'), 'utf8');
    for (const { name, source } of PLACE_ROWS) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\``));
      expect(row, name).toContain(`| ${source} |`);
    }
  });
});
