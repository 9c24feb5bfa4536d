import { defineConfig } from 'vitest/config';
import { measureMachine } from './test/helpers/machine.js';
import { readSourceTexts, TEST_KINDS, testKinds } from './test/helpers/test-kinds.js';

/** Measured once, before the first test: what a test may take grows with how slow and how busy the machine is. */
const { factor } = measureMachine();

/** Read from what each file imports, so that a new test is in the right project without a word. */
const kinds = [...testKinds(readSourceTexts(import.meta.dirname))];

export default defineConfig({
  test: {
    projects: TEST_KINDS.map((name) => ({
      extends: true,
      test: {
        name,
        isolate: name !== 'unit',
        include: kinds.filter(([, kind]) => kind === name).map(([path]) => path),
        setupFiles: ['test/setup.ts', ...(name === 'unit' ? ['test/setup-unit.ts'] : [])],
      },
    })),
    provide: { machineFactor: factor },
    // Twice what the slowest test takes on a quiet machine; only a test that hangs ever gets there.
    testTimeout: 120_000 * factor,
    hookTimeout: 120_000 * factor,
    pool: 'forks',
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['**/*.generated.ts'],
      reporter: ['text-summary', 'html'],
      reportsDirectory: 'coverage',
    },
  },
});
