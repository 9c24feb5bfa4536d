import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ServeOptError } from '../../../src/errors.js';
import { parseModelBytes, readModel } from '../../../src/ir/read-model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { printModel } from '../../../src/ir/text/print-model.js';
import { modelBytes } from '../../../src/ir/write-model.js';
import { PRUNE_STRUCTURED_DEFAULTS, pruneStructured } from '../../../src/passes/prune/prune-structured.js';
import { dependencyGroups } from '../../../src/prune/dependency-view.js';
import { explainDependencies } from '../../../src/prune/explain-dependencies.js';
import { runModel } from '../../helpers/run-model.js';

/** Two layers; the neurons between them have rows of norms 4, 1, 3 and 2. */
const MLP = `<ir_version: 10, opset_import: ["": 17]> g (float[N,2] x) => (float[N,3] y)
  <float[2,4] w = {4,0,3,0, 0,1,0,2}, float[4] b = {0,0,0,0}, float[4,3] v = {1,2,3,4,5,6,7,8,9,10,11,12}>
  { a = MatMul (x, w) c = Add (a, b) d = Relu (c) y = MatMul (d, v) }`;

function code(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ServeOptError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

describe('dependencyGroups', () => {
  it('shows every axis that shrinks with a group, and which indices of each belong to a unit', () => {
    const [group, ...others] = dependencyGroups(parseModel(MLP));
    expect(others).toEqual([]);
    expect(group?.kind).toBe('neurons');
    const axes = Object.fromEntries(group?.axes.map(({ tensor, ...rest }) => [tensor, rest]) ?? []);
    expect(axes.w).toMatchObject({
      isConstant: true,
      axis: 1,
      size: 4,
      readers: [{ operator: 'MatMul', role: 'produces' }],
    });
    expect(axes.v).toMatchObject({
      isConstant: true,
      axis: 0,
      size: 4,
      readers: [{ operator: 'MatMul', role: 'consumes' }],
    });
    expect(axes.b?.isConstant).toBe(true);
    expect(axes.d).toMatchObject({ isConstant: false, axis: 1, readers: [] });
    expect(group?.units.map((unit) => unit.map((indices) => indices[0]))).toEqual(
      [0, 1, 2, 3].map((unit) => group?.axes.map(() => unit)),
    );
  });

  it('lists as many lists of indices for a unit as the group has axes, each within its axis', async () => {
    await using model = await readModel(join(import.meta.dirname, '../../../fixtures/kws-dscnn/model.onnx'));
    const groups = dependencyGroups(model);
    expect(groups.length).toBeGreaterThan(0);
    for (const { units, axes } of groups)
      for (const unit of units) {
        expect(unit).toHaveLength(axes.length);
        for (const [at, indices] of unit.entries())
          for (const index of indices) expect(index).toBeLessThan(axes[at]?.size ?? 0);
      }
  });
});

describe('explainDependencies', () => {
  it('says of each axis of each weight how much may be cut, and why the rest stays', () => {
    const axes = explainDependencies(parseModel(MLP)).map(({ weight, axis, prunable, reasons }) => ({
      key: `${weight}[${axis}]`,
      prunable,
      reason: reasons[0],
    }));
    expect(axes).toEqual([
      { key: 'w[0]', prunable: 0, reason: expect.stringContaining('graph input "x"') },
      { key: 'w[1]', prunable: 4, reason: undefined },
      { key: 'b[0]', prunable: 4, reason: undefined },
      { key: 'v[0]', prunable: 4, reason: undefined },
      { key: 'v[1]', prunable: 0, reason: expect.stringContaining('graph output "y"') },
    ]);
  });
});

describe('pruneStructured', () => {
  it('cuts the units of the smallest norms in place, and says which are left', () => {
    const model = parseModel(MLP);
    const [cut, ...others] = pruneStructured(model, { amount: 0.5, align: 1 });
    expect(others).toEqual([]);
    expect(cut?.kept).toEqual([0, 2]);
    const text = printModel(model);
    expect(text).toContain('float[2,2] w');
    expect(text).toContain('float[2,3] v');
  });

  it('goes by scores of the caller, where there are some', () => {
    const seen: string[] = [];
    const model = parseModel(MLP);
    const [cut] = pruneStructured(model, {
      amount: 1,
      align: 1,
      scoreGroup: ({ name, units }) => {
        seen.push(name);
        return units.map((_, unit) => (unit === 0 ? 0 : 1));
      },
    });
    expect(seen).toHaveLength(1);
    expect(cut?.kept).toEqual([1, 2, 3]);
  });

  it('gives a model that loads, runs and is smaller', async () => {
    const path = join(import.meta.dirname, '../../../fixtures/kws-dscnn/model.onnx');
    await using model = await readModel(path);
    const before = (await modelBytes(model)).length;
    const groups = pruneStructured(model, { amount: 0.5 });
    expect(groups.some(({ group, kept }) => kept.length < group.units.length)).toBe(true);
    const bytes = await modelBytes(model);
    expect(bytes.length).toBeLessThan(before / 2);
    const [scores] = await runModel(parseModelBytes(bytes));
    expect(scores?.every(Number.isFinite)).toBe(true);
  });

  it('refuses what means nothing', () => {
    const cut = (options: Parameters<typeof pruneStructured>[1]) =>
      code(() => pruneStructured(parseModel(MLP), options));
    expect(cut({ amount: 0 })).toBe('SO1006');
    expect(cut({ amount: 1.5 })).toBe('SO1006');
    expect(cut({ scoreGroup: () => [1, 2] })).toBe('SO1006');
    expect(cut({ scoreGroup: () => [1, 2, 3, Number.NaN] })).toBe('SO1006');
    expect(cut({ exclude: ['nobody'] })).toBe('SO1003');
    expect(cut({ kinds: ['heads'] })).toBe('SO3101');
    expect(cut({ amount: 0.01 })).toBe('SO3101');
    expect(PRUNE_STRUCTURED_DEFAULTS.amount).toBe(0.3);
  });
});
