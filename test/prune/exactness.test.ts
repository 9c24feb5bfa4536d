/**
 * Cutting equals zeroing what consumes the cut indices, on random networks. The same ones on every run: `FC_SEED=<number>` takes
 * others, `PRUNE_RUNS=<number>` more or fewer, `PRUNE_ONLY=<number>` one, whose text is printed where it fails.
 */
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { optimizeGraph } from '../../src/passes/optimize-graph.js';
import { channelGraph } from '../helpers/channel-graphs/channel-graph.js';
import { type CutComparison, compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';

const { FC_SEED = '1', PRUNE_RUNS = '60', PRUNE_ONLY } = process.env;
const RUNS = PRUNE_ONLY === undefined ? Number(PRUNE_RUNS) : 1;
const FIRST = PRUNE_ONLY === undefined ? (Number(FC_SEED) - 1) * RUNS + 1 : Number(PRUNE_ONLY);
const CHUNK = 20;
const AMOUNTS = [0.1, 0.3, 0.5, 0.7, 0.9];

const runtime = await FuzzRuntime.load();

/** As it is, or as `optimize --operators ort` makes it: with the fused operators of ONNX Runtime. */
type Form = 'raw' | 'fused';

const cut = { raw: 0, fused: 0 };

async function cutOf(seed: number, form: Form): Promise<CutComparison> {
  const { text, feeds } = channelGraph(seed);
  const model = parseModel(text);
  if (form === 'fused') await optimizeGraph(model, { level: 'max', operators: 'ort' });
  const amount = AMOUNTS[seed % AMOUNTS.length] ?? 0.5;
  return compareCut(model, { amount, seed, share: seed % 3 === 0 ? 0.6 : 1, feeds }, runtime);
}

async function failureOf(seed: number, form: Form): Promise<string | undefined> {
  const { coarse } = channelGraph(seed);
  try {
    const { relative, rounding, groups } = await cutOf(seed, form);
    if (groups > 0) cut[form]++;
    return relative <= Math.max(coarse ? 2e-3 : 1e-5, rounding)
      ? undefined
      : `outputs differ by ${relative.toExponential(1)}`;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 500) : String(error);
  }
}

describe.each(['raw', 'fused'] as const)('cutting random networks, %s', (form) => {
  for (let first = FIRST; first < FIRST + RUNS; first += CHUNK) {
    const last = Math.min(first + CHUNK, FIRST + RUNS) - 1;
    it(`equals zeroing the consumers of what is cut (seeds ${first} to ${last})`, async () => {
      const failures: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const failure = await failureOf(seed, form);
        if (failure === undefined) continue;
        failures.push(`seed ${seed}: ${failure}`);
        if (PRUNE_ONLY !== undefined) failures.push(channelGraph(seed).text);
      }
      expect(failures.join('\n')).toBe('');
    });
  }

  it('finds something to cut in nearly all of them', () => {
    if (PRUNE_ONLY === undefined) expect(cut[form]).toBeGreaterThan(0.85 * RUNS);
  });
});
