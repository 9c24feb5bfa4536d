import { describe, expect, it } from 'vitest';
import { decodeCtc } from '../../../src/evaluate/ctc.js';
import { ctcLoss } from '../../../src/evaluate/ctc-loss.js';
import { CONVENTION_NAMES, conventionLosses } from '../../../src/evaluate/distill/conventions.js';
import { DecodedSequences } from '../../../src/evaluate/distill/decoded-sequences.js';
import { AttentionPairs } from '../../../src/evaluate/distill/feature-pairs.js';
import { FspPairs } from '../../../src/evaluate/distill/fsp-pairs.js';
import { MultiLabelPairs } from '../../../src/evaluate/distill/multi-label.js';
import { RegressionPairs } from '../../../src/evaluate/distill/regression.js';
import { RidgeProjection } from '../../../src/evaluate/distill/ridge-projection.js';
import { evaluateRows } from './evaluate-rows.js';
import { decoded, type Encoded, expectNear, references } from './reference-file.js';

/** Observes rows in two accumulators, the second from a third of them on, and merges these. */
function merged<A extends { merge(other: A): void }>(
  make: () => A,
  rows: number,
  observe: (to: A, row: number) => void,
) {
  const [a, b] = [make(), make()];
  for (let row = 0; row < rows; row++) observe(row < rows / 3 ? a : b, row);
  a.merge(b);
  return a;
}

interface Values {
  readonly name: string;
  readonly teacher: readonly Encoded[];
  readonly student: readonly Encoded[];
  readonly expected: unknown;
}

describe('losses of libraries', () => {
  interface Case extends Values {
    readonly shape: readonly number[];
    readonly temperature: number;
    readonly alpha: number;
    readonly labels?: readonly number[];
  }
  it.each(references<readonly Case[]>('conventions'))(
    'are what numpy gives for their code, and factors apart: $name',
    async ({ shape, temperature, alpha, labels, teacher, student, expected }) => {
      const classes = shape.at(-1) as number;
      const rows = teacher.length / classes;
      const found = await evaluateRows({
        rows,
        classes,
        topK: 1,
        bins: 15,
        temperatures: [1, temperature],
        teacher: decoded(teacher),
        student: decoded(student),
        ...(labels ? { labels } : {}),
      });
      const grid = { conventions: CONVENTION_NAMES, temperatures: [temperature], alphas: [alpha] };
      const losses = conventionLosses(grid, found.temperatures, {
        classes,
        rowsPerSample: rows / (shape[0] as number),
        ...(found.labelled ? { crossEntropy: found.labelled.student.nll } : {}),
      });
      const byName = Object.fromEntries(losses.map((loss) => [loss.convention, loss]));
      expect(Object.keys(byName).sort()).toEqual([...CONVENTION_NAMES].sort());
      expectNear(byName, expected, 'losses');
    },
  );
});

describe('outputs of CTC', () => {
  interface Case extends Values {
    readonly dims: readonly [number, number, number];
    readonly blank: number;
    readonly labels: readonly (readonly number[])[];
  }
  it.each(references<readonly Case[]>('ctc'))(
    'decode and lose as all paths tried one by one say: $name',
    ({ dims: [n, steps, classes], blank, labels, teacher, student, expected }) => {
      const sides = [decoded(teacher), decoded(student)] as const;
      const shares = sides.map((values) => {
        const exponentials = values.map(Math.exp);
        return exponentials.map((value, i) => {
          const from = i - (i % classes);
          return value / exponentials.subarray(from, from + classes).reduce((sum, each) => sum + each, 0);
        });
      });
      const sequences = merged(
        () => new DecodedSequences(),
        n,
        (to, sample) => {
          const from = sample * steps * classes;
          const [a = [], b = []] = sides.map((values) => decodeCtc(values, from, steps, classes, blank));
          const shape = { steps, classes, blank, probabilities: false };
          const label = labels[sample] ?? [];
          const losses = sides.map((values) => ctcLoss(values, from, shape, label)) as [number, number];
          for (const [side, values] of shares.entries()) {
            const loss = ctcLoss(values, from, { ...shape, probabilities: true }, label);
            if (Number.isFinite(loss)) expect(loss).toBeCloseTo(losses[side] as number, 9);
            else expect(loss).toBe(losses[side]);
          }
          to.observe({ teacher: a, student: b, label, losses });
        },
      ).result();
      const quality = (side: 'teacher' | 'student') => ({
        ...sequences.labelled?.[side],
        exact: sequences.labelled?.[side].exact.value,
      });
      expectNear(
        {
          agreement: sequences.agreement.value,
          editRate: sequences.editRate,
          teacher: quality('teacher'),
          student: quality('student'),
          ...sequences.labelled?.flips,
        },
        expected,
        'sequences',
      );
    },
  );
});

