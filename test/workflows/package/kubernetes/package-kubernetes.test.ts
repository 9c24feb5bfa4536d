import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ServeOptError } from '../../../../src/errors.js';
import type { PackageKubernetesOptions } from '../../../../src/workflows/package/kubernetes/kubernetes-options.js';
import { packageKubernetes } from '../../../../src/workflows/package/kubernetes/package-kubernetes.js';
import { writeText } from '../../../helpers/small-models.js';

const MODEL = 'g (float[N,4] x) => (float[N,4] y) { y = Relu (x) }';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-kubernetes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...parts: readonly string[]): string => join(folder, ...parts);

async function writeModel(path = at('net.onnx'), text = MODEL): Promise<string> {
  await writeText(path, text);
  return path;
}

/** A report of `bench` as far as it is read. */
function benchReport(
  models: readonly string[],
  { threads = 2, change = {} }: { readonly threads?: number; readonly change?: object } = {},
): object {
  return {
    schemaVersion: 2,
    command: 'bench',
    subject: 'models',
    version: '0.1.0',
    onnxRuntimeVersion: '1.30.0',
    environment: { cpuModel: 'Example CPU', availableParallelism: 8 },
    configurations: models.map((path) => ({
      label: `${path} ${threads}`,
      model: { name: 'net.onnx', sha256: createHash('sha256').update(readFileSync(path)).digest('hex') },
      threads,
      batchSize: 1,
      inputs: [{ name: 'x', type: 'float[1,4]' }],
      coldStart: { starts: [{ sessionMs: 3000, firstRunMs: 500 }] },
      memory: { modelBytes: 200 * 2 ** 20 },
      latency: {
        quantiles: [
          { probability: 0.5, ms: 4 },
          { probability: 0.99, ms: 9 },
        ],
      },
    })),
    ...change,
  };
}

/** Writes a report and gives its path. */
function reportOf(models: readonly string[], options: Parameters<typeof benchReport>[1] = {}): string {
  writeFileSync(at('bench.json'), JSON.stringify(benchReport(models, options)));
  return at('bench.json');
}

/** A repository with the versions of each model. */
async function repository(models: Readonly<Record<string, readonly string[]>>, config = ''): Promise<string> {
  for (const [name, versions] of Object.entries(models)) {
    mkdirSync(at('models', name), { recursive: true });
    writeFileSync(at('models', name, 'config.pbtxt'), `platform: "onnxruntime_onnx"\n${config}`);
    for (const version of versions) {
      mkdirSync(at('models', name, version));
      await writeModel(at('models', name, version, 'model.onnx'));
    }
  }
  return at('models');
}

const ESTIMATED = { measure: false } as const satisfies PackageKubernetesOptions;

async function refusal(path: string, options: PackageKubernetesOptions = ESTIMATED): Promise<ServeOptError> {
  try {
    await packageKubernetes(path, at('k8s'), options);
  } catch (error) {
    if (!(error instanceof ServeOptError)) throw error;
    expect(existsSync(at('k8s'))).toBe(false);
    return error;
  }
  throw new Error('nothing was refused');
}

function tree(path: string): ReadonlyMap<string, string> {
  return new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'utf8')]));
}

