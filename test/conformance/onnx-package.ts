/** ONNX's own package from PyPI: 1,914 models of its node, operator and model tests, and a reference for shape inference. */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { print } from './suite.js';

export const ONNX_VERSION = '1.22.0';

export interface OnnxPackage {
  /** A folder to put on PYTHONPATH. */
  readonly folder: string;
  readonly testData: string;
  readonly python: string;
}

/** Installs the package into `cache` with pip, once. Answers a reason where that cannot be done. */
export function onnxPackage(cache: string): OnnxPackage | string {
  const python = [process.env.PYTHON, 'python3', 'python'].find(
    (name) => name !== undefined && name !== '' && spawnSync(name, ['-m', 'pip', '--version']).status === 0,
  );
  if (python === undefined) return 'there is no Python with pip (name one in the environment variable PYTHON)';
  const folder = join(cache, `onnx-${ONNX_VERSION}`);
  const testData = join(folder, 'onnx', 'backend', 'test', 'data');
  if (!existsSync(testData)) {
    print(`Installing onnx ${ONNX_VERSION} from PyPI into ${folder} …`);
    const partial = `${folder}.partial`;
    rmSync(partial, { recursive: true, force: true });
    const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    const { status, stderr } = spawnSync(python, [...words, '--target', partial, `onnx==${ONNX_VERSION}`], {
      encoding: 'utf8',
    });
    if (status !== 0) return `pip could not install onnx ${ONNX_VERSION}: ${stderr.trim().split('\n').at(-1)}`;
    renameSync(partial, folder);
  }
  return { folder, testData, python };
}
