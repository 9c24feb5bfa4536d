/**
 * Cutting equals zeroing what consumes the cut indices, on random networks. The same ones on every run: `FC_SEED=<number>` takes
 * others, `PRUNE_RUNS=<number>` more or fewer, `PRUNE_ONLY=<number>` one, whose text is printed where it fails.
 */
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { optimizeGraph } from '../../src/passes/optimize-graph.js';
import { type ChannelGraph, channelGraph, LAYER_KINDS, layerGraph } from '../helpers/channel-graphs/channel-graph.js';
import { type CutComparison, compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';

const { FC_SEED = '1', PRUNE_RUNS = '40', PRUNE_ONLY } = process.env;
const RUNS = PRUNE_ONLY === undefined ? Number(PRUNE_RUNS) : 1;
const FIRST = PRUNE_ONLY === undefined ? (Number(FC_SEED) - 1) * RUNS + 1 : Number(PRUNE_ONLY);
const CHUNK = 20;
const AMOUNTS = [0.1, 0.3, 0.5, 0.7, 0.9];

const runtime = await FuzzRuntime.load();

/** As it is, or as `optimize --operators ort` makes it: with the fused operators of ONNX Runtime. */
type Form = 'raw' | 'fused' | 'layer';

const cut = { raw: 0, fused: 0, layer: 0 };
/** Networks whose outputs say nothing of what was cut. */
const silent = { raw: 0, fused: 0, layer: 0 };

async function cutOf({ text, feeds }: ChannelGraph, seed: number, form: Form): Promise<CutComparison> {
  const model = parseModel(text);
  if (form === 'fused') await optimizeGraph(model, { level: 'max', operators: 'ort' });
  const amount = AMOUNTS[seed % AMOUNTS.length] ?? 0.5;
  return compareCut(model, { amount, seed, share: seed % 3 === 0 ? 0.6 : 1, feeds }, runtime);
}

async function failureOf(graph: ChannelGraph, seed: number, form: Form): Promise<string | undefined> {
  try {
    const { relative, rounding, groups, silent: isSilent } = await cutOf(graph, seed, form);
    if (groups > 0) cut[form]++;
    if (isSilent) silent[form]++;
    const limit = Math.max(graph.coarse ? 2e-3 : 1e-5, rounding);
    return relative <= limit ? undefined : `outputs differ by ${relative.toExponential(1)}`;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 500) : String(error);
  }
}

describe('cutting around one layer of each kind', () => {
  for (let first = 0; first < LAYER_KINDS; first += CHUNK)
    it(`equals zeroing the consumers of what is cut (kinds ${first} and on)`, async () => {
      const failures: string[] = [];
      for (let kind = first; kind < Math.min(first + CHUNK, LAYER_KINDS); kind++) {
        let met = 0;
        for (let seed = 1; seed <= 12 && met < 3; seed++) {
          const graph = layerGraph(kind, seed);
          if (graph === undefined) continue;
          met++;
          const failure = await failureOf(graph, seed, 'layer');
          if (failure !== undefined) failures.push(`kind ${kind}, seed ${seed}: ${failure}`);
        }
        if (met === 0) failures.push(`kind ${kind} fits no seed`);
      }
      expect(failures.join('\n')).toBe('');
    });
});

describe.each(['raw', 'fused'] as const)('cutting random networks, %s', (form) => {
  for (let first = FIRST; first < FIRST + RUNS; first += CHUNK) {
    const last = Math.min(first + CHUNK, FIRST + RUNS) - 1;
    it(`equals zeroing the consumers of what is cut (seeds ${first} to ${last})`, async () => {
      const failures: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const failure = await failureOf(channelGraph(seed), seed, form);
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

  it('finds outputs that say something in nearly all of them', () => {
    if (PRUNE_ONLY === undefined) expect(silent[form]).toBeLessThan(0.02 * RUNS);
  });
});
