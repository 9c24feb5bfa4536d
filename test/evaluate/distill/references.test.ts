import { describe } from 'vitest';
import { softmaxRows } from '../../../src/tensor/softmax-rows.js';
import { skipWhere } from '../../helpers/skip-where.js';
import { evaluateRows } from './evaluate-rows.js';
import { decoded, type Encoded, expectNear, references } from './reference-file.js';

interface Case {
  readonly name: string;
  readonly rows: number;
  readonly classes: number;
  readonly topK: number;
  readonly teacher: readonly Encoded[];
  readonly student: readonly Encoded[];
  readonly labels?: readonly number[];
  readonly expected: Readonly<Record<string, unknown>>;
}

const bins = references<number>('bins');
const cases = references<readonly Case[]>('cases');

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
        teacher: decoded(teacher),
        student: decoded(student),
        ...(labels ? { labels } : {}),
        plain: loops === 'plain',
      });
      expectNear(figures, expected, 'figures');
    },
  );
});
