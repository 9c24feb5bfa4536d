/** What a largest drop means without labels: each output is held to the measure that it is judged by. */
import { describe, expect, it } from 'vitest';
import type { ComparisonResult, OutputDifference, OutputMeasure } from '../../src/evaluate/comparison.js';
import { proportion } from '../../src/evaluate/proportion.js';
import { judgeResult } from '../../src/gates/result-gates.js';
import { goalBudgets } from '../../src/gates/search-goals.js';

function output(name: string, kind: OutputMeasure['kind'], more: Partial<OutputDifference>): OutputDifference {
  return {
    name,
    dataTypeA: 'float',
    dataTypeB: 'float',
    elements: 1000,
    exactEqual: 0,
    shapeMismatches: 0,
    nonFinite: { a: 0, b: 0, lost: 0 },
    measure: { kind, because: 'of a test' },
    ...more,
  };
}

const comparisonOf = (...outputs: readonly OutputDifference[]): ComparisonResult => ({
  source: { kind: 'seeded', seed: 0 },
  samples: 10,
  outputs,
  unmatched: { a: [], b: [] },
  warnings: [],
});

/** `[metric, outputs, measured, verdict]` of each budget that a drop of 1 % comes to. */
function judged(...outputs: readonly OutputDifference[]) {
  const comparison = comparisonOf(...outputs);
  const cost = () => ({ macs: 0, uncounted: 0, sizes: [], parameters: 0 });
  const budgets = goalBudgets({ maxDrop: 0.01 }, { comparison });
  return judgeResult(budgets, { name: 'b', sizeBytes: 1, cost, comparison }).map(
    ({ metric, measured, verdict, why }, at) => ({ metric, of: budgets[at]?.outputs, measured, verdict, why }),
  );
}

/** Independent probabilities of which the largest changes all the time, and hardly any decision does. */
const SIGMOID = output('p', 'decisions', {
  sqnrDb: 30,
  top1Agreement: proportion(50, 100),
  sameDecisions: proportion(995, 1000),
});
const BOXES = output('boxes', 'values', { sqnrDb: 15 });

describe('a largest drop without labels', () => {
  it('is of decisions where probabilities are independent, and not of the largest', () => {
    expect(judged(SIGMOID)).toEqual([
      {
        metric: 'agreement',
        of: ['p'],
        measured: 0.995,
        verdict: 'pass',
        why: 'output "p" has the same side of 0.5 in 995 of 1,000 elements',
      },
    ]);
  });

  it('is of tokens where outputs are sequences: steps that read nothing do not count', () => {
    const sequences = { blank: 0, same: proportion(5, 10), tokens: 100, edits: 2 };
    const text = output('text', 'sequences', { sqnrDb: 30, top1Agreement: proportion(998, 1000), sequences });
    expect(judged(text)).toMatchObject([{ metric: 'agreement', measured: 0.98, verdict: 'fail' }]);
    expect(judged(text)[0]?.why).toContain('98 of 100 tokens');
  });

  it('is of noise for values, beside the predictions of other outputs', () => {
    expect(judged(SIGMOID, BOXES)).toMatchObject([
      { metric: 'agreement', of: ['p'], verdict: 'pass' },
      { metric: 'sqnr', of: ['boxes'], measured: 15, verdict: 'fail' },
    ]);
    // The noise of scores is no matter where they are judged by what they decide.
    const clean = { ...BOXES, sqnrDb: 60 };
    expect(judged({ ...SIGMOID, sqnrDb: 5 }, clean).map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
  });

  it('is of integers where there is nothing else, and of noise where nothing was compared', () => {
    const classes = output('class', 'answers', { exactEqual: 0.98 });
    expect(judged(classes)).toMatchObject([{ metric: 'agreement', measured: 0.98, verdict: 'fail' }]);
    expect(judged(classes, SIGMOID)).toMatchObject([{ of: ['p'], verdict: 'pass' }]);
    expect(judged({ ...BOXES, random: true })).toMatchObject([{ metric: 'sqnr', verdict: 'fail' }]);
  });
});
