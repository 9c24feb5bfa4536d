import { afterAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { constantTensor } from '../../../src/ir/walk.js';
import { LazyRuntime } from '../../../src/runtime/lazy-runtime.js';
import { createRandom } from '../../../src/tensor/random.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { checkCut } from '../../../src/workflows/prune/check-cut.js';
import { planCut } from '../../../src/workflows/prune/cut-plan.js';
import { finishCut } from '../../../src/workflows/prune/structured.js';
import { Stages } from '../../../src/workflows/stages.js';

const runtime = new LazyRuntime();
afterAll(() => runtime.close());

const random = createRandom(7);

function weight(name: string, ...dims: readonly number[]): string {
  const numbers = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (random.float() - 0.5).toFixed(3));
  return `float[${dims.join(',')}] ${name} = {${numbers.join(',')}}`;
}

/** A network that gives zeros alone: nothing passes its second ReLU. */
async function deadCut() {
  const never = `float[16] never = {${Array(16).fill(-100).join(',')}}`;
  const constants = [weight('a', 6, 16), weight('b', 16, 16), weight('c', 16, 16), weight('d', 16, 4), never];
  const model = parseModel(`<ir_version: 8, opset_import: ["": 17]>
    g (float[N,6] x) => (float[N,4] y) <${constants.join(', ')}> {
      p = MatMul (x, a) q = Relu (p)
      r = MatMul (q, b) rb = Add (r, never) s = Relu (rb)
      t = MatMul (s, c) u = Relu (t)
      y = MatMul (u, d)
    }`);
  const plan = await planCut(model, { align: 1 }, undefined);
  const units = plan.scored.flatMap(({ group }) => group.units.slice(0, 4));
  return finishCut(plan, units, 0.25);
}

const source = { kind: 'seeded', seed: 0, count: 4 } as const;

describe('checkCut', () => {
  it('names groups of which zeros alone are read, and sees them even so', async () => {
    const cut = await deadCut();
    const report = await checkCut(cut, source, runtime, {}, new Stages({}));
    expect(report).toMatchObject({ dead: ['r', 't'] });
    expect(report).not.toHaveProperty('unseen');
  });

  it.each(['t', 'y'])('notices a cut of %s that is wrong although both networks give zeros', async (layer) => {
    const cut = await deadCut();
    const node = [...cut.model.graph.nodes].find((each) => each.outputs[0]?.name === layer);
    const value = node?.input(1);
    const tensor = constantTensor(value);
    if (!value || !tensor) throw new Error('there is no weight');
    // The rows of the units in another order: another unit was cut than is said.
    const numbers = [...new Float32Array(tensor.bytes().slice().buffer)];
    const [, columns = 1] = tensor.dims;
    const turned = [...numbers.slice(columns), ...numbers.slice(0, columns)];
    value.tensor = Tensor.float32(Float32Array.from(turned), [...tensor.dims]);
    await expect(checkCut(cut, source, runtime, {}, new Stages({}))).rejects.toMatchObject({ code: 'SO9001' });
  });
});
