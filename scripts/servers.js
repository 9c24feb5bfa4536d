/** `npm run servers -- FOLDER`: compiles the clients and the suite of real servers, and runs it (test/servers/main.ts). */
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureInstalled, ROOT, runProgram, toolPath } from './install.js';

ensureInstalled();
const compiled = join(ROOT, '.cache', 'servers');
const compile = ['-p', 'test/servers/tsconfig.json', '--outDir', compiled];
const code = runProgram(process.execPath, [toolPath('typescript', 'tsc'), ...compile]);
if (code !== 0) process.exit(code);
// The version that reports name.
copyFileSync(join(ROOT, 'package.json'), join(compiled, 'package.json'));
const folders = process.argv.slice(2).map((folder) => resolve(process.env.INIT_CWD ?? '.', folder));
process.exit(runProgram(process.execPath, [join(compiled, 'test', 'servers', 'main.js'), ROOT, ...folders]));
