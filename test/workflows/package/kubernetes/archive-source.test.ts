import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageKubernetes } from '../../../../src/workflows/package/kubernetes/package-kubernetes.js';
import { packageMar } from '../../../../src/workflows/package/package-mar.js';

const MODEL = join(import.meta.dirname, '../../../../fixtures/digits-mlp/model.onnx');
let folder: string;
let archive: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  archive = join(folder, 'digits.mar');
  await packageMar(MODEL, { outputPath: archive, name: 'digits', version: '2.0' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('manifests for a TorchServe archive', () => {
  it('take name and version from its manifest', async () => {
    const output = join(folder, 'k8s');
    await packageKubernetes(archive, output, { server: 'torchserve', measure: false });
    const deployment = readFileSync(join(output, 'deployment.yaml'), 'utf8');
    expect(deployment).toContain('app.kubernetes.io/name: digits');
    expect(deployment).toContain('app.kubernetes.io/version: "2.0"');
  });

  it.each([
    ['not a zip archive', (path: string) => writeFileSync(path, 'text')],
    ['cut short', (path: string) => writeFileSync(path, readFileSync(archive).subarray(0, 900))],
  ])('refuse one that is %s, and write nothing', async (_what, make) => {
    const broken = join(folder, 'broken.mar');
    const output = join(folder, 'never');
    make(broken);
    await expect(packageKubernetes(broken, output, { server: 'torchserve', measure: false })).rejects.toMatchObject({
      exitCode: 3,
    });
    expect(existsSync(output)).toBe(false);
  });
});
