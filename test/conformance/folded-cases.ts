/** ONNX's node cases with constants for inputs, through the whole of `optimize`: what is left must be the expected output. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readModel } from '../../src/ir/read-model.js';
import { readTensorFile } from '../../src/ir/read-tensor-file.js';
import { verifyModel } from '../../src/ir/verify.js';
import { constantTensor } from '../../src/ir/walk.js';
import { optimizeGraph } from '../../src/passes/optimize-graph.js';
import { tensorDifference } from './folding.js';
import type { Tools } from './judge-optimized.js';
import { messageOf, Suite } from './suite.js';

/** Computed by ONNX Runtime, which does not follow the specification there. */
const RUNTIME_DIFFERS: ReadonlySet<string> = new Set([
  'test_maxunpool_export_with_output_shape',
  'test_resize_downsample_scales_cubic_align_corners',
  'test_resize_downsample_scales_linear_align_corners',
]);

type Verdict = { readonly kind: 'folded' | 'wrong' | 'left'; readonly why: string };

/**
 * A case whose outputs are not constants afterwards counts neither as passed nor as failed; it is told how many were left,
 * by the reason of the first node that is still there.
 */
export async function foldedCasesSuite(testData: string, tools: Tools): Promise<Suite> {
  const suite = new Suite('node cases folded by optimize');
  const nodes = join(testData, 'node');
  const left = new Map<string, number>();
  const count = (why: string): unknown => left.set(why, (left.get(why) ?? 0) + 1);
  for (const name of readdirSync(nodes).sort()) {
    const data = join(nodes, name, 'test_data_set_0');
    if (!existsSync(data)) continue;
    try {
      const { kind, why } = await foldWhole(join(nodes, name, 'model.onnx'), data, tools);
      if (kind === 'folded') suite.pass();
      else if (kind === 'wrong' && RUNTIME_DIFFERS.has(name)) count('ONNX Runtime computes it otherwise');
      else if (kind === 'wrong') suite.fail(name, why);
      else count(why);
    } catch (error) {
      suite.fail(name, messageOf(error));
    }
  }
  const reasons = [...left].sort((a, b) => b[1] - a[1]);
  const shown = reasons.slice(0, 12).map(([why, count]) => `${count} × ${why}`);
  suite.close(`, ${reasons.reduce((sum, [, count]) => sum + count, 0)} left as they were: ${shown.join('; ')}`);
  return suite;
}

async function foldWhole(path: string, data: string, { evaluate }: Tools): Promise<Verdict> {
  const model = await readModel(path);
  try {
    const { graph } = model;
    for (const [index, input] of graph.inputs.entries()) {
      const file = join(data, `input_${index}.pb`);
      if (!existsSync(file)) continue;
      if (input.type?.kind !== 'tensor') return { kind: 'left', why: `an input is a ${input.type?.kind}` };
      // A tensor that is also an input could be overridden.
      graph.removeInput(input);
      input.tensor = readTensorFile(file);
      graph.registerInitializer(input);
    }
    const { refusals } = await optimizeGraph(model, { level: 'max', growthBytes: Number.POSITIVE_INFINITY, evaluate });
    const [problem] = verifyModel(model);
    if (problem) return { kind: 'wrong', why: `unsound: ${problem.message}` };
    const constants = graph.outputs.map(constantTensor);
    for (const [index, ours] of constants.entries()) {
      const file = join(data, `output_${index}.pb`);
      if (!ours || !existsSync(file)) continue;
      const difference = tensorDifference(ours, readTensorFile(file), 1e-6);
      if (difference !== undefined) return { kind: 'wrong', why: `output ${index}: ${difference}` };
    }
    if (constants.every((tensor) => tensor !== undefined)) return { kind: 'folded', why: '' };
    const remaining = [...graph.nodes].find((node) => !node.is('Constant'));
    const told = refusals.find(({ pass }) => pass === 'fold-constants');
    return { kind: 'left', why: told ? `${told.opType}: ${told.reason}` : `${remaining?.opType}: nothing said` };
  } finally {
    model.source?.close();
  }
}
