/** `npm run build`: src → dist, without leftovers of removed sources. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, ROOT, removeOrphans, runProgram, toolPath } from './install.js';

ensureInstalled();
const startedAt = new Date();
const code = runProgram(process.execPath, [toolPath('typescript', 'tsc'), '-p', 'tsconfig.build.json']);
removeOrphans();
if (code === 0) {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(join(ROOT, 'dist', '.built'), `${startedAt.toISOString()}\n`);
}
process.exit(code);
