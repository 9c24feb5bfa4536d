import { spawn } from 'node:child_process';
import type { Hold } from './context.js';

/** Ends by itself when the process that started it is gone. */
const LOOP = `const parent = process.ppid;
for (let step = 1; ; step++) if (step % 5e7 === 0 && process.ppid !== parent) process.exit();`;

/** Keeps so many cores busy while `use` runs. */
export async function besideBusyLoops<T>(hold: Hold, count: number, use: () => Promise<T>): Promise<T> {
  const loops = Array.from({ length: count }, () => spawn(process.execPath, ['-e', LOOP], { stdio: 'ignore' }));
  const stop = (): void => {
    for (const loop of loops) loop.kill('SIGKILL');
  };
  hold.atEnd(stop);
  try {
    return await use();
  } finally {
    stop();
  }
}
