/** InferenceServices that `package kubernetes --for kserve` writes, against the models of KServe's own package from PyPI. */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageKubernetesOptions } from '../../src/workflows/package/kubernetes/kubernetes-options.js';
import { packageOf } from '../helpers/kubernetes-cases.js';
import { print, Suite } from './suite.js';

const PACKAGES = ['kserve==0.21.0', 'kubernetes==33.1.0', 'six==1.17.0'];
/** What makes another InferenceService. */
const CASES: Readonly<Record<string, PackageKubernetesOptions>> = {
  plain: {},
  'an autoscaler on the queue': { replicas: '2:10', autoscaler: 'keda', prometheus: 'http://prometheus:9090' },
  'a GPU': { device: 'gpu' },
  'a bucket': { storage: 's3://bucket/models' },
  'a claim that exists': { storage: 'pvc:claim/models' },
  'an image of its own': { image: 'registry.example/tritonserver:1' },
  'two versions': { split: '1=90,2=10', gateway: 'gateway' },
};

export function kserveSuite(root: string, cache: string): Suite {
  const suite = new Suite('InferenceServices in the models of KServe');
  const python = pythonWithPip();
  const folder = python === undefined ? undefined : installed(python, cache);
  if (python === undefined) suite.skip('there is no Python with pip (name one in the environment variable PYTHON)');
  else if (folder === undefined) suite.skip(`pip could not install ${PACKAGES.join(', ')}`);
  else judge(suite, root, python, folder);
  suite.close();
  return suite;
}

function judge(suite: Suite, root: string, python: string, folder: string): void {
  const services = Object.entries(CASES).flatMap(([name, options]) =>
    packageOf({ ...options, server: 'kserve' })
      .objects.filter(({ kind }) => kind === 'InferenceService')
      .map((object) => [name, object] as const),
  );
  const [first] = services;
  if (first === undefined) {
    suite.fail('all', 'there is no InferenceService');
    return;
  }
  // One that is wrong shows that the check can fail.
  const wrong = structuredClone(first[1]) as unknown as { spec: { predictor: Record<string, unknown> } };
  wrong.spec.predictor.minReplicass = 1;
  wrong.spec.predictor.maxReplicas = '3';
  const script = join(root, 'scripts/check-kserve.py');
  const { status, stdout, stderr } = spawnSync(python, [script, folder], {
    input: JSON.stringify([...services, ['a wrong one', wrong]]),
    encoding: 'utf8',
  });
  if (status !== 0) {
    suite.fail('the check', stderr.trim().split('\n').slice(-3).join(' | '));
    return;
  }
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [string, string[]]);
  for (const [name, problems] of results.slice(0, -1)) {
    if (problems.length === 0) suite.pass();
    else suite.fail(name, problems.slice(0, 5).join('; '));
  }
  const found = results.at(-1)?.[1] ?? [];
  if (found.length === 2) suite.pass();
  else suite.fail('a wrong one', `two mistakes are in it, and found were: ${found.join('; ')}`);
}

function pythonWithPip(): string | undefined {
  return [process.env.PYTHON, 'python3', 'python'].find(
    (name) => name !== undefined && name !== '' && spawnSync(name, ['-m', 'pip', '--version']).status === 0,
  );
}

/** A folder with the packages, installed once; without what they need to run, since only their models are loaded. */
function installed(python: string, cache: string): string | undefined {
  const folder = join(cache, PACKAGES.join('-').replaceAll('==', '-'));
  if (existsSync(folder)) return folder;
  print(`Installing ${PACKAGES.join(', ')} from PyPI into ${folder} …`);
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--target', partial];
  if (spawnSync(python, [...words, ...PACKAGES]).status !== 0) return undefined;
  renameSync(partial, folder);
  return folder;
}
