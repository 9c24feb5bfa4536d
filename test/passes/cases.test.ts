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
 * `{"ranges": {"tensor": [min, max]}}`. A second run must change nothing. With UPDATE_CASES=1 the `after` part is written anew.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import type { Transform } from '../../src/ir/transform.js';
import { verifyModel } from '../../src/ir/verify.js';
import { eliminateIdentity } from '../../src/passes/eliminate/eliminate-identity.js';
import { foldAffineIntoConv } from '../../src/passes/fold/fold-affine-into-conv.js';
import { foldBatchNormalization } from '../../src/passes/fold/fold-batch-normalization.js';
import { foldConstantViews } from '../../src/passes/fold/fold-constant-views.js';
import { fuseHardSwish } from '../../src/passes/fuse/fuse-hard-swish.js';
import { quantizeDynamic } from '../../src/passes/quantize/quantize-dynamic.js';
import { quantizeStatic } from '../../src/passes/quantize/quantize-static.js';
import { initializersNotInputs } from '../../src/passes/rewrite/initializers-not-inputs.js';

const FACTORIES = [
  eliminateIdentity,
  foldAffineIntoConv,
  foldBatchNormalization,
  foldConstantViews,
  fuseHardSwish,
  initializersNotInputs,
  quantizeDynamic,
  quantizeStatic,
];
const PASSES: ReadonlyMap<string, (options: object) => Transform> = new Map(
  FACTORIES.map((factory) => [factory.definition.name, factory as (options: object) => Transform]),
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
  };
}

describe.each(readdirSync(FOLDER).filter((name) => name.endsWith('.txt')))('%s', (name) => {
  const path = join(FOLDER, name);
  const one = parseCase(readFileSync(path, 'utf8'));
  const step = () => {
    const make = PASSES.get(one.pass);
    if (!make) throw new Error(`no pass "${one.pass}"`);
    return make(one.options);
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
});
