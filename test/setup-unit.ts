/** A unit test that starts a process or loads native code fails, however it got there. */
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

function refuse(what: string): () => never {
  return () => {
    throw new Error(
      `a unit test must not ${what}: import what does it at the top of the file, and the file becomes one of the project "runtime"`,
    );
  };
}

for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'] as const) {
  childProcess[name] = refuse(`start a process (${name})`) as never;
}
syncBuiltinESMExports();
process.dlopen = refuse('load native code');
