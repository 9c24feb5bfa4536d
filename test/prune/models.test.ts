/** Real models, cut by every share: the same function as the model that does not see what is cut. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';
import { modelsFolder } from '../helpers/models-folder.js';
import { seededFeeds } from '../helpers/seeded-feeds.js';
import { skipWhere } from '../helpers/skip-where.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AMOUNTS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const runtime = await FuzzRuntime.load();

async function worstOf(path: string, amounts: readonly number[]): Promise<{ worst: number; groups: number }> {
  const model = await readModel(path);
  try {
    const feeds = seededFeeds(model);
    let [worst, groups] = [0, 0];
    for (const [seed, amount] of amounts.entries()) {
      const comparison = await compareCut(model, { amount, seed, feeds }, runtime);
      // Where the very same model rounds by more, no less can be wanted.
      if (comparison.relative > comparison.rounding) worst = Math.max(worst, comparison.relative);
      groups = comparison.groups;
    }
    return { worst, groups };
  } finally {
    model.source?.close();
  }
}

describe('cutting a fixture', () => {
  for (const name of ['digits-mlp', 'kws-dscnn', 'ppocr-cls-mobile'])
    it(`leaves ${name} the function of the model that does not see what is cut, by any share`, async () => {
      const { worst, groups } = await worstOf(join(ROOT, 'fixtures', name, 'model.onnx'), AMOUNTS);
      expect(groups).toBeGreaterThan(0);
      expect(worst).toBeLessThan(1e-5);
    });
});

describe('cutting a shared model', () => {
  const folder = modelsFolder(ROOT);
  const { each } = skipWhere(folder === undefined, 'there is no folder of models');
  const paths = folder === undefined ? [] : modelsIn(folder);
  each(paths.length === 0 ? ['none'] : paths)(
    'leaves %s the function of the model that does not see what is cut, by any share',
    async (path) => {
      const { worst } = await worstOf(join(folder ?? '', path), AMOUNTS);
      expect(worst).toBeLessThan(1e-5);
    },
  );
});

/** Those with axes that can be cut: trees have none. */
function modelsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !existsSync(join(ROOT, 'fixtures', entry.name)))
    .flatMap((entry) => readdirSync(join(folder, entry.name)).map((file) => join(entry.name, file)))
    .filter((path) => path.endsWith('.onnx') && !path.startsWith('adult-gbm'))
    .sort();
}
