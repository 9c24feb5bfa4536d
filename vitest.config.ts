import { defineConfig } from 'vitest/config';
import { measureMachine } from './test/helpers/machine.js';

/** Measured once, before the first test: what a test may take grows with how slow and how busy the machine is. */
const { factor } = measureMachine();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    provide: { machineFactor: factor },
    // Twice what the slowest test takes on a quiet machine; only a test that hangs ever gets there.
    testTimeout: 120_000 * factor,
    hookTimeout: 120_000 * factor,
    pool: 'forks',
    maxWorkers: 2,
  },
});
