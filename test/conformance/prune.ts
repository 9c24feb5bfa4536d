/** Cutting equals zeroing what consumes the cut indices: random networks, raw and fused, and the models of a folder by every share. */
import { relative } from 'node:path';
import type { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { optimizeGraph } from '../../src/passes/optimize-graph.js';
import { findDependencies } from '../../src/prune/dependency-groups.js';
import { channelGraph } from '../helpers/channel-graphs/channel-graph.js';
import { compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';
import type { FeedTensor } from '../helpers/random-feeds.js';
import { seededFeeds } from '../helpers/seeded-feeds.js';
import { messageOf, modelFiles, Suite } from './suite.js';

/** Each of them as it is and as `optimize --operators ort` makes it. */
const GRAPHS = 600;
const AMOUNTS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

export async function pruneSuites(folders: readonly string[]): Promise<Suite[]> {
  const runtime = await FuzzRuntime.load();
  const suites = [await randomSuite(runtime)];
  for (const folder of folders) suites.push(await modelsSuite(folder, runtime));
  return suites;
}

async function randomSuite(runtime: FuzzRuntime): Promise<Suite> {
  const suite = new Suite('random networks cut');
  let cut = 0;
  for (let seed = 1; seed <= GRAPHS; seed++)
    for (const form of ['raw', 'fused'] as const) {
      const { text, feeds, coarse } = channelGraph(seed);
      try {
        const model = parseModel(text);
        if (form === 'fused') await optimizeGraph(model, { level: 'max', operators: 'ort' });
        const amounts = [AMOUNTS[seed % AMOUNTS.length] ?? 0.5];
        const groups = await judge(model, feeds, amounts, coarse ? 2e-3 : 1e-5, runtime);
        if (groups > 0) cut++;
        suite.pass();
      } catch (error) {
        suite.fail(`seed ${seed}, ${form}`, messageOf(error));
      }
    }
  suite.close(`, something to cut in ${cut}`);
  return suite;
}

async function modelsSuite(folder: string, runtime: FuzzRuntime): Promise<Suite> {
  const suite = new Suite(`models of ${folder} cut`);
  for (const path of modelFiles(folder)) {
    try {
      const model = await readModel(path);
      try {
        if (findDependencies(model.clone()).groups.length === 0) {
          suite.skip(`${relative(folder, path)} has no axis that can be cut`);
          continue;
        }
        await judge(model, seededFeeds(model), AMOUNTS, 1e-5, runtime);
        suite.pass();
      } finally {
        model.source?.close();
      }
    } catch (error) {
      suite.fail(relative(folder, path), messageOf(error));
    }
  }
  suite.close();
  return suite;
}

/** @returns how many groups there are @throws Error where outputs differ by more than the limit and more than the model rounds */
async function judge(
  model: Model,
  feeds: ReadonlyMap<string, FeedTensor>,
  amounts: readonly number[],
  limit: number,
  runtime: FuzzRuntime,
): Promise<number> {
  let found = 0;
  for (const [seed, amount] of amounts.entries()) {
    const { relative: difference, rounding, groups } = await compareCut(model, { amount, seed, feeds }, runtime);
    found = groups;
    if (difference > Math.max(limit, rounding))
      throw new Error(`outputs differ by ${difference.toExponential(1)} with ${amount} cut`);
  }
  return found;
}
