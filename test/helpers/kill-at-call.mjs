/**
 * A module for `--import`: `killFrom(n)`, or the variable KILL_AT_RENAME for the n-th rename, ends the process by SIGKILL before
 * the n-th change of the file system from then on, counted from 0.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CHANGES = ['renameSync', 'linkSync', 'mkdirSync', 'writeFileSync', 'rmSync', 'copyFileSync'];
const renameAt = Number(process.env.KILL_AT_RENAME ?? 'NaN');
let left = Number.NaN;
let renames = 0;

globalThis.killFrom = (count) => {
  left = count;
};
for (const name of CHANGES) {
  const original = fs[name];
  fs[name] = (...args) => {
    if (left === 0 || (name === 'renameSync' && renames++ === renameAt)) process.kill(process.pid, 'SIGKILL');
    left--;
    return original(...args);
  };
}
syncBuiltinESMExports();
