/** `npm run conformance -- [FOLDER…]`: compiles the product and the long suites, and runs them (test/conformance/main.ts). */
import { join, resolve } from 'node:path';
import { ensureBuilt, ensureInstalled, ROOT, runProgram, toolPath } from './install.js';

ensureInstalled();
const compiled = join(ROOT, '.cache', 'conformance');
const compile = ['-p', 'test/conformance/tsconfig.json', '--outDir', compiled];
const code = ensureBuilt() || runProgram(process.execPath, [toolPath('typescript', 'tsc'), ...compile]);
if (code !== 0) process.exit(code);
const folders = process.argv.slice(2).map((folder) => resolve(process.env.INIT_CWD ?? '.', folder));
const main = join(compiled, 'test', 'conformance', 'main.js');
process.exit(runProgram(process.execPath, [main, ROOT, compiled, ...folders]));
