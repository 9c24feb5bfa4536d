import { describe, expect, it } from 'vitest';
import {
  type ClassesResult,
  fidelityResult,
  type LabelledResult,
  labelledResult,
} from '../../../src/evaluate/distill/class-result.js';
import { LogitPairs } from '../../../src/evaluate/distill/logit-pairs.js';
import { RowColumns } from '../../../src/evaluate/distill/row-columns.js';
import { distillMarkdown } from '../../../src/report/ci/markdown-distill.js';
import { rankingOf } from '../../../src/report/distill-ranking.js';
import type { DistillReport, DistillStudent } from '../../../src/report/distill-types.js';
import { distillHtml } from '../../../src/report/html/distill-html.js';
import { safeText } from '../../../src/report/safe-text.js';
import { checkPage, drawingsOf, skeletonOf } from '../../helpers/check-page.js';
import { allElements, elementsNamed, type ReadElement, textOf } from '../../helpers/read-markup.js';
import { HOSTILE_NAMES } from '../bench-reports.js';

const TEMPERATURES = [1, 2, 20, 100];

/** Four rows of three classes: the student takes one row of class 2 for class 0. */
function classes(): ClassesResult {
  const teacher = Float64Array.of(3, 0, 0, 0, 3, 0, 0, 0, 3, 1, 0, 2);
  const student = Float64Array.of(2, 0, 0, 0, 3, 1, 0, 0, 2, 2, 0, 1);
  const [rows, width, topK, bins] = [4, 3, 2, 5];
  const columns = RowColumns.ofRows(rows, TEMPERATURES.length);
  const pairs = new LogitPairs({ width, temperatures: TEMPERATURES, topK, bins, plain: false }, columns);
  for (const [at, label] of [0, 1, 2, 2].entries())
    pairs.observe({ teacher, student, from: at * width, label, at, sample: at });
  const numbers = { places: undefined, perSample: 1 };
  const sums = pairs.result();
  return {
    kind: 'classes',
    classes: width,
    bins,
    fidelity: fidelityResult(columns, sums, TEMPERATURES, topK),
    labelled: labelledResult(columns, sums, { bins, topK, width, numbers }) as LabelledResult,
    losses: [],
  };
}

const COST = {
  sizeBytes: 1000,
  parameters: 200,
  latency: { p50Ms: 2, p95Ms: 3, runs: 20 },
};

function report(name: string, students: readonly Partial<DistillStudent>[] = [{}]): DistillReport {
  return {
    schemaVersion: 2,
    version: '0.1.0',
    command: 'distill',
    teacher: { name, quality: 1, cost: { ...COST, sizeBytes: 3000 } },
    students: students.map((given, i) => ({
      name: `${name}${i}`,
      rank: i + 1,
      pareto: i === 0,
      quality: { name: 'top-1 accuracy', value: 0.75, higherIsBetter: true },
      evaluation: classes(),
      features: [],
      cost: COST,
      ...given,
    })),
    data: { name, samples: 4, labelled: true },
    settings: {
      temperatures: TEMPERATURES,
      alphas: [0.5],
      conventions: [],
      bins: 5,
      topK: 2,
      resamples: 0,
      seed: 0,
    },
    explanation: `output "${name}" has scores`,
    notes: [],
    warnings: [],
  };
}

function drawing(page: ReadElement, label: string): ReadElement {
  const found = elementsNamed(page, 'svg').find(({ attributes }) => attributes.get('aria-label') === label);
  if (!found) throw new Error(`no drawing "${label}"`);
  return found;
}

const texts = (element: ReadElement): readonly string[] => elementsNamed(element, 'text').map(textOf);

