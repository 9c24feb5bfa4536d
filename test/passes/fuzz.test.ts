/**
 * Random graphs through random passes: the result is sound, has the same interface, runs in ONNX Runtime, gives equal
 * outputs as far as the passes promise, and a second run changes nothing.
 *
 * The same graphs on every run. `FC_SEED=<number>` (or `random`) takes others, `FC_RUNS=<number>` more or fewer.
 */
import { describe, expect, it } from 'vitest';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';
import { explain, FUZZED_PASSES, FuzzSubject, recipesFor } from '../helpers/graph-fuzz.js';
import { randomGraph } from '../helpers/random-graph.js';

const { FC_SEED = '1', FC_RUNS = '1000' } = process.env;
const RUNS = Number(FC_RUNS);
const FIRST = FC_SEED === 'random' ? Math.floor(Math.random() * 2 ** 31) : (Number(FC_SEED) - 1) * RUNS + 1;
/** Graphs a test: failures of one do not hide those of the others. */
const CHUNK = 100;
/** Failures that are explained in full; the others are only named. */
const MOST_EXPLAINED = 3;

/** Passes for patterns of too many parts to come about by chance; text cases run them in ONNX Runtime. */
const NOT_BY_CHANCE: ReadonlySet<string> = new Set([
  'fuse-cache-into-attention',
  'fuse-heads-into-attention',
  'fuse-parallel-elementwise',
]);

const runtime = await FuzzRuntime.load();
const fired = new Map<string, number>();
let unusable = 0;

describe('optimized random graphs', () => {
  const chunks = Array.from({ length: Math.ceil(RUNS / CHUNK) }, (_, index) => FIRST + index * CHUNK);
  it.each(chunks)('are right from seed %i on', async (from) => {
    const texts: string[] = [];
    for (let seed = from; seed < Math.min(from + CHUNK, FIRST + RUNS); seed++) {
      const subject = await FuzzSubject.of(randomGraph(seed), seed, runtime).catch(() => undefined);
      if (!subject) unusable++;
      if (!subject) continue;
      for (const recipe of recipesFor(seed)) {
        const { outcome, fault } = await subject.check(recipe);
        for (const pass of new Set(outcome?.applied.map((applied) => applied.pass)))
          fired.set(pass, (fired.get(pass) ?? 0) + 1);
        if (!fault) continue;
        texts.push(
          texts.length < MOST_EXPLAINED
            ? await explain(seed, recipe, fault, runtime)
            : `seed ${seed}, ${recipe.name} (${recipe.operators}): ${fault.kind}: ${fault.what}`,
        );
        break;
      }
    }
    if (texts.length > 0) throw new Error(texts.join('\n\n'));
  });

  it('nearly all run in ONNX Runtime as they were made', () => {
    expect(unusable).toBeLessThanOrEqual(RUNS / 200);
  });

  it('give every pass something to do, but for those that only text cases can', () => {
    expect(FUZZED_PASSES.filter((name) => !fired.has(name) && !NOT_BY_CHANCE.has(name))).toEqual([]);
  });
});
