/** `npm run conformance -- [--only PART]… [FOLDER…]`: compiles the product and the long suites, and runs them (test/conformance/main.ts). */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, ROOT, runProgram, toolPath } from './install.js';

const USAGE = 'usage: npm run conformance -- [--only PART]… [FOLDER…]; parts are in test/conformance/main.ts';

const { values, positionals } = readWords();
ensureInstalled();
const compiled = join(ROOT, '.cache', 'conformance');
const compile = ['-p', 'test/conformance/tsconfig.json', '--outDir', compiled];
const code = ensureBuilt() || runProgram(process.execPath, [toolPath('typescript', 'tsc'), ...compile]);
if (code !== 0) process.exit(code);
const folders = positionals.map((folder) => resolve(process.env.INIT_CWD ?? '.', folder));
const parts = values.only.flatMap((part) => ['--only', part]);
const main = join(compiled, 'test', 'conformance', 'main.js');
process.exit(runProgram(process.execPath, [main, ROOT, compiled, ...parts, ...folders]));

function readWords() {
  try {
    return parseArgs({ options: { only: { type: 'string', multiple: true, default: [] } }, allowPositionals: true });
  } catch {
    console.error(USAGE);
    process.exit(2);
  }
}
