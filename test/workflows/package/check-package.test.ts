import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { packageJunit } from '../../../src/report/ci/junit-package.js';
import type { PackageFinding } from '../../../src/report/package-check-types.js';
import { checkPackage } from '../../../src/workflows/package/check/check-package.js';
import { skipWhere } from '../../helpers/skip-where.js';

const MODELS = join(import.meta.dirname, '../../../fixtures/triton/models');
const PLAIN = `platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
`;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-check-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
}

/** A model that is as it should be. */
function addModel(name: string, config: string | null = PLAIN): void {
  mkdirSync(join(folder, name, '1'), { recursive: true });
  cpSync(join(MODELS, 'batched.onnx'), join(folder, name, '1/model.onnx'));
  if (config !== null) write(`${name}/config.pbtxt`, config);
}

const told = ({ severity, rule, path, what }: PackageFinding): string => `${severity} ${rule} ${path} ${what}`;
async function findings(path = ''): Promise<string[]> {
  return (await checkPackage(join(folder, path))).findings.map(told);
}
const refusal = async (path: string): Promise<unknown> => checkPackage(path).catch((error: unknown) => error);

describe('checkPackage', () => {
  it('counts what it found, and names the models', async () => {
    addModel('good');
    addModel('bad', PLAIN.replace('FP32', 'FP16'));
    expect(await checkPackage(folder)).toMatchObject({
      command: 'package check',
      kind: 'triton repository',
      models: ['bad', 'good'],
      errors: 1,
      warnings: 0,
      findings: [{ severity: 'error', rule: 'triton/type-differs', path: 'bad/config.pbtxt', line: 3, column: 21 }],
    });
  });

  it('takes the folder of one model, or its configuration', async () => {
    addModel('resnet', PLAIN.replace('FP32', 'FP16'));
    const report = await checkPackage(join(folder, 'resnet'));
    expect(report).toMatchObject({ kind: 'triton model', models: ['resnet'], errors: 1 });
    expect(report.findings[0]?.path).toBe('config.pbtxt');
    expect((await checkPackage(join(folder, 'resnet/config.pbtxt'))).findings).toEqual(report.findings);
  });

  it('takes the folder of a model without a configuration', async () => {
    addModel('resnet', null);
    expect(await checkPackage(join(folder, 'resnet'))).toMatchObject({ kind: 'triton model', errors: 0, notes: 1 });
  });

  it('does not look for the models of an ensemble outside of its folder', async () => {
    write('pipeline/1/.keep', '');
    write(
      'pipeline/config.pbtxt',
      'platform: "ensemble" max_batch_size: 8 input { name: "A" data_type: TYPE_FP32 dims: 4 } output { name: "B" data_type: TYPE_FP32 dims: 4 } ensemble_scheduling { step { model_name: "x" model_version: -1 input_map { key: "i" value: "A" } output_map { key: "o" value: "B" } } }',
    );
    expect(await findings('pipeline')).toEqual([]);
    expect(await findings()).toEqual([
      'error triton/ensemble-model pipeline/config.pbtxt There is no model "x" in the repository',
    ]);
  });

  it('gives equal reports on each run', async () => {
    addModel('b', PLAIN.replace('FP32', 'FP16'));
    addModel('a', 'max_batchsize: 3');
    expect(await checkPackage(folder)).toEqual(await checkPackage(folder));
  });

  it('writes valid JUnit XML of what it found, whatever names say', async () => {
    addModel('good');
    addModel('bad', PLAIN.replace('FP32', 'FP16'));
    addModel('a\u001b<&>"', PLAIN.replace('"X"', '"<&\\001"'));
    const xml = packageJunit(await checkPackage(folder));
    expect(xml).toContain('<testsuite name="bad" tests="1" failures="1"');
    expect(xml).toContain('<failure type="triton/type-differs"');
    expect(xml).toContain('<testsuite name="good" tests="1" failures="0"');
    const schema = readFileSync(join(import.meta.dirname, '../../report/ci/junit.xsd'), 'utf8');
    const { errors } = await validateXML({ xml: [{ fileName: 'check.xml', contents: xml }], schema: [schema] });
    expect(errors).toEqual([]);
  });

  it('tells progress by model', async () => {
    for (const name of ['a', 'b', 'c']) addModel(name);
    const events: unknown[] = [];
    await checkPackage(folder, { onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ kind: 'start', stage: 'read', total: 3 });
    expect(events).toContainEqual({ kind: 'advance', stage: 'read', done: 2, total: 3 });
  });

  it('ends when it is interrupted', async () => {
    for (let index = 0; index < 30; index++) addModel(`m${index}`);
    const controller = new AbortController();
    const check = checkPackage(folder, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(check).rejects.toMatchObject({ code: 'SO8130' });
  });

  it('reads thousands of models in bounded memory', async () => {
    cpSync(join(MODELS, 'batched.onnx'), join(folder, 'shared.onnx'));
    for (let index = 0; index < 1000; index++) {
      mkdirSync(join(folder, `m${index}`, '1'), { recursive: true });
      linkSync(join(folder, 'shared.onnx'), join(folder, `m${index}`, '1/model.onnx'));
      write(`m${index}/config.pbtxt`, PLAIN);
    }
    const report = await checkPackage(folder);
    expect(report).toMatchObject({ errors: 0, warnings: 0, notes: 0 });
    expect(report.models.length).toBe(1000);
  }, 120_000);
});

describe('paths that are no package', () => {
  it('do not exist', async () => {
    expect(await refusal(join(folder, 'nothing'))).toMatchObject({ code: 'SO2001' });
  });

  it('are empty folders, or folders without models', async () => {
    expect(await refusal(folder)).toMatchObject({ code: 'SO3509', why: 'the folder is empty' });
    write('a.txt', 'a');
    expect(await refusal(folder)).toMatchObject({
      code: 'SO3509',
      why: 'it has no folder, and a model repository has one for each model',
    });
  });

  it('are files', async () => {
    write('model.onnx', 'x');
    expect(await refusal(join(folder, 'model.onnx'))).toMatchObject({ code: 'SO3509' });
  });

  skipWhere(process.platform === 'win32', 'Windows has no FIFOs').it('are FIFOs, which nobody waits for', async () => {
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    expect(await refusal(join(folder, 'fifo'))).toMatchObject({ code: 'SO3509' });
  });

  skipWhere(process.getuid?.() === 0, 'root may read everything').it('cannot be read', async () => {
    chmodSync(folder, 0o000);
    try {
      expect(await refusal(folder)).toMatchObject({ code: 'SO2002' });
    } finally {
      chmodSync(folder, 0o700);
    }
  });
});

describe('files of strangers', () => {
  it('of a hundred megabytes are not read as a configuration', async () => {
    addModel('big', '#'.repeat(100 * 1024 * 1024));
    expect(await findings()).toEqual([
      'error triton/config-unreadable big/config.pbtxt The configuration cannot be read: it is too large: 104857600 bytes',
    ]);
  });

  skipWhere(process.platform === 'win32', 'Windows has no FIFOs').it('that are FIFOs are not waited for', async () => {
    addModel('fifo', null);
    execFileSync('mkfifo', [join(folder, 'fifo/config.pbtxt')]);
    expect(await findings()).toEqual([
      'error triton/config-unreadable fifo/config.pbtxt The configuration cannot be read: it is not a regular file',
    ]);
    rmSync(join(folder, 'fifo/config.pbtxt'));
    rmSync(join(folder, 'fifo/1/model.onnx'));
    execFileSync('mkfifo', [join(folder, 'fifo/1/model.onnx')]);
    expect(await findings()).toContain('note triton/no-config fifo There is no config.pbtxt');
  });

  it('are not followed out of what is checked', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'serve-opt-outside-'));
    try {
      writeFileSync(join(outside, 'config.pbtxt'), 'secret: 1');
      addModel('linked', null);
      symlinkSync(join(outside, 'config.pbtxt'), join(folder, 'linked/config.pbtxt'));
      symlinkSync(outside, join(folder, 'elsewhere'));
      expect(await findings()).toEqual([
        'error triton/config-unreadable linked/config.pbtxt The configuration cannot be read: it is a link that leads out of what is checked',
        'note triton/link-outside linked/config.pbtxt The link leads out of what is checked, and was not followed',
      ]);
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  });

  it('are followed inside of what is checked', async () => {
    addModel('a');
    mkdirSync(join(folder, 'b/1'), { recursive: true });
    symlinkSync('../../a/1/model.onnx', join(folder, 'b/1/model.onnx'));
    symlinkSync('../a/config.pbtxt', join(folder, 'b/config.pbtxt'));
    symlinkSync('loop', join(folder, 'b/loop'));
    expect(await findings()).toEqual(['warning triton/broken-link b/loop The link leads nowhere']);
  });

  it('that are damaged models are told with their reason', async () => {
    addModel('a');
    write('a/1/model.onnx', 'no model');
    const [finding] = await findings();
    expect(finding).toMatch(/^error triton\/onnx-file a\/1\/model.onnx /);
  });

  it('may have names that no terminal should print', async () => {
    addModel('a\u001b[31m');
    expect((await checkPackage(folder)).warnings).toBe(1);
  });
});