describe('packageKubernetes', () => {
  it('writes a folder with the figures of a report, the same bytes each time', async () => {
    const model = await writeModel();
    const reportPath = reportOf([model]);
    const { report } = await packageKubernetes(model, at('k8s'), { reportPath });
    await packageKubernetes(model, at('again'), { reportPath });
    expect(tree(at('again'))).toEqual(tree(at('k8s')));
    expect(report).toMatchObject({
      command: 'package kubernetes',
      written: true,
      name: 'net',
      server: 'triton',
      // 256 + 1.25 × 200
      resources: { cpuCores: 2, memoryRequestBytes: 512 * 2 ** 20, memoryLimitBytes: 768 * 2 ** 20 },
      startup: { expectedSeconds: 8, allowedSeconds: 80 },
      measurements: { kind: 'measured', source: 'report bench.json', threads: 2 },
    });
    expect(report.files.map(({ path }) => path).sort()).toEqual(readdirSync(at('k8s')).sort());
    const deployment = parse(readFileSync(at('k8s', 'deployment.yaml'), 'utf8')) as {
      spec: { template: { spec: { containers: { resources: object; startupProbe: object }[] } } };
    };
    expect(deployment.spec.template.spec.containers[0]).toMatchObject({
      resources: { requests: { cpu: '2', memory: '512Mi' }, limits: { memory: '768Mi' } },
      startupProbe: { initialDelaySeconds: 8, periodSeconds: 2, failureThreshold: 40 },
    });
    const readme = readFileSync(at('k8s', 'README.md'), 'utf8');
    expect(readme).toContain('3000 ms');
    expect(readme).toContain('kubectl apply -k .');
    expect(readme).toContain('"shape":[1,4]');
  });

  it('measures the model where there is no report', async () => {
    const model = await writeModel();
    const { report } = await packageKubernetes(model, undefined, { threads: 1 });
    const [measured] = report.measurements.models;
    expect(report.measurements.kind).toBe('measured');
    expect(measured?.sessionMs).toBeGreaterThan(0);
    expect(measured?.p50Ms).toBeGreaterThan(0);
    expect(report.resources.cpuCores).toBe(1);
    expect(report.onnxRuntimeVersion).toMatch(/^\d/);
  });

  it('estimates the figures when told not to measure, and says so', async () => {
    const { report } = await packageKubernetes(await writeModel(), at('k8s'), ESTIMATED);
    expect(report.measurements.kind).toBe('estimated');
    expect(report.warnings.join()).toContain('Nothing was measured');
    expect(readFileSync(at('k8s', 'README.md'), 'utf8')).toContain('**Nothing was measured**');
  });

  it('writes nothing in a dry run, and without an output', async () => {
    const model = await writeModel();
    const { report, files } = await packageKubernetes(model, at('k8s'), { ...ESTIMATED, dryRun: true });
    expect(report.written).toBe(false);
    expect(existsSync(at('k8s'))).toBe(false);
    const { files: same } = await packageKubernetes(model, undefined, ESTIMATED);
    expect(same).toEqual(files);
    expect(readdirSync(folder)).toEqual(['net.onnx']);
  });

  it('refuses a folder as the output that is the source, and a source that is not there', async () => {
    const models = await repository({ net: ['1'] });
    await expect(packageKubernetes(models, `${models}/`, ESTIMATED)).rejects.toMatchObject({ code: 'SO1004' });
    expect((await refusal(at('none.onnx'))).code).toBe('SO2001');
  });
});

describe('a report', () => {
  it('of another model is refused with the names and hashes of both', async () => {
    const other = await writeModel(at('other.onnx'), MODEL.replace('Relu', 'Sigmoid'));
    const error = await refusal(await writeModel(), { reportPath: reportOf([other]) });
    expect(error.code).toBe('SO3511');
    expect(error.why).toMatch(/it is of "net.onnx" \([0-9a-f]{12}\), and "net" has the hash [0-9a-f]{12}/);
    expect(error.hint).toContain('serve-opt bench');
  });

  it('gives the configuration with the threads that were asked for', async () => {
    const model = await writeModel();
    const [two, four] = [2, 4].map((threads) => benchReport([model], { threads }) as { configurations: object[] });
    const both = { ...two, configurations: [...(two?.configurations ?? []), ...(four?.configurations ?? [])] };
    writeFileSync(at('bench.json'), JSON.stringify({ ok: true, result: both }));
    const cores = async (threads?: number): Promise<number> => {
      const options = { reportPath: at('bench.json'), ...(threads === undefined ? {} : { threads }) };
      return (await packageKubernetes(model, undefined, options)).report.resources.cpuCores;
    };
    expect([await cores(), await cores(2), await cores(4)]).toEqual([2, 2, 4]);
    const error = await refusal(model, { reportPath: at('bench.json'), threads: 3 });
    expect(error.why).toBe('it has no configuration with 3 threads; it has 2, 4');
  });

  it('that the sweep suggests a configuration of gives that one', async () => {
    const model = await writeModel();
    const [two, four] = [2, 4].map(
      (threads) => benchReport([model], { threads }) as { configurations: { label: string }[] },
    );
    const [slow, fast] = [...(two?.configurations ?? []), ...(four?.configurations ?? [])];
    const suggested = { ...two, configurations: [slow, fast], suggestion: { configuration: fast?.label, why: '' } };
    writeFileSync(at('bench.json'), JSON.stringify(suggested));
    const { report } = await packageKubernetes(model, undefined, { reportPath: at('bench.json') });
    expect(report.measurements.threads).toBe(4);
  });

  it.each([
    ['', 'it is not JSON'],
    ['[1]', 'not a report of models'],
    ['{"command":"compare"}', 'not a report of models'],
    ['{"command":"bench","subject":"server"}', 'not a report of models'],
    ['{"command":"bench","schemaVersion":1}', 'its schema is version 1'],
    ['{"command":"bench","schemaVersion":2}', 'no configurations'],
    ['{"command":"bench","schemaVersion":2,"configurations":[]}', 'it is of no model'],
    ['{"command":"bench","schemaVersion":2,"configurations":[null,{"model":7}]}', 'it is of "unnamed" (no hash)'],
  ])('with the text %s is refused: %s', async (text, why) => {
    writeFileSync(at('bench.json'), text);
    const error = await refusal(await writeModel(), { reportPath: at('bench.json') });
    expect(error.code).toBe('SO3511');
    expect(error.why).toContain(why);
  });

  it('without memory or cold start is refused', async () => {
    const model = await writeModel();
    const report = benchReport([model]) as { configurations: object[] };
    const cut = {
      ...report,
      configurations: report.configurations.map((each) => ({ ...each, memory: { modelBytes: 'x' } })),
    };
    writeFileSync(at('bench.json'), JSON.stringify(cut));
    expect((await refusal(model, { reportPath: at('bench.json') })).why).toContain('no cold start, memory or latency');
  });
});

