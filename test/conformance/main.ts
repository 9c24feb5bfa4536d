/**
 * The long suites: `npm run conformance -- [--only PART]… [FOLDER…]`. Without a folder, that of models is taken
 * (test/helpers/models-folder.ts); parts are `PARTS` below, and all of them by default.
 *
 * Round trip: every .onnx in the folders given, and those of the onnx package, through every way of writing.
 * Quantization: models that have samples (`calib*.npz`) beside them, in every mode, through the command line.
 * Inference: types and shapes beside onnx's own.
 * Folding: onnx's node cases with constants for inputs, by our kernels alone and by the whole of `optimize`.
 * Optimize: every model of the onnx package, before/after cases in the folders given, node counts of known models.
 * Pruning: random networks and the models of the folders, cut and compared with what does not see what is cut.
 * Weights of 4 bits: GPTQ beside round-to-nearest, on held-out samples, in every product of transformers.
 * Checkpoints: for vLLM, decoded by compressed-tensors, loaded and run by transformers.
 * KServe: the InferenceServices of packages, in the models of its Python package.
 * Ends with `N passed, N failed`; exit code 1 when something failed. What cannot be run is a failure, not left out.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { FragmentEvaluator } from '../../src/workflows/optimize/constant-evaluator.js';
import { modelsFolder } from '../helpers/models-folder.js';
import { caseFolders, casesSuite } from './cases.js';
import { checkpointSuite } from './checkpoint.js';
import { decoderSuite } from './decoder-bits.js';
import { foldedCasesSuite } from './folded-cases.js';
import { foldingSuite } from './folding.js';
import { inferenceSuite } from './inference.js';
import type { Tools } from './judge-optimized.js';
import { kserveSuite } from './kserve.js';
import { ModelRuns } from './model-runs.js';
import { nodeBarsSuite } from './node-bars.js';
import { OnnxChecker } from './onnx-checker.js';
import { type OnnxPackage, onnxPackage } from './onnx-package.js';
import { optimizeSuite } from './optimize.js';
import { pruneSuites } from './prune.js';
import { quantizationSuite } from './quantization.js';
import { checkRoundTrip } from './round-trip.js';
import { messageOf, modelFiles, print, Suite } from './suite.js';
import { gptqSuite } from './weight-bits.js';

async function roundTripSuite(folder: string): Promise<Suite> {
  const suite = new Suite(`round trip of ${folder}`);
  let texts = 0;
  for (const path of modelFiles(folder)) {
    try {
      const { failures, textTried } = await checkRoundTrip(path);
      if (textTried) texts++;
      if (failures.length === 0) suite.pass();
      else suite.fail(relative(folder, path), failures.join('; '));
    } catch (error) {
      suite.fail(relative(folder, path), messageOf(error));
    }
  }
  suite.close(` (${texts} of them also as text)`);
  return suite;
}

/** What takes ONNX Runtime, a checker and a place for results. */
async function optimizeSuites(
  root: string,
  onnx: OnnxPackage | undefined,
  folders: readonly string[],
): Promise<Suite[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-conformance-'));
  const runs = new ModelRuns();
  const evaluator = new FragmentEvaluator(runs.runtime);
  const checker = onnx ? new OnnxChecker(root, onnx) : undefined;
  const tools: Tools = { runs, evaluate: evaluator.evaluate, checker, scratch };
  const suites: (Suite | undefined)[] = [];
  try {
    if (onnx) {
      suites.push(await foldedCasesSuite(onnx.testData, tools), await optimizeSuite(onnx.testData, tools));
      suites.push(await nodeBarsSuite(root, onnx.testData, tools, false));
    }
    for (const folder of folders) {
      for (const cases of caseFolders(folder)) suites.push(await casesSuite(cases, tools));
      suites.push(await nodeBarsSuite(root, folder, tools, true));
    }
  } finally {
    checker?.close();
    await evaluator.close();
    await runs.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  return suites.filter((suite) => suite !== undefined);
}

/** What `--only` chooses. */
const PARTS = [
  'round-trip',
  'inference',
  'folding',
  'quantization',
  'weight-bits',
  'optimize',
  'prune',
  'checkpoints',
  'decoder',
  'kserve',
] as const;

async function main(root: string, compiled: string, words: readonly string[]): Promise<void> {
  const { values, positionals: given } = parseArgs({
    args: [...words],
    options: { only: { type: 'string', multiple: true, default: [...PARTS] } },
    allowPositionals: true,
  });
  const unknown = values.only.find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) throw new Error(`no part ${unknown}; there are ${PARTS.join(', ')}`);
  const runs = (part: (typeof PARTS)[number]): boolean => values.only.includes(part);
  const models = given.length === 0 ? modelsFolder(root) : undefined;
  const folders = models === undefined ? given : [models];
  if (folders.length === 0) print('No folder of models is given, and there is none where one would be looked for.');
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const suites: Suite[] = [];
  const onnx = onnxPackage(cache);
  if (typeof onnx === 'string') {
    const suite = new Suite('models of the onnx package');
    suite.fail('the package', onnx);
    suite.close();
    suites.push(suite);
  } else {
    if (runs('round-trip')) suites.push(await roundTripSuite(onnx.testData));
    if (runs('inference')) suites.push(inferenceSuite(root, cache, compiled, onnx));
    if (runs('folding')) suites.push(await foldingSuite(onnx.testData));
  }
  for (const folder of folders) {
    if (runs('round-trip')) suites.push(await roundTripSuite(folder));
    const suite = runs('quantization') ? await quantizationSuite(root, folder) : undefined;
    if (suite) suites.push(suite);
    if (runs('weight-bits')) suites.push(await gptqSuite(folder));
  }
  if (runs('optimize'))
    suites.push(...(await optimizeSuites(root, typeof onnx === 'string' ? undefined : onnx, folders)));
  if (runs('prune')) suites.push(...(await pruneSuites(folders)));
  if (runs('checkpoints')) suites.push(await checkpointSuite(root));
  if (runs('decoder')) suites.push(await decoderSuite(root));
  if (runs('kserve')) suites.push(kserveSuite(root, cache));
  const total = (pick: (suite: Suite) => number): number => suites.reduce((sum, suite) => sum + pick(suite), 0);
  print('');
  print(`${total((suite) => suite.passed)} passed, ${total((suite) => suite.failed)} failed`);
  process.exitCode = total((suite) => suite.failed) === 0 ? 0 : 1;
}

const [root = '.', compiled = '.', ...words] = process.argv.slice(2);
await main(root, compiled, words);
