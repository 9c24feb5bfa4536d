/** ONNX's own test models through the whole of `optimize`, for both sets of operators. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readModel } from '../../src/ir/read-model.js';
import { ALLOWED_OPERATORS } from '../../src/passes/levels.js';
import type { Feeds } from '../../src/samples/types.js';
import { judgeOptimized, type Tools } from './judge-optimized.js';
import { outputsDifference, type RunOutputs, testDataFeeds } from './model-runs.js';
import { modelFiles, Suite } from './suite.js';

/**
 * Every model of the folder: nothing throws, nothing that onnx's checker accepted is refused afterwards, the interface is
 * as it was, ONNX Runtime gives equal outputs wherever it runs the original, a second run changes no byte. A node case
 * and its twin, in which the operator is written out, still give equal outputs.
 */
export async function optimizeSuite(testData: string, tools: Tools): Promise<Suite> {
  const suite = new Suite('optimize on the models of the onnx package');
  const counts = { ran: 0, twins: 0, before: 0, after: 0 };
  const twins = new Map<string, { readonly before: RunOutputs; readonly after: RunOutputs }>();
  for (const path of modelFiles(testData)) {
    const name = relative(testData, dirname(path)) || relative(testData, path);
    const shown = name.startsWith('light') ? relative(testData, path) : name;
    const reference = await referenceOf(path, tools);
    if (reference) counts.ran++;
    for (const operators of ALLOWED_OPERATORS) {
      const options = { operators, growthBytes: 0, ...(reference ? { reference } : {}) };
      const { failures, nodesBefore, nodes, outputs } = await judgeOptimized(path, options, tools);
      if (failures.length === 0) suite.pass();
      else suite.fail(`${shown} (${operators})`, failures.join('; '));
      counts.before += nodesBefore;
      counts.after += nodes;
      const plain = `${name.replace(/_expanded.*$/, '')} ${operators}`;
      const twin = twins.get(plain);
      if (!reference || !outputs) continue;
      if (!name.includes('_expanded')) twins.set(plain, { before: reference.outputs, after: outputs });
      // Some twins disagree as they come.
      else if (twin && twinDifference(twin.before, reference.outputs) === undefined) {
        counts.twins++;
        const difference = twinDifference(twin.after, outputs);
        if (difference !== undefined) suite.fail(`${name} (${operators})`, `unlike its twin: ${difference}`);
      }
    }
  }
  suite.close(
    ` (${counts.ran} originals run here, ${counts.twins} twins compared, ${counts.before} → ${counts.after} nodes)`,
  );
  return suite;
}

/** Their outputs are drawn anew in each run. */
const RANDOM = /bernoulli|random|dropout|training/i;

/** Names of outputs are those of each case; their order is the same. */
function twinDifference(a: RunOutputs, b: RunOutputs): string | undefined {
  const values = [...b.values()];
  const renamed = new Map(
    [...a.keys()].flatMap((name, index) => (values[index] ? [[name, values[index]] as const] : [])),
  );
  return outputsDifference(a, renamed);
}

/** What the original gives: for the inputs of its case, or seeded ones. Undefined where it does not run, or not twice alike. */
async function referenceOf(path: string, { runs }: Tools): Promise<{ feeds: Feeds; outputs: RunOutputs } | undefined> {
  const model = await readModel(path);
  try {
    const data = join(dirname(path), 'test_data_set_0');
    if (!existsSync(data)) {
      const seeded = await runs.seeded(path, model, 1);
      return typeof seeded === 'string' ? undefined : seeded;
    }
    const feeds = testDataFeeds(data, model);
    if (typeof feeds === 'string') return undefined;
    const outputs = await runs.outputs(path, feeds);
    if (typeof outputs === 'string') return undefined;
    if (!RANDOM.test(path)) return { feeds, outputs };
    const again = await runs.outputs(path, feeds);
    const steady = typeof again !== 'string' && outputsDifference(outputs, again) === undefined;
    return steady ? { feeds, outputs } : undefined;
  } finally {
    model.source?.close();
  }
}
