import { describe, expect, it } from 'vitest';
import type { ServeOptError } from '../../../src/errors.js';
import { Model } from '../../../src/ir/model.js';
import type { LatencyTarget } from '../../../src/workflows/options.js';
import { searchLatency } from '../../../src/workflows/prune/latency/search-latency.js';
import { Stages } from '../../../src/workflows/stages.js';

/** A machine on which a model without a share `amount` takes `curve(amount)` of its time, in steps of `grain`. */
function search(curve: (amount: number) => number, target: LatencyTarget, grain = 1 / 256, most = 1) {
  let now = 0;
  const searched = {
    most,
    grain,
    choose: (amount: number) => amount,
    amountOf: (amount: number) => amount,
    build: async (amount: number) => {
      now = amount;
      return new Model();
    },
    time: async () => ({ ratio: curve(now), originalMs: 20 }),
    limit: 'with all gone',
  };
  return searchLatency(searched, target, new Stages({}));
}

async function failure(call: Promise<unknown>): Promise<ServeOptError> {
  return call.then(
    () => {
      throw new Error('it was found');
    },
    (error: unknown) => error as ServeOptError,
  );
}

describe('searchLatency', () => {
  it.each([
    ['straight', (amount: number) => 1 - 0.8 * amount],
    ['steep at first', (amount: number) => 1 / (1 + 4 * amount)],
    ['flat at first', (amount: number) => 1 - 0.9 * amount ** 3],
    ['slower than before cleaning', (amount: number) => 1.1 - amount],
  ] as const)('comes within 5 %% of the target on a curve that is %s', async (_, curve) => {
    for (const speedUp of [1.2, 1.5, 2, 3]) {
      const { choice, attempts, targetSpeedUp } = await search(curve, { speedUp });
      expect(targetSpeedUp).toBe(speedUp);
      expect(Math.abs(1 / curve(choice) / speedUp - 1)).toBeLessThan(0.05);
      expect(attempts.length).toBeLessThanOrEqual(9);
    }
  });

  it('reads a time as a speed-up over what the original takes here', async () => {
    const { choice } = await search((amount) => 1 - 0.8 * amount, { ms: 10 });
    expect(Math.abs((1 - 0.8 * choice) * 20 - 10)).toBeLessThan(0.5);
  });

  it('counts blocks as whole numbers', async () => {
    const { choice } = await search((blocks) => 1 - blocks / 16, { speedUp: 1.5 }, 1, 12);
    expect(choice).toBe(5);
  });

  it('says how fast it gets where that is not enough', async () => {
    const error = await failure(search((amount) => 1 - 0.2 * amount, { speedUp: 2 }));
    expect(error).toMatchObject({ code: 'SO7005', exitCode: 4 });
    expect(error.message).toContain('2.00x cannot be reached');
    expect(error.why).toContain('with all gone, it is 1.25x as fast');
    expect(error.hint).toContain('--target-latency 1.25x');
  });

  it('says so where widths go in steps that leave the target out', async () => {
    const error = await failure(search((amount) => (amount > 0.5 ? 0.2 : 0.9), { speedUp: 2 }));
    expect(error).toMatchObject({ code: 'SO7005' });
    expect(error.why).toContain('widths go in steps here');
  });

  it('has nothing to do where the model is as fast already', async () => {
    expect(await failure(search((amount) => 1 - amount, { ms: 25 }))).toMatchObject({ code: 'SO3101' });
  });
});
