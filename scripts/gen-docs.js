/**
 * Writes docs/cli.md and docs/errors.md from the tables in the compiled program, so that they cannot drift from it.
 * `node scripts/gen-docs.js` writes; test/docs.test.ts calls the same functions and compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT } from './install.js';

const load = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);

/** Path inside the repository → text of the page. */
export async function generatedPages() {
  return new Map([
    ['docs/cli.md', await cliPage()],
    ['docs/errors.md', await errorsPage()],
  ]);
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
    'document, `{schemaVersion, command, ok, result | error}`. Options follow the command.',
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
  for (const [path, text] of await generatedPages()) {
    const target = join(ROOT, path);
    let before = '';
    try {
      before = readFileSync(target, 'utf8');
    } catch {
      // The first time there is no page.
    }
    if (before !== text) writeFileSync(target, text);
    console.log(`${before === text ? 'current' : 'written'} ${path}`);
  }
}
