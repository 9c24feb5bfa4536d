/** Looking for wrong rewrites with no time left, and of passes whose rounding adds up. Nothing is run: the interface tells. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { tensorType } from '../../../src/ir/type.js';
import { takeOver } from '../../../src/passes/nodes.js';
import type { PresetRow } from '../../../src/passes/presets.js';
import { type RepairContext, type Repaired, repair } from '../../../src/workflows/optimize/bisect.js';
import { interfaceOf } from '../../../src/workflows/optimize/interface-check.js';
import { Pipeline } from '../../../src/workflows/optimize/pipeline.js';
import { Verifier } from '../../../src/workflows/optimize/verifier.js';
import { Stages } from '../../../src/workflows/stages.js';
import { ownPass } from '../own-passes.js';

const RELUS = 64;

/** Relus named r0 to r63. */
const TEXT = `<ir_version: 8, opset_import: ["" : 17]> g (float[N] x) => (float[N] y) {
  ${Array.from({ length: RELUS }, (_, i) => `[r${i}] v${i} = Relu (${i === 0 ? 'x' : `v${i - 1}`})`).join(' ')}
  y = Neg (v${RELUS - 1})
}`;

/** Turns each Relu into an Abs, and from number `from` on makes the interface another one with it. */
const abs = (from: number): PresetRow =>
  ownPass(
    'relu-is-abs',
    (node) => {
      const [output] = node.graph.model.graph.outputs;
      if (Number(node.name.slice(1)) >= from && output) output.type = tensorType(1, ['M']);
      return takeOver(node, { opType: 'Abs', inputs: [node.input(0)] });
    },
    { numerics: 'reassociates' },
  );

describe('the search for wrong rewrites', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'serve-opt-repair-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function repaired(from: number, more: Partial<RepairContext>): Promise<Repaired> {
    const model = parseModel(TEXT);
    const pipeline = new Pipeline(model, [abs(from)], {}, join(folder, 'out.onnx'), undefined);
    const verifier = new Verifier(model, interfaceOf(model), undefined);
    const failed = await pipeline.run();
    const verdict = { wrong: 'its output 1 is another', depth: 'structure' as const };
    const context = {
      pipeline,
      verifier,
      stages: new Stages({}),
      isExact: () => false,
      isRounding: () => true,
      ...more,
    };
    return repair(context, failed, verdict);
  }

  it('keeps what is known to be right when its time is over', async () => {
    const { optimized, kept, dropped } = await repaired(41, { searchMs: 0 });
    expect(kept).toEqual({ first: 40, of: RELUS });
    expect(optimized?.outcome.applied).toHaveLength(40);
    expect(dropped).toEqual([]);
  });

  it('keeps the changes of a pass up to where its rounding adds up to too much', async () => {
    const { optimized, kept, dropped } = await repaired(41, {});
    expect(kept).toBeUndefined();
    expect(dropped.map(({ node }) => node)).toEqual(['r41', 'r42', 'r43']);
    expect(dropped.at(-1)?.reason).toContain('its later rewrites were left out, too');
    expect(optimized?.outcome.applied).toHaveLength(41);
  });

  it('leaves a pass out whole that is wrong in many places for other reasons', async () => {
    const { optimized, dropped } = await repaired(41, { isRounding: () => false });
    expect(dropped.map(({ node }) => node)).toEqual(['r41', 'r42', undefined]);
    expect(optimized?.outcome.applied).toEqual([]);
  });
});
