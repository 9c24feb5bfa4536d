/**
 * Every file of test/passes/cases is one pass on one graph:
 *
 *     # The title, a sentence.
 *     pass: fold-batch-normalization
 *     options: {"exclude": ["head"]}
 *     refuses: BatchNormalization: "c" is also used elsewhere
 *     --- before
 *     (a model in ONNX text syntax)
 *     --- after
 *     (the exact text that comes out)
 *
 * `options` and `refuses` may be missing; `refuses` may come several times and then lists every refusal. Ranges in `options` are
 * `{"ranges": {"tensor": [min, max]}}`. A second run must change nothing, and both graphs must give equal outputs in ONNX
 * Runtime as far as the pass promises; `outputs: unchecked, because …` says why that cannot be tried. With UPDATE_CASES=1 the
 * `after` part is written anew.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import type { Transform } from '../../src/ir/transform.js';
import { verifyModel } from '../../src/ir/verify.js';
import type { Numerics } from '../../src/passes/pass.js';
import { PASSES } from '../../src/passes/registry.js';
import { runModel } from '../helpers/run-model.js';

const FACTORIES = new Map(
  PASSES.map((pass) => [
    pass.definition.name,
    { numerics: pass.definition.numerics, make: pass as unknown as (options: object) => Transform },
  ]),
);

const FOLDER = join(import.meta.dirname, 'cases');
const UPDATE = process.env.UPDATE_CASES === '1';

interface Case {
  readonly title: string;
  readonly pass: string;
  readonly options: object;
  readonly refusals: readonly string[];
  readonly before: string;
  readonly after: string;
  readonly head: string;
  readonly unchecked: boolean;
}

function parseCase(text: string): Case {
  const [head = '', rest = ''] = text.split('--- before\n');
  const [before = '', after = ''] = rest.split('--- after\n');
  const field = (name: string) =>
    head.split('\n').flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []));
  const options = JSON.parse(field('options')[0] ?? '{}') as { ranges?: Record<string, [number, number]> };
  const ranges = new Map(Object.entries(options.ranges ?? {}).map(([name, [min, max]]) => [name, { min, max }]));
  return {
    title: head.split('\n')[0]?.replace(/^# /, '') ?? '',
    pass: field('pass')[0] ?? '',
    options: options.ranges ? { ...options, ranges } : options,
    refusals: field('refuses'),
    before,
    after,
    head,
    unchecked: field('outputs')[0]?.startsWith('unchecked, because ') ?? false,
  };
}

describe.each(readdirSync(FOLDER).filter((name) => name.endsWith('.txt')))('%s', (name) => {
  const path = join(FOLDER, name);
  const one = parseCase(readFileSync(path, 'utf8'));
  const step = () => {
    const factory = FACTORIES.get(one.pass);
    if (!factory) throw new Error(`no pass "${one.pass}"`);
    return factory.make(one.options);
  };

  it(one.title, async () => {
    const model = parseModel(one.before);
    const report = await model.transform(step());
    const text = printModel(model);
    if (UPDATE) writeFileSync(path, `${one.head}--- before\n${one.before}--- after\n${text}`);
    else expect(text).toBe(one.after);
    expect(report.steps[0]?.refusals.map(({ opType, reason }) => `${opType}: ${reason}`)).toEqual(one.refusals);
    expect(verifyModel(model)).toEqual([]);
    const second = await model.transform(step());
    expect(printModel(model)).toBe(text);
    expect(second.steps[0]?.changed).toBe(0);
  });

  it.skipIf(one.unchecked)('gives equal outputs in ONNX Runtime', async () => {
    const numerics = FACTORIES.get(one.pass)?.numerics ?? 'exact';
    if (numerics === 'lossy') return;
    const before = await runModel(parseModel(one.before));
    const after = await runModel(parseModel(one.after));
    expect(after.length).toBe(before.length);
    for (const [index, values] of before.entries()) expectEqual(after[index] ?? [], values, numerics);
  });
});

function expectEqual(actual: readonly number[], expected: readonly number[], numerics: Numerics): void {
  expect(actual.length).toBe(expected.length);
  const far = expected.findIndex((value, index) => !isClose(actual[index] ?? Number.NaN, value, numerics));
  expect(far < 0 ? [] : [far, actual[far]]).toEqual(far < 0 ? [] : [far, expected[far]]);
}

function isClose(actual: number, expected: number, numerics: Numerics): boolean {
  if (Object.is(actual, expected)) return true;
  return numerics === 'reassociates' && Math.abs(actual - expected) <= 1e-5 + 1e-4 * Math.abs(expected);
}
