import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { measureMachine } from '../helpers/machine.js';
import type { Hold } from './context.js';

/** Ends by itself when the process that started it is gone. */
const LOOP = `const parent = process.ppid;
for (let step = 1; ; step++) if (step % 5e7 === 0 && process.ppid !== parent) process.exit();`;

/** Keeps so many cores busy while `use` runs, with limits measured beside them. */
export async function besideBusyLoops<T>(hold: Hold, count: number, use: (hold: Hold) => Promise<T>): Promise<T> {
  const loops = Array.from({ length: count }, () => spawn(process.execPath, ['-e', LOOP], { stdio: 'ignore' }));
  const stop = (): void => {
    for (const loop of loops) loop.kill('SIGKILL');
  };
  hold.atEnd(stop);
  try {
    await Promise.all(loops.map((loop) => once(loop, 'spawn')));
    const { factor } = measureMachine();
    return await use({ ...hold, factor: Math.max(hold.factor, factor) });
  } finally {
    stop();
  }
}
