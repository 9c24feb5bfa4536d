/**
 * The long suites: `npm run conformance -- [FOLDER…]`.
 *
 * Round trip: every .onnx in the folders given, and those of the onnx package, through every way of writing.
 * Quantization: models that have samples (`calib*.npz`) beside them, in every mode, through the command line.
 * Inference: types and shapes beside onnx's own.
 * Ends with `N passed, N failed`; exit code 1 when something failed.
 */
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inferenceSuite } from './inference.js';
import { onnxPackage } from './onnx-package.js';
import { quantizationSuite } from './quantization.js';
import { checkRoundTrip } from './round-trip.js';
import { messageOf, modelFiles, print, Suite } from './suite.js';

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

async function main(root: string, compiled: string, folders: readonly string[]): Promise<void> {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const suites: Suite[] = [];
  const onnx = onnxPackage(cache);
  if (typeof onnx === 'string') {
    const suite = new Suite('models of the onnx package');
    suite.skip(onnx);
    suites.push(suite);
  } else {
    suites.push(await roundTripSuite(onnx.testData));
    suites.push(inferenceSuite(root, cache, compiled, onnx));
  }
  for (const folder of folders) {
    suites.push(await roundTripSuite(folder));
    const suite = await quantizationSuite(root, folder);
    if (suite) suites.push(suite);
  }
  const total = (pick: (suite: Suite) => number): number => suites.reduce((sum, suite) => sum + pick(suite), 0);
  const skipped = total((suite) => suite.skipped);
  print('');
  if (skipped > 0) print(`${skipped} suites skipped, see above`);
  print(`${total((suite) => suite.passed)} passed, ${total((suite) => suite.failed)} failed`);
  process.exitCode = total((suite) => suite.failed) === 0 ? 0 : 1;
}

const [root = '.', compiled = '.', ...folders] = process.argv.slice(2);
await main(root, compiled, folders);
