/**
 * Cutting equals zeroing what consumes the cut indices, on random networks. The same ones on every run: `FC_SEED=<number>` takes
 * others, `PRUNE_RUNS=<number>` more or fewer, `PRUNE_ONLY=<number>` one, whose text is printed where it fails.
 */
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { channelGraph } from '../helpers/channel-graphs/channel-graph.js';
import { type CutComparison, compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';

const { FC_SEED = '1', PRUNE_RUNS = '60', PRUNE_ONLY } = process.env;
const RUNS = PRUNE_ONLY === undefined ? Number(PRUNE_RUNS) : 1;
const FIRST = PRUNE_ONLY === undefined ? (Number(FC_SEED) - 1) * RUNS + 1 : Number(PRUNE_ONLY);
const CHUNK = 20;
const AMOUNTS = [0.1, 0.3, 0.5, 0.7, 0.9];

const runtime = await FuzzRuntime.load();

async function cutOf(seed: number, layers?: number): Promise<CutComparison> {
  const { text, feeds } = channelGraph(seed, layers);
  const amount = AMOUNTS[seed % AMOUNTS.length] ?? 0.5;
  return compareCut(parseModel(text), { amount, seed, share: seed % 3 === 0 ? 0.6 : 1, feeds }, runtime);
}

async function failureOf(seed: number): Promise<string | undefined> {
  const { coarse } = channelGraph(seed);
  try {
    const { relative, rounding } = await cutOf(seed);
    return relative <= Math.max(coarse ? 2e-3 : 1e-5, rounding) ? undefined : `outputs differ by ${relative.toExponential(1)}`;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 500) : String(error);
  }
}

describe('cutting random networks', () => {
  for (let first = FIRST; first < FIRST + RUNS; first += CHUNK) {
    const last = Math.min(first + CHUNK, FIRST + RUNS) - 1;
    it(`equals zeroing the consumers of what is cut (seeds ${first} to ${last})`, async () => {
      const failures: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const failure = await failureOf(seed);
        if (failure === undefined) continue;
        failures.push(`seed ${seed}: ${failure}`);
        if (PRUNE_ONLY !== undefined) failures.push(channelGraph(seed).text);
      }
      expect(failures.join('\n')).toBe('');
    });
  }
});
