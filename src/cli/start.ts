import { hearSignals } from './signals.js';

/**
 * Runs the program. Signals are heard before the rest of it is loaded, which takes a while on a busy machine. That is loaded in
 * parts: Node opens all files of one import at once, and a process may be allowed few.
 */
export async function startProgram(): Promise<never> {
  const signal = hearSignals();
  await import('./render/error.js');
  await import('../workflows/options.js');
  await import('./quantize-flags.js');
  await import('./flags.js');
  await import('./commands.js');
  await import('./process-host.js');
  const { runProcess } = await import('./main.js');
  return runProcess(signal);
}
