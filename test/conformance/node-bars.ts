/**
 * Real models against the fewest nodes that other optimizers make of them: of onnxslim and ONNX Runtime's basic level for
 * portable results, of its extended level for its own operators. The nets whose weights are computed are folded without
 * a limit of growth, as those tools do. Models beside them that have no bar are judged without one.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readModel } from '../../src/ir/read-model.js';
import { ALLOWED_OPERATORS, type AllowedOperators } from '../../src/passes/levels.js';
import { judgeOptimized, type Tools } from './judge-optimized.js';
import { modelFiles, print, Suite } from './suite.js';

interface Bar extends Partial<Readonly<Record<AllowedOperators, number>>> {
  /** The end of the path. */
  readonly model: string;
  readonly unlimited?: boolean;
}

/**
 * Undefined when the folder holds none of the models.
 *
 * @param others whether models without a bar are judged too
 */
export async function nodeBarsSuite(
  root: string,
  folder: string,
  tools: Tools,
  others: boolean,
): Promise<Suite | undefined> {
  const bars = JSON.parse(readFileSync(join(root, 'test', 'conformance', 'node-bars.json'), 'utf8')) as Bar[];
  const all = modelFiles(folder).map((path) => {
    const bar = bars.find(({ model }) => path.replaceAll('\\', '/').endsWith(`/${model}`));
    return { path, bar };
  });
  if (all.every(({ bar }) => bar === undefined)) return undefined;
  const found = others ? all : all.filter(({ bar }) => bar !== undefined);
  const suite = new Suite(`nodes of real models in ${folder}`);
  for (const { path, bar } of found) {
    const model = await readModel(path);
    const reference = await tools.runs.seeded(path, model, 1);
    model.source?.close();
    // Then nothing would be known of its outputs.
    if (typeof reference === 'string') suite.fail(relative(folder, path), `the original does not run: ${reference}`);
    for (const operators of ALLOWED_OPERATORS) {
      const growthBytes = bar?.unlimited ? Number.POSITIVE_INFINITY : 0;
      const options = { operators, growthBytes, ...(typeof reference === 'string' ? {} : { reference }) };
      const { failures, nodes, nodesBefore } = await judgeOptimized(path, options, tools);
      const most = bar?.[operators];
      const name = `${relative(folder, path)} (${operators})`;
      print(`${name}: ${nodesBefore} → ${nodes}${most === undefined ? '' : `, others ${most}`}`);
      const reasons = most !== undefined && nodes > most ? [...failures, `${nodes} nodes, others ${most}`] : failures;
      if (reasons.length === 0) suite.pass();
      else suite.fail(name, reasons.join('; '));
    }
  }
  suite.close();
  return suite;
}
