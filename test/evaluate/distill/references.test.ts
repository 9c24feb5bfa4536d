import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { softmaxRows } from '../../../src/tensor/softmax-rows.js';
import { skipWhere } from '../../helpers/skip-where.js';
import { evaluateRows } from './evaluate-rows.js';

type Number = number | 'Infinity' | '-Infinity' | 'NaN';

interface Case {
  readonly name: string;
  readonly rows: number;
  readonly classes: number;
  readonly topK: number;
  readonly teacher: readonly Number[];
  readonly student: readonly Number[];
  readonly labels?: readonly number[];
  readonly expected: Readonly<Record<string, unknown>>;
}

const { cases, bins } = JSON.parse(readFileSync(join(import.meta.dirname, 'references.json'), 'utf8')) as {
  readonly cases: readonly Case[];
  readonly bins: number;
};

/** Every number of `expected` must be in `actual`, under the same names. */
function expectNear(actual: unknown, expected: unknown, path: string): void {
  if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected))
      expectNear((actual as Record<string, unknown> | undefined)?.[key], value, `${path}.${key}`);
    return;
  }
  const wanted = Number(expected);
  if (Number.isNaN(wanted)) {
    expect(actual === undefined || Number.isNaN(actual), `${path} is ${actual}`).toBe(true);
    return;
  }
  if (!Number.isFinite(wanted)) {
    expect(actual, path).toBe(wanted);
    return;
  }
  const limit = 1e-6 * Math.max(1, Math.abs(wanted));
  expect(Math.abs((actual as number) - wanted), `${path}: ${actual}, expected ${wanted}`).toBeLessThan(limit);
}

describe.each(['SIMD', 'plain'] as const)('losses and metrics with %s loops', (loops) => {
  skipWhere(loops === 'SIMD' && softmaxRows(2, 1) === undefined, 'this engine has no SIMD').each(cases)(
    'are those of numpy, scipy and scikit-learn for $name',
    async ({ rows, classes, topK, teacher, student, labels, expected }) => {
      const temperatures = (expected.temperatures as readonly { readonly temperature: number }[]).map(
        ({ temperature }) => temperature,
      );
      const figures = await evaluateRows({
        rows,
        classes,
        topK,
        bins,
        temperatures,
        teacher: Float64Array.from(teacher, Number),
        student: Float64Array.from(student, Number),
        ...(labels ? { labels } : {}),
        plain: loops === 'plain',
      });
      expectNear(figures, expected, 'figures');
    },
  );
});
