/** `npm run hold -- [--part NAME] [--count N] [FOLDER…]`: compiles the product and the suite, and runs it (test/hold/main.ts). */
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, ROOT, runProgram, toolPath } from './install.js';

ensureInstalled();
const compiled = join(ROOT, '.cache', 'hold');
const compile = ['-p', 'test/hold/tsconfig.json', '--outDir', compiled];
const code = ensureBuilt() || runProgram(process.execPath, [toolPath('typescript', 'tsc'), ...compile]);
if (code !== 0) process.exit(code);
const main = join(compiled, 'test', 'hold', 'main.js');
process.exit(runProgram(process.execPath, [main, ROOT, process.env.INIT_CWD ?? '.', ...process.argv.slice(2)]));
