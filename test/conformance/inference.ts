/** Types and shapes that we infer, beside those of ONNX's own inference. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { OnnxPackage } from './onnx-package.js';
import { print, Suite } from './suite.js';

/** Lets ONNX describe every model of its test data and runs infer.js on that; its counts are printed as they come. */
export function inferenceSuite(root: string, cache: string, compiled: string, onnx: OnnxPackage): Suite {
  const suite = new Suite('types and shapes beside onnx.shape_inference');
  const reference = join(cache, `onnx-types-${onnx.folder.split('-').at(-1)}.jsonl`);
  const dump = spawnSync(onnx.python, [join(root, 'scripts', 'dump-onnx-types.py'), reference, onnx.testData], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: onnx.folder },
  });
  if (dump.status !== 0) {
    suite.fail('the package', `onnx cannot be imported: ${dump.stderr.trim().split('\n').at(-1)}`);
    suite.close();
    return suite;
  }
  const result = spawnSync(process.execPath, [join(compiled, 'test', 'conformance', 'infer.js'), reference], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  print(result.stdout.trimEnd());
  if (result.status !== 0) suite.fail('infer.js', result.stderr.trim().split('\n').at(-1) ?? '');
  for (const line of result.stdout.split('\n')) {
    if (/^(inferred|declared) wrong: /.test(line)) suite.failed += Number(line.split(': ').at(-1));
    if (/^(inferred|declared) (same|stronger|weaker): /.test(line)) suite.passed += Number(line.split(': ').at(-1));
  }
  suite.close();
  return suite;
}
