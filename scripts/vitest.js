/**
 * Vitest alone, without lint and types: `npm run test:unit` and `npm run coverage`. Installs what is missing, and builds unless
 * only unit tests run, which need no build. Words after `--` go to vitest.
 */
import { ensureBuilt, ensureInstalled, runProgram, toolPath } from './install.js';

ensureInstalled();
const words = process.argv.slice(2);
const isUnit = words.includes('--project=unit');
const code = isUnit ? 0 : ensureBuilt();
process.exit(code || runProgram(process.execPath, [toolPath('vitest'), 'run', ...words]));