describe('a folder that exists', () => {
  it('is refused where files of a package are in it, and left as it was', async () => {
    const model = await writeModel();
    await packageKubernetes(model, at('k8s'), ESTIMATED);
    const before = tree(at('k8s'));
    await expect(packageKubernetes(model, at('k8s'), { ...ESTIMATED, replicas: '5' })).rejects.toMatchObject({
      code: 'SO1005',
      hint: expect.stringContaining('--force') as string,
    });
    expect(tree(at('k8s'))).toEqual(before);
  });

  it('keeps files of others, and takes ours', async () => {
    mkdirSync(at('k8s'));
    writeFileSync(at('k8s', 'notes.txt'), 'mine');
    const { report } = await packageKubernetes(await writeModel(), at('k8s'), ESTIMATED);
    expect(report.kept).toEqual(['notes.txt']);
    expect(readFileSync(at('k8s', 'notes.txt'), 'utf8')).toBe('mine');
    expect(existsSync(at('k8s', 'deployment.yaml'))).toBe(true);
  });

  it('with --force gets new files, loses those that are not needed any more, and keeps patches', async () => {
    const model = await writeModel();
    await packageKubernetes(model, at('k8s'), { ...ESTIMATED, replicas: '2:4' });
    writeFileSync(at('k8s', 'patch.yaml'), 'kind: Deployment\n');
    const path = at('k8s', 'kustomization.yaml');
    const edited = readFileSync(path, 'utf8').replace(
      'resources:',
      'patches:\n- path: patch.yaml # mine\nresources:\n- extra.yaml',
    );
    writeFileSync(path, edited);
    const { report } = await packageKubernetes(model, at('k8s'), { ...ESTIMATED, force: true, namespace: 'models' });
    expect(report.removed).toEqual(['scaledobject.yaml']);
    expect(report.kept).toEqual(['patch.yaml']);
    expect(existsSync(at('k8s', 'scaledobject.yaml'))).toBe(false);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('patch.yaml # mine');
    expect(parse(text)).toEqual({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace: 'models',
      patches: [{ path: 'patch.yaml' }],
      resources: [
        'serviceaccount.yaml',
        'persistentvolumeclaim.yaml',
        'deployment.yaml',
        'service.yaml',
        'poddisruptionbudget.yaml',
        'networkpolicy.yaml',
        'extra.yaml',
      ],
    });
    expect(readFileSync(at('k8s', 'deployment.yaml'), 'utf8')).toContain('namespace: models');
    const again = tree(at('k8s'));
    await packageKubernetes(model, at('k8s'), { ...ESTIMATED, force: true, namespace: 'models' });
    expect(tree(at('k8s'))).toEqual(again);
  });

  it('with a file of the same name that serve-opt did not write is refused, with --force too', async () => {
    const model = await writeModel();
    mkdirSync(at('k8s'));
    writeFileSync(at('k8s', 'service.yaml'), 'kind: Service\n');
    await expect(packageKubernetes(model, at('k8s'), { ...ESTIMATED, force: true })).rejects.toMatchObject({
      code: 'SO1005',
      message: expect.stringContaining('was not written by serve-opt') as string,
    });
    symlinkSync('service.yaml', at('k8s', 'deployment.yaml'));
    rmSync(at('k8s', 'service.yaml'));
    await expect(packageKubernetes(model, at('k8s'), { ...ESTIMATED, force: true })).rejects.toMatchObject({
      code: 'SO1005',
    });
    expect(readdirSync(at('k8s'))).toEqual(['deployment.yaml']);
  });

  it('with a kustomization that is no YAML is refused', async () => {
    const model = await writeModel();
    mkdirSync(at('k8s'));
    writeFileSync(at('k8s', 'kustomization.yaml'), 'a: [1\n');
    await expect(packageKubernetes(model, at('k8s'), { ...ESTIMATED, force: true })).rejects.toMatchObject({
      code: 'SO1005',
    });
    expect(readdirSync(at('k8s'))).toEqual(['kustomization.yaml']);
  });

  it('that is a file is refused', async () => {
    writeFileSync(at('k8s'), '');
    await expect(packageKubernetes(await writeModel(), at('k8s'), ESTIMATED)).rejects.toMatchObject({ code: 'SO6001' });
  });
});

