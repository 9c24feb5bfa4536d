import { hearSignals } from './signals.js';

/** Runs the program. Signals are heard before the rest of it is loaded, which takes a while on a busy machine. */
export async function startProgram(): Promise<never> {
  const signal = hearSignals();
  const { runProcess } = await import('./main.js');
  return runProcess(signal);
}