describe('labels of which any may hold', () => {
  interface Case extends Values {
    readonly dims: readonly [number, number];
    readonly labels: readonly number[];
    readonly expected: { readonly temperatures: readonly { readonly temperature: number }[] };
  }
  it.each(references<readonly Case[]>('multiLabel'))(
    'have the figures of scikit-learn and scipy: $name',
    ({ dims: [rows, width], labels, teacher, student, expected }) => {
      const temperatures = expected.temperatures.map(({ temperature }) => temperature);
      const [t, s] = [decoded(teacher), decoded(student)];
      const found = merged(
        () => new MultiLabelPairs(width, temperatures, references<number>('bins')),
        rows,
        (to, row) => to.observe({ teacher: t, student: s, from: row * width, labels, labelsFrom: row * width }),
      ).result();
      const quality = (side: 'teacher' | 'student') => {
        const known = found.labelled?.[side];
        return { ...known, accuracy: known?.accuracy.value, ece: known?.calibration.ece };
      };
      expectNear(
        {
          ...found,
          agreement: found.agreement.value,
          exactAgreement: found.exactAgreement.value,
          teacher: quality('teacher'),
          student: quality('student'),
          ...found.labelled?.flips,
        },
        expected,
        'figures',
      );
    },
  );
});

describe('outputs that are numbers', () => {
  interface Case extends Values {
    readonly dims: readonly [number, number];
    readonly labels: readonly Encoded[];
  }
  it.each(references<readonly Case[]>('regression'))(
    'have the errors of scikit-learn and scipy: $name',
    ({ dims: [rows, width], labels, teacher, student, expected }) => {
      const [t, s, y] = [decoded(teacher), decoded(student), decoded(labels)];
      const { fidelity, labelled } = merged(
        () => new RegressionPairs(width),
        rows,
        (to, row) => to.observe({ teacher: t, student: s, from: row * width, labels: y, labelsFrom: row * width }),
      ).result();
      expectNear({ fidelity, ...labelled }, expected, 'errors');
    },
  );
});

describe('terms of features beside each other', () => {
  it.each(references<readonly (Values & { readonly dims: readonly (readonly [number, number])[] })[]>('ridge'))(
    'a ridge projection errs as that of scikit-learn: $name',
    ({ dims, teacher, student, expected }) => {
      const [[rows, widthT], [, widthS]] = dims as [readonly [number, number], readonly [number, number]];
      const [t, s] = [decoded(teacher), decoded(student)];
      const ridge = merged(
        () => new RidgeProjection(widthT, widthS),
        rows,
        (to, row) => to.observe({ teacher: t, student: s, teacherFrom: row * widthT, studentFrom: row * widthS }),
      );
      expectNear(ridge.result(), expected, 'ridge');
    },
  );

  interface Fsp {
    readonly name: string;
    readonly samples: number;
    readonly channels: readonly [number, number];
    readonly places: number;
    readonly maps: readonly (readonly number[])[];
    readonly expected: number;
  }
  it.each(references<readonly Fsp[]>('fsp'))(
    'the flow between two layers is that of numpy: $name',
    ({ samples, channels: [firstChannels, secondChannels], places, maps, expected }) => {
      const [t1, t2, s1, s2] = maps.map((map) => Float64Array.from(map)) as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      const fsp = merged(
        () => new FspPairs({ firstChannels, secondChannels, places }),
        samples,
        (to, row) => {
          const from = { firstFrom: row * firstChannels * places, secondFrom: row * secondChannels * places };
          to.observe({ teacher: { first: t1, second: t2, ...from }, student: { first: s1, second: s2, ...from } });
        },
      );
      expectNear(fsp.result(), expected, 'fsp');
    },
  );

  interface Attention extends Values {
    readonly heads: readonly [number, number];
    readonly mask: readonly number[];
  }
  it.each(references<readonly Attention[]>('attention'))(
    'masked attention maps differ as those of scipy: $name',
    ({ heads: [teacherHeads, studentHeads], mask, teacher, student, expected }) => {
      const [t, s] = [decoded(teacher), decoded(student)];
      const tokens = 4;
      const pairs = merged(
        () => new AttentionPairs({ teacherHeads, studentHeads, queries: tokens, keys: tokens }),
        mask.length / tokens,
        (to, row) =>
          to.observe({
            teacher: t,
            student: s,
            teacherFrom: row * teacherHeads * tokens ** 2,
            studentFrom: row * studentHeads * tokens ** 2,
            mask,
            maskFrom: row * tokens,
          }),
      );
      expectNear(pairs.result(), expected, 'attention');
    },
  );
});
