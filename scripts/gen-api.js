/**
 * Writes docs/api/: a page for each group of exports in src/index.ts, from the declarations and their doc comments. The groups
 * are the comments that stand alone between the exports there. `scripts/gen-docs.js` calls it, and so does test/docs.test.ts.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './install.js';

/** A comment of one line with nothing below it: the heading of a group. */
const HEADING = /^\/\/ (.+)\n\n/m;

const GENERATED = '<!-- Made by scripts/gen-api.js from the doc comments in src. -->';

const TABLES = Object.fromEntries(
  [
    'classProperties',
    'interfaceProperties',
    'parameters',
    'propertyMembers',
    'typeAliasProperties',
    'typeDeclaration',
  ].map((name) => [`${name}Format`, 'table']),
);

/** Path inside the repository → text of the page. */
export async function apiPages() {
  const groups = exportGroups(readFileSync(join(ROOT, 'src', 'index.ts'), 'utf8'));
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  // Inside of the repository, where the compiler finds the packages.
  const folder = mkdtempSync(join(ROOT, '.cache', 'api-'));
  try {
    const entryPoints = groups.map(({ slug, sentence, exports }) => {
      const path = join(folder, `${slug}.ts`);
      writeFileSync(path, `/**\n * ${sentence}\n * @module ${slug}\n */\n${exports.replaceAll("'./", "'../../src/")}`);
      return path;
    });
    const tsconfig = join(folder, 'tsconfig.json');
    writeFileSync(tsconfig, JSON.stringify({ extends: '../../tsconfig.json', include: ['.'] }));
    const pages = await renderedPages(entryPoints, tsconfig, join(folder, 'out'));
    return new Map([
      ['docs/api/README.md', indexPage(groups)],
      ...groups.map(({ slug, title }) => {
        const text = pages.get(`${slug}.md`);
        if (text === undefined) throw new Error(`typedoc wrote no page for ${slug}`);
        return [`docs/api/${slug}.md`, text.replace(/^# .*\n/, `# ${title}\n\n${GENERATED}\n`)];
      }),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The groups of src/index.ts in order, with the statements of each. */
function exportGroups(text) {
  const [head, ...parts] = text.split(HEADING);
  if (/^export /m.test(head)) throw new Error('src/index.ts has exports before the first heading');
  const groups = [];
  for (let i = 0; i < parts.length; i += 2) {
    const sentence = parts[i];
    const title = sentence.split(/[:.]/)[0];
    const slug = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    groups.push({ title, sentence, slug, exports: parts[i + 1] });
  }
  return groups;
}

/** What typedoc makes of the entry points: name of the file → text. */
async function renderedPages(entryPoints, tsconfig, out) {
  const { Application } = await import('typedoc');
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints,
    tsconfig,
    out,
    router: 'module',
    readme: 'none',
    disableSources: true,
    disableGit: true,
    excludePrivate: true,
    excludeInternal: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    expandObjects: false,
    ...TABLES,
    sort: ['source-order'],
    groupOrder: ['Functions', 'Classes', 'Interfaces', 'Type Aliases', 'Variables'],
    // The type check is another script's.
    skipErrorChecking: true,
    // A type that a signature mentions is exported too.
    validation: { notExported: true, invalidLink: true, rewrittenLink: true, unusedMergeModuleWith: true },
    logLevel: 'Warn',
  });
  const project = await app.convert();
  if (!project) throw new Error('typedoc could not read the declarations');
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error('docs/api: export in src/index.ts what typedoc says is missing');
  return new Map(readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]));
}

function indexPage(groups) {
  const rows = groups.map(({ slug, title, sentence, exports }) => {
    const names = [...exports.matchAll(/^export (?!type )\{([^}]*)\}/gm)].flatMap((match) => match[1].split(','));
    const values = names.flatMap((name) => (name.trim() === '' ? [] : [`\`${name.trim()}\``]));
    const about = sentence.slice(title.length).replace(/^[:.]\s*/, '');
    return `| [${title}](${slug}.md) | ${about} | ${values.join(', ')} |`;
  });
  return [
    '# Library',
    '',
    GENERATED,
    '',
    'What `serve-opt` exports; the passes of `serve-opt/passes` have [pages of their own](../passes/README.md).',
    '',
    '| group | what | functions, classes and constants |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
