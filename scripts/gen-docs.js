/**
 * Writes docs/cli.md, docs/errors.md and docs/passes/ from the compiled program, so that they cannot drift from it, and docs/api/
 * from its source (gen-api.js).
 * `node scripts/gen-docs.js` writes; test/docs.test.ts calls the same functions and compares.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { apiPages } from './gen-api.js';
import { ROOT } from './install.js';

const load = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);

/** Path inside the repository → text of the page. */
export async function generatedPages() {
  return new Map([['docs/cli.md', await cliPage()], ['docs/errors.md', await errorsPage()], ...(await passPages())]);
}

const NUMERICS_MEANING = {
  exact: 'outputs stay the same bit for bit',
  reassociates: 'outputs change by rounding only',
  lossy: 'outputs change by design',
};

const SCOPE_MEANING = {
  'all-graphs': 'the main graph and its subgraphs',
  'main-graph': 'the main graph',
};

async function passPages() {
  const { PASSES } = await load('passes/registry.js');
  const { schemeText } = await load('quantize/scheme.js');
  const definitions = PASSES.map((pass) => pass.definition);
  const rows = definitions.map(
    ({ name, group, numerics, summary }) => `| [${name}](${name}.md) | ${group} | ${numerics} | ${cell(summary)} |`,
  );
  const index = [
    '# Passes',
    GENERATED,
    'A pass is a step for `model.transform(…)`. `exact` keeps outputs bit for bit, `reassociates` changes them by',
    'rounding, `lossy` by design.',
    '',
    '| pass | group | numerics | what |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
  return [
    ['docs/passes/README.md', index],
    ...definitions.map((each) => [`docs/passes/${each.name}.md`, passPage(each, schemeText)]),
  ];
}

function passPage({ name, summary, group, numerics, scope, opset, options }, schemeText) {
  const source = sourceOf(group, name);
  const factory = name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  const [from, to] = opset;
  const optionRows = Object.entries(options).map(([option, row]) => {
    const choices = row.choices === undefined ? '' : ` (${row.choices.join(', ')})`;
    return `| \`${option}\` | ${defaultText(row.default, schemeText)} | ${cell(row.description)}${choices} |`;
  });
  return [
    `# ${name}`,
    GENERATED,
    summary.endsWith('.') ? summary : `${summary}.`,
    '',
    docComment(source),
    '',
    `- Numerics: ${numerics}: ${NUMERICS_MEANING[numerics]}.`,
    `- Works on: ${SCOPE_MEANING[scope]}.`,
    `- Opset of ai.onnx: ${from}${to === null ? ' and later' : ` to ${to}`}.`,
    `- Source: [${source}](../../${source}).`,
    '',
    '```ts',
    `import { ${factory} } from 'serve-opt/passes';`,
    '',
    `await model.transform(${factory}());`,
    '```',
    ...(optionRows.length === 0 ? [] : ['', '| option | default | what |', '|---|---|---|', ...optionRows]),
    '',
  ].join('\n');
}

function defaultText(value, schemeText) {
  if (value === undefined) return 'none';
  if (value instanceof Map) return 'empty';
  if (value?.storage !== undefined) return schemeText(value);
  return `\`${JSON.stringify(value)}\``;
}

/** Where a pass stands: in the folder of its group, or in a room of it. */
function sourceOf(group, name) {
  const folder = join(ROOT, 'src', 'passes', group);
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find(
    (path) => basename(path) === `${name}.ts`,
  );
  if (found === undefined) throw new Error(`there is no ${name}.ts in src/passes/${group}`);
  return ['src', 'passes', group, ...found.split(sep)].join('/');
}

/** The comment above a pass: its equation, when it fires and when it refuses. */
function docComment(source) {
  const [, comment] =
    /\/\*\*\n((?: \*[^\n]*\n)+) \*\/\nexport const \w+ = define(?:Pass|Rewrite)\b/.exec(
      readFileSync(join(ROOT, source), 'utf8'),
    ) ?? [];
  if (comment === undefined) throw new Error(`${source} has no comment above its pass`);
  return comment
    .replace(/^ \* ?/gm, '')
    .replace(/^@throws /m, '\nThrows ')
    .trim();
}

async function cliPage() {
  const { COMMANDS } = await load('cli/commands.js');
  const { commandHelp, programHelp } = await load('cli/help.js');
  const { createStyle } = await load('cli/render/style.js');
  const plain = createStyle(false);
  const parts = [
    '# Command line',
    GENERATED,
    'The answer goes to stdout; progress, warnings, the summary and errors go to stderr. `--json` prints exactly one',
    'document, `{schemaVersion, command, ok, result | error}` (both where the work was done and a report of it could not be written). Options follow the command.',
    '',
    code(programHelp(plain)),
    ...COMMANDS.flatMap((command) => [`## ${command.name}\n`, code(commandHelp(command, plain))]),
    await exitCodes(),
  ];
  return `${parts.join('\n').trimEnd()}\n`;
}

const EXIT_MEANINGS = {
  done: 'done',
  failed: 'failed while running',
  usage: 'wrong usage or configuration',
  input: 'the input is unreadable, invalid or unsafe',
  gate: 'a gate (accuracy, latency, size) is not met',
  inconclusive: 'the measurement is inconclusive',
  capability: 'a capability is missing, for example an execution provider',
  bug: 'a bug in serve-opt',
  interrupted: 'interrupted (SIGINT); temporary files are removed',
  terminated: 'terminated (SIGTERM, SIGHUP); temporary files are removed',
};

async function exitCodes() {
  const { EXIT } = await load('errors.js');
  const rows = Object.entries(EXIT).map(([name, number]) => {
    const meaning = EXIT_MEANINGS[name];
    if (meaning === undefined) throw new Error(`exit code ${name} has no meaning in scripts/gen-docs.js`);
    return `| ${number} | ${meaning} |`;
  });
  return ['## Exit codes', '', '| code | meaning |', '|---|---|', ...rows, ''].join('\n');
}

async function errorsPage() {
  const { ERROR_TABLE } = await load('errors.js');
  const rows = Object.entries(ERROR_TABLE).map(
    ([name, row]) => `| ${name} | ${row.summary} | ${row.exitCode} | ${row.hint === undefined ? '' : cell(row.hint)} |`,
  );
  return [
    '# Errors',
    GENERATED,
    'Every error has a stable code. A message says what is wrong, mostly why, and what to do about it; the hint below is',
    'the one shown where a message has none of its own. The first digit is the area: 1 usage, 2 bytes of a file, 3 graph,',
    '4 data, 5 ONNX Runtime, 6 output, 7 gates, 8 signals, 9 bugs.',
    '',
    '| code | what | exit code | hint |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const GENERATED = '\n<!-- Made by scripts/gen-docs.js; change the tables in src instead. -->\n';

function code(text) {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

function cell(text) {
  return text.replaceAll('|', '\\|');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of [...(await generatedPages()), ...(await apiPages())]) {
    const target = join(ROOT, path);
    let before = '';
    try {
      before = readFileSync(target, 'utf8');
    } catch {
      // The first time there is no page.
    }
    mkdirSync(dirname(target), { recursive: true });
    if (before !== text) writeFileSync(target, text);
    console.log(`${before === text ? 'current' : 'written'} ${path}`);
  }
}
