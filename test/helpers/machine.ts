/** How slow the machine is at the moment, so that limits can grow with it. */
import { spawnSync } from 'node:child_process';

export interface MachineSpeed {
  /** By how much limits are to be multiplied; at least 1, which is a quiet machine with cores of middling speed. */
  readonly factor: number;
  /** A fixed loop of this thread, in milliseconds. */
  readonly spinMs: number;
  /** Start and end of a Node process that does nothing, in milliseconds. */
  readonly startMs: number;
}

/** What a quiet machine with cores of middling speed takes for the same, in milliseconds. */
const QUIET_SPIN_MS = 70;
const QUIET_START_MS = 110;

const ROUNDS = 3;

/** Measures wall-clock time, hence both slow cores and cores that others use. Blocks for about half a second. */
export function measureMachine(): MachineSpeed {
  let [spinMs, startMs] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    spinMs += wallMs(spin) / ROUNDS;
    startMs += wallMs(() => spawnSync(process.execPath, ['-e', '0'], { stdio: 'ignore' })) / ROUNDS;
  }
  return { factor: Math.max(1, spinMs / QUIET_SPIN_MS, startMs / QUIET_START_MS), spinMs, startMs };
}

function wallMs(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

function spin(): number {
  let state = 1;
  for (let step = 0; step < 1e7; step++) state = (Math.imul(state, 1103515245) + 12345) | 0;
  return state;
}
