/** The picture of one model's path in docs/architecture.md: every file that it names is there, and leads to the next. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsByFile, readSourceTexts } from './helpers/test-kinds.js';

const ROOT = dirname(import.meta.dirname);
const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
const picture = /^## The path of one model, file by file\n[\s\S]*?^```\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
const PATH = /\b(?:bin|src)(?:\/[\w.-]+)+\/?/g;

/** What a name may be mended to: files of that name elsewhere. */
function elsewhere(path: string): string {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const found = names.filter((name) => basename(name) === basename(path));
  return found.length === 0 ? 'no file has that name' : `now src/${found.join(', src/').replaceAll(sep, '/')}?`;
}

describe("the picture of one model's path in docs/architecture.md", () => {
  it('names files that exist', () => {
    const paths = picture.match(PATH) ?? [];
    expect(paths.length).toBeGreaterThan(15);
    const gone = paths.filter((path) => !existsSync(join(ROOT, path)));
    expect(gone.map((path) => `${path}: ${elsewhere(path)}`)).toEqual([]);
  });

  it('draws each file below one that reaches it', () => {
    const imports = importsByFile(readSourceTexts(ROOT));
    const reaches = (from: string, to: string): boolean => {
      const seen = new Set([from]);
      for (const path of seen) for (const target of imports.get(path) ?? []) seen.add(target);
      return [...seen].some((path) => path === to || (to.endsWith('/') && path.startsWith(to)));
    };
    // A branch stands to the right of what it hangs on.
    const above: { readonly column: number; readonly path: string }[] = [];
    const unreached: string[] = [];
    for (const line of picture.split('\n')) {
      const column = line.search(/[├└]─/);
      const [path] = line.match(PATH) ?? [];
      if (column < 0 || path === undefined) {
        if (path !== undefined) above.push({ column: line.indexOf(path), path });
        continue;
      }
      while ((above.at(-1)?.column ?? -1) > column) above.pop();
      const parent = above.at(-1)?.path ?? '';
      // A process, a thread and the compiled program are started by a name of package.json or dist/, not by an import.
      const isStarted = /^(bin\/|src\/cli\/command-thread\.ts)/.test(parent);
      if (!isStarted && !reaches(parent, path)) unreached.push(`${parent} does not lead to ${path}`);
      above.push({ column: line.indexOf(path), path });
    }
    expect(unreached).toEqual([]);
  });
});
