/** `npm run build`: src → dist, without leftovers of removed sources. */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BUILD_STAMP, ensureInstalled, removeOrphans, runProgram, toolPath } from './install.js';

ensureInstalled();
const startedAt = new Date();
rmSync(BUILD_STAMP, { force: true });
const code = runProgram(process.execPath, [toolPath('typescript', 'tsc'), '-p', 'tsconfig.build.json']);
removeOrphans();
if (code === 0) {
  mkdirSync(dirname(BUILD_STAMP), { recursive: true });
  writeFileSync(BUILD_STAMP, '');
  // A source changed while the compiler ran is newer than the build.
  utimesSync(BUILD_STAMP, startedAt, startedAt);
}
process.exit(code);