describe('a repository', () => {
  it('gives the model, its versions, the files beside them and the copies that its configuration says', async () => {
    const models = await repository({ 'net.v1': ['1', '2', '10'] }, 'instance_group [{ count: 2 }, { count: 1 }]\n');
    writeFileSync(at('models', 'net.v1', 'labels.txt'), 'a\n');
    const { report } = await packageKubernetes(models, at('k8s'), {
      ...ESTIMATED,
      split: '2=50,10=50',
      gateway: 'public',
      threads: 2,
    });
    expect(report.models).toEqual([{ name: 'net.v1', versions: ['1', '2', '10'] }]);
    expect(report.name).toMatch(/^net-v1-[0-9a-f]{6}$/);
    expect(report.resources.cpuCores).toBe(6);
    const text = readFileSync(at('k8s', 'deployment-v10.yaml'), 'utf8');
    for (const file of ['config.pbtxt', 'labels.txt', '10'])
      expect(text).toContain(`mountPath: /models/net.v1/${file}\n`);
    expect(text).not.toContain('/models/net.v1/2\n');
    expect(text).toContain('path: /v2/models/net.v1/ready');
  });

  it('of several models is served as a whole, or the one that is named', async () => {
    const models = await repository({ a: ['1'], b: ['1'] });
    const both = await packageKubernetes(models, undefined, {
      reportPath: reportOf([at('models', 'a', '1', 'model.onnx')]),
    });
    expect(both.report.models.map(({ name }) => name)).toEqual(['a', 'b']);
    const text = both.files.find(({ path }) => path === 'deployment.yaml')?.text ?? '';
    expect(text).toContain('--model-control-mode=none');
    expect(text).toContain('path: /v2/health/ready');
    const one = await packageKubernetes(models, undefined, { ...ESTIMATED, name: 'b' });
    expect(one.files.find(({ path }) => path === 'deployment.yaml')?.text).toContain('--load-model=b');
    expect((await refusal(models, { ...ESTIMATED, split: '1=50,2=50', gateway: 'g' })).message).toContain(
      'needs one model',
    );
  });

  it('without the version of a split, or the model that is named, is refused with what it has', async () => {
    const models = await repository({ resnet: ['1', '2'] });
    const split = await refusal(models, { ...ESTIMATED, split: '2=50,3=50', gateway: 'g' });
    expect([split.code, split.message, split.why]).toEqual([
      'SO1006',
      '"models" has no version 3 of "resnet"',
      'it has 1, 2',
    ]);
    const name = await refusal(models, { ...ESTIMATED, name: 'resnt' });
    expect(name.hint).toBe('write --name resnet');
    expect((await refusal(models, { ...ESTIMATED, split: 'a=50,b=50', gateway: 'g' })).why).toContain('whole numbers');
  });

  it('with a model that is not ONNX has estimated figures for it, and a warning', async () => {
    const models = await repository({ net: ['1'] });
    mkdirSync(at('models', 'script', '1'), { recursive: true });
    writeFileSync(at('models', 'script', '1', 'model.py'), 'x = 1\n');
    const reportPath = reportOf([at('models', 'net', '1', 'model.onnx')]);
    const { report } = await packageKubernetes(models, undefined, { reportPath });
    expect(report.warnings).toEqual([
      '"script" is not an ONNX model and cannot be measured: its figures are estimated from its size.',
    ]);
  });

  it('is refused where there is no model in it, or it is the folder of one', async () => {
    mkdirSync(at('empty'));
    expect((await refusal(at('empty'))).code).toBe('SO3512');
    const error = await refusal(join(await repository({ net: ['1'] }), 'net'));
    expect(error.why).toBe('it is the folder of one model');
    expect(error.hint).toContain(at('models'));
  });

  it('is nothing for TorchServe', async () => {
    const error = await refusal(await repository({ net: ['1'] }), { ...ESTIMATED, server: 'torchserve' });
    expect(error.code).toBe('SO1002');
    expect(error.why).toContain('does not read Triton repositories');
  });
});

describe('hostile names', () => {
  it('of inputs stay inside of the README, and of files never become a path', async () => {
    const name = '`|<b>|`\n# x';
    const model = await writeModel(at('a b$(x).onnx'), `g (float[N,4] "${'x'}") => (float[N,4] y) { y = Relu (x) }`);
    const { report, files } = await packageKubernetes(model, at('k8s'), { ...ESTIMATED, namespace: 'm' });
    expect(report.name).toMatch(/^a-b-x-[0-9a-f]{6}$/);
    expect(files.every(({ path }) => /^[a-z.]+$|^README\.md$/.test(path))).toBe(true);
    await expect(packageKubernetes(model, at('k9s'), { ...ESTIMATED, name })).rejects.toMatchObject({ code: 'SO1006' });
  });
});
