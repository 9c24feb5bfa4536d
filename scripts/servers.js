/**
 * `npm run servers -- FOLDER`: compiles the clients and the suite of real servers, and runs it (test/servers/main.ts).
 * `npm run servers -- --install FOLDER` installs them (install-servers.js); `--record FOLDER [CASE…]` writes down what a real
 * tritonserver says to right and wrong configurations (test/servers/refusals/record.ts).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureBuilt, ensureInstalled, ROOT, runProgram, toolPath } from './install.js';
import { installServers } from './install-servers.js';

const [first = '', ...rest] = process.argv.slice(2);
if (first === '--install') process.exit(rest[0] === undefined ? usage() : installServers(rest[0]));
if (first.startsWith('-') && first !== '--record') process.exit(usage());

ensureInstalled();
const compiled = join(ROOT, '.cache', 'servers');
const compile = ['-p', 'test/servers/tsconfig.json', '--outDir', compiled];
const code = ensureBuilt() || runProgram(process.execPath, [toolPath('typescript', 'tsc'), ...compile]);
if (code !== 0) process.exit(code);
// The version that reports name, and threads and processes where they were compiled to.
const packageText = readFileSync(join(ROOT, 'package.json'), 'utf8');
writeFileSync(join(compiled, 'package.json'), packageText.replaceAll('"./dist/', '"./src/'));
const isRecord = first === '--record';
const [folder, ...cases] = isRecord ? rest : [first, ...rest];
if (!folder) process.exit(usage());
const parameters = [ROOT, ...(isRecord ? ['--record'] : []), resolve(process.env.INIT_CWD ?? '.', folder), ...cases];
process.exit(runProgram(process.execPath, [join(compiled, 'test', 'servers', 'main.js'), ...parameters]));

function usage() {
  console.error('usage: npm run servers -- [--install | --record] FOLDER [PART…]');
  return 2;
}
