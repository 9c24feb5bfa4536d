/**
 * Runs every file of test/passes/cases (`case-file.ts` says what is in one): the exact text comes out, a second run changes
 * nothing, and both graphs give equal outputs in ONNX Runtime as far as the pass promises. With UPDATE_CASES=1 the `after` part
 * is written anew.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import type { Transform } from '../../src/ir/transform.js';
import { verifyModel } from '../../src/ir/verify.js';
import { sumsIn16BitsHere } from '../../src/machine/dot-products.js';
import { PASSES } from '../../src/passes/registry.js';
import { outputDifference } from '../helpers/output-agreement.js';
import { runModel } from '../helpers/run-model.js';
import { skipWhere } from '../helpers/skip-where.js';
import { parsePassCase } from './case-file.js';

const FACTORIES = new Map(
  PASSES.map((pass) => [
    pass.definition.name,
    { numerics: pass.definition.numerics, make: pass as unknown as (options: object) => Transform },
  ]),
);

const FOLDER = join(import.meta.dirname, 'cases');
const UPDATE = process.env.UPDATE_CASES === '1';

/** What ONNX Runtime says of a model that it has no operators for. */
const UNKNOWN_TO_RUNTIME = /Could not find an implementation|No Op registered|is not a registered function\/op/;

describe.each(readdirSync(FOLDER))('%s', (name) => {
  const path = join(FOLDER, name);
  const one = parsePassCase(readFileSync(path, 'utf8'));
  const factory = FACTORIES.get(one.pass);
  if (!factory) throw new Error(`${name}: no pass "${one.pass}"`);
  let { after } = one;
  const outputsOf = (text: string) => runModel(parseModel(text), one.feeds, one.sizes);

  it(one.title, async () => {
    const model = parseModel(one.before);
    const report = await model.transform(factory.make(one.options));
    const text = printModel(model);
    if (UPDATE) {
      after = text;
      writeFileSync(path, `${one.head}--- before\n${one.before}--- after\n${text}`);
    } else expect(text).toBe(after);
    expect(report.steps[0]?.refusals.map(({ opType, reason }) => `${opType}: ${reason}`)).toEqual(one.refusals);
    expect(verifyModel(model)).toEqual([]);
    const second = await model.transform(factory.make(one.options));
    expect(printModel(model)).toBe(text);
    expect(second.steps[0]?.changed).toBe(0);
  });

  if (one.unchecked === undefined) {
    const saturates = one.pass === 'quantize-dynamic' && sumsIn16BitsHere() === true;
    skipWhere(saturates, 'INT8 products saturate on this CPU').it('gives equal outputs in ONNX Runtime', async () => {
      const before = await outputsOf(one.before);
      expect(outputDifference(before, await outputsOf(after), factory.numerics, one.sqnrDb)).toBeUndefined();
    });
  } else {
    it(`cannot be run in ONNX Runtime: ${one.unchecked}`, async () => {
      await expect(outputsOf(one.before), 'it runs: take the line "outputs: unchecked" out').rejects.toThrow(
        UNKNOWN_TO_RUNTIME,
      );
    });
  }
});