describe('the page of distill', () => {
  // The side of a label in the plot depends on how long its name is.
  const skeleton = (page: ReadElement) => skeletonOf(page).map((element) => element.replace(' text-anchor', ''));
  const harmless = skeleton(checkPage(distillHtml(report('harmless'))));

  it.each(HOSTILE_NAMES)('is inert with %j', (name) => {
    const page = checkPage(distillHtml(report(name)));
    expect(skeleton(page)).toEqual(harmless);
    expect(textOf(page)).toContain(safeText(name));
  });

  it('draws what the student confuses, and what it confuses more than the teacher', () => {
    const page = checkPage(distillHtml(report('net.onnx')));
    const own = drawing(page, 'Confusions of the student');
    const change = drawing(page, 'Confusions, student less teacher');
    const axes = ['label', 'predicted', '0', '0', '1', '1', '2', '2'];
    expect(texts(own)).toEqual([...axes, '1', '1', '1', '1']);
    expect(texts(change)).toEqual([...axes, '+1', '−1']);
    const strongest = allElements(change).filter(({ attributes }) => /\bh7\b/.test(attributes.get('class') ?? ''));
    expect(strongest).toHaveLength(2);
    expect(elementsNamed(change, 'title').map(textOf)).toContain('label 2, predicted 0: teacher 0, student 1');
  });

  it('has a tick at each temperature that has room, the last one always', () => {
    const loss = drawing(checkPage(distillHtml(report('net.onnx'))), 'Loss by temperature');
    expect(texts(loss)).toEqual(expect.arrayContaining(['1', '2', '20', '100']));
    const crowded = report('net.onnx');
    const [first] = crowded.students;
    const evaluation = first?.evaluation as ClassesResult;
    const [heat] = evaluation.fidelity.temperatures;
    const temperatures = Array.from({ length: 60 }, (_, i) => ({ ...(heat as object), temperature: 1 + i / 8 }));
    Object.assign(evaluation.fidelity, { temperatures });
    const ticks = texts(drawing(checkPage(distillHtml(crowded)), 'Loss by temperature'));
    expect(ticks).toContain('8.375');
    expect(ticks.length).toBeLessThan(25);
  });

  it('ranks several students and sets one beside its teacher', () => {
    const columns = (given: DistillReport): readonly string[] =>
      elementsNamed(elementsNamed(checkPage(distillHtml(given)), 'thead')[0] as ReadElement, 'th').map(textOf);
    const figures = ['Top-1 accuracy', 'Agreement', 'KL', 'ECE', 'Size', 'P50'];
    expect(columns(report('net.onnx'))).toEqual(['Model', ...figures]);
    expect(columns(report('net.onnx', [{}, {}]))).toEqual(['Model', '#', ...figures, 'Front']);
  });

  it('has no drawing of sizes where logits were given', () => {
    const given = report('logits', [{ cost: undefined as never }]);
    const page = checkPage(distillHtml({ ...given, teacher: { name: 'logits', quality: 1 } }));
    expect(drawingsOf(page)).not.toContain('Quality over size');
  });
});

describe('the ranking', () => {
  it('has no column that no model has a figure for', () => {
    const errors = { n: 8, rmse: 0.1, mae: 0.1, mse: 0.01, maxAbs: 0.3, r2: 0.98, correlation: 0.99 };
    const given = report('net.onnx', [
      {
        quality: { name: 'RMSE against the teacher', value: 0.1, higherIsBetter: false },
        evaluation: { kind: 'regression', fidelity: errors } as unknown as DistillStudent['evaluation'],
        cost: undefined as never,
      },
    ]);
    const bare = { ...given, teacher: { name: 'net.onnx' } };
    expect(rankingOf(bare)).toMatchObject({ titles: ['RMSE against the teacher', 'R² to teacher'], isOrder: false });
    expect(distillMarkdown(bare, 60_000)).toContain('| Fidelity | student |  |');
  });

  it('does not repeat the agreement that students are ranked by', () => {
    const quality = { name: 'agreement', value: 0.9, higherIsBetter: true };
    expect(rankingOf(report('net.onnx', [{ quality }])).titles.filter((title) => title === 'agreement')).toHaveLength(
      1,
    );
  });
});
