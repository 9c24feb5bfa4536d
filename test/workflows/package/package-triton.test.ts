import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModel, writeModel } from '../../../src/index.js';
import { MODEL_CONFIG, type ModelConfig } from '../../../src/proto/model-config.js';
import { parseText } from '../../../src/proto/text-format.js';
import type { TritonReport } from '../../../src/report/triton-types.js';
import { parseImageRecipe } from '../../../src/samples/images/parse-image-options.js';
import { checkPackage } from '../../../src/workflows/package/check/check-package.js';
import { packageTriton, packageTritonEnsemble } from '../../../src/workflows/package/triton/package-triton.js';
import { writeChain, writeText } from '../../helpers/small-models.js';

let folder = '';
const at = (...names: string[]): string => join(folder, ...names);
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'serve-opt-triton-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Files of a folder with their contents, by relative path. */
function contents(path: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const full = join(entry.parentPath, entry.name);
    files.set(relative(path, full), entry.isFile() ? readFileSync(full).toString('latin1') : '(folder)');
  }
  return new Map([...files].sort());
}

function configOf(model: string, repository = 'models'): ModelConfig {
  const parsed = parseText(MODEL_CONFIG, 'ModelConfig', readFileSync(at(repository, model, 'config.pbtxt')));
  if (!parsed.ok) throw new Error('not a configuration');
  return parsed.message;
}

const CLASSIFIER =
  'g (float[N,4] x) => (float[N,3] y) <float[4,3] W = {1,2,3,4,5,6,7,8,9,10,11,12}> { y = MatMul(x, W) }';

/** A model `m.onnx` with external data, at a location of eleven characters. */
async function writeExternal(location: string): Promise<void> {
  await writeChain(at('inner.onnx'), 2, 64);
  const model = await readModel(at('inner.onnx'));
  await writeModel(model, at('m.onnx'), { externalData: 'always' });
  model.close();
  rmSync(at('inner.onnx'));
  const bytes = readFileSync(at('m.onnx')).toString('latin1');
  writeFileSync(at('m.onnx'), Buffer.from(bytes.replaceAll('m.onnx.data', location), 'latin1'));
  mkdirSync(dirname(at(location)), { recursive: true });
  renameSync(at('m.onnx.data'), at(location));
}

describe('packageTriton', () => {
  it('writes a model byte for byte with its configuration and a README', async () => {
    await writeText(at('my.model-1.onnx'), CLASSIFIER);
    const report = await packageTriton(at('my.model-1.onnx'), at('models'));
    expect([...contents(at('models')).keys()]).toEqual([
      'my.model-1',
      'my.model-1/1',
      'my.model-1/1/model.onnx',
      'my.model-1/README.md',
      'my.model-1/config.pbtxt',
    ]);
    expect(readFileSync(at('models/my.model-1/1/model.onnx'))).toEqual(readFileSync(at('my.model-1.onnx')));
    expect(configOf('my.model-1')).toEqual({
      name: 'my.model-1',
      platform: 'onnxruntime_onnx',
      max_batch_size: 8,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [3] }],
      dynamic_batching: {},
    });
    expect(report).toMatchObject({ written: true, name: 'my.model-1', modelVersion: 1, maxBatch: 8, versions: [1] });
    expect(readdirSync(folder).sort()).toEqual(['models', 'my.model-1.onnx']);
  });

  it('gives the same bytes twice', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    for (const repository of ['a/models', 'b/models']) {
      mkdirSync(at(repository.slice(0, 1)));
      await packageTriton(at('m.onnx'), at(repository), { warmup: true, policy: { kind: 'all' } });
    }
    expect(contents(at('a'))).toEqual(contents(at('b')));
  });

  it('adds a version without a byte of the first changed', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    await writeText(at('new.onnx'), CLASSIFIER.replace('{1,2', '{5,6'));
    await packageTriton(at('m.onnx'), at('models'));
    const before = contents(at('models'));
    const config = statSync(at('models/m/config.pbtxt'), { bigint: true });
    const report = await packageTriton(at('new.onnx'), at('models'), { name: 'm', version: 'next' });
    const after = contents(at('models'));
    for (const [path, text] of before) expect(after.get(path)).toBe(text);
    expect([...after.keys()].filter((path) => !before.has(path))).toEqual(['m/2', 'm/2/model.onnx']);
    expect(statSync(at('models/m/config.pbtxt'), { bigint: true })).toMatchObject({
      ino: config.ino,
      mtimeNs: config.mtimeNs,
    });
    expect(report.versions).toEqual([1, 2]);
    expect(report.changes).toContainEqual({ entry: 'config.pbtxt', change: 'unchanged' });
  });

  it('leaves a configuration that says the same in other words as it is', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    await packageTriton(at('m.onnx'), at('models'));
    const path = at('models/m/config.pbtxt');
    writeFileSync(path, `# tuned by hand\n${readFileSync(path, 'utf8').replaceAll('\n', '\n\n')}`);
    const before = readFileSync(path, 'utf8');
    await packageTriton(at('m.onnx'), at('models'), { version: 2 });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('shows how a configuration would change, and changes it with force only', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    await packageTriton(at('m.onnx'), at('models'));
    const before = contents(at('models'));
    let shown: TritonReport | undefined;
    const options = {
      version: 2,
      maxBatch: 16,
      onRefused: (report: TritonReport) => {
        shown = report;
      },
    };
    await expect(packageTriton(at('m.onnx'), at('models'), options)).rejects.toMatchObject({ code: 'SO3507' });
    expect(contents(at('models'))).toEqual(before);
    expect(shown?.configDiff?.filter(({ kind }) => kind !== 'same')).toEqual([
      { kind: 'removed', text: 'max_batch_size: 8' },
      { kind: 'added', text: 'max_batch_size: 16' },
    ]);
    await packageTriton(at('m.onnx'), at('models'), { ...options, force: true });
    expect(configOf('m').max_batch_size).toBe(16);
    expect(readdirSync(at('models/m')).sort()).toEqual(['1', '2', 'README.md', 'config.pbtxt']);
  });

  it('replaces a version with force only', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    await writeText(at('new.onnx'), CLASSIFIER.replace('{1,2', '{5,6'));
    await packageTriton(at('m.onnx'), at('models'));
    await expect(packageTriton(at('new.onnx'), at('models'), { name: 'm' })).rejects.toMatchObject({ code: 'SO1005' });
    await packageTriton(at('new.onnx'), at('models'), { name: 'm', force: true });
    expect(readFileSync(at('models/m/1/model.onnx'))).toEqual(readFileSync(at('new.onnx')));
    expect(readdirSync(folder).sort()).toEqual(['m.onnx', 'models', 'new.onnx']);
  });

  it('keeps a README that somebody edited', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    await packageTriton(at('m.onnx'), at('models'));
    writeFileSync(at('models/m/README.md'), '# Mine\n');
    const report = await packageTriton(at('m.onnx'), at('models'), { version: 2, maxBatch: 4, force: true });
    expect(readFileSync(at('models/m/README.md'), 'utf8')).toBe('# Mine\n');
    expect(report.notes.join()).toContain('README.md is kept');
  });

  it('warns of a version that the policy does not load', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    await packageTriton(at('m.onnx'), at('models'), { version: 3 });
    const older = await packageTriton(at('m.onnx'), at('models'), { version: 2 });
    expect(older.warnings).toEqual(['The server does not load version 2: it loads 3, the latest (--policy).']);
  });

  it('writes nothing in a dry run, and reports the same files', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    const dry = await packageTriton(at('m.onnx'), at('models'), { dryRun: true });
    expect([dry.written, existsSync(at('models'))]).toEqual([false, false]);
    const real = await packageTriton(at('m.onnx'), at('models'));
    expect({ ...dry, written: true }).toEqual(real);
  });

  it('takes sizes of outputs that ONNX Runtime infers, as the server compares with those', async () => {
    await writeText(at('m.onnx'), 'g (float[N,4] x) => (float[N,d] y) { y = Relu(x) }');
    await packageTriton(at('m.onnx'), at('models'));
    expect(configOf('m').output).toEqual([{ name: 'y', data_type: 'TYPE_FP32', dims: [4] }]);
  });

  it('does not batch a model whose rows influence each other, and says so', async () => {
    await writeText(at('m.onnx'), 'g (float[N,4] x) => (float[N,4] y) { y = Softmax<axis=0>(x) }');
    const report = await packageTriton(at('m.onnx'), at('models'));
    expect(report.maxBatch).toBe(0);
    expect(report.notes.join()).toContain('differs beside another row');
    const forced = await packageTriton(at('m.onnx'), at('other'), { maxBatch: 4 });
    expect(forced.maxBatch).toBe(4);
  });

  it('batches where only a run shows that rows of output follow rows of input', async () => {
    await writeText(
      at('m.onnx'),
      'g (float[?,4] x) => (float[?,4] y) { y = Where(c, x, x) c = Greater(x, x) }'.replace(
        'y = Where(c, x, x) c = Greater(x, x)',
        's = Shape(x) z = Reshape(x, s) y = Relu(z)',
      ),
    );
    expect((await packageTriton(at('m.onnx'), at('models'))).maxBatch).toBe(8);
  });

  it('takes what ONNX Runtime makes of a declared shape that the graph contradicts, and refuses another rank', async () => {
    await writeText(at('m.onnx'), 'g (float[N,4] x) => (float[N,5] y) { y = Relu(x) }');
    expect((await packageTriton(at('m.onnx'), at('models'))).config).toContain('dims: [-1]');
    expect((await checkPackage(at('models'))).findings).toEqual([]);
    await writeText(at('m.onnx'), 'g (float[N,4] x) => (float[N] y) { y = Relu(x) }');
    await expect(packageTriton(at('m.onnx'), at('o'))).rejects.toMatchObject({
      code: 'SO3501',
      why: 'the file declares float[N], and the graph makes a tensor of another rank',
    });
  });

  it('refuses a batch for a fixed first dimension before anything is written', async () => {
    await writeText(at('m.onnx'), 'g (float[1,4] x) => (float[1,4] y) { y = Relu(x) }');
    await expect(packageTriton(at('m.onnx'), at('models'), { maxBatch: 4 })).rejects.toMatchObject({
      code: 'SO3501',
      hint: expect.stringContaining('optimize m.onnx --dynamic batch') as string,
    });
    expect(existsSync(at('models'))).toBe(false);
  });

  it('writes labels and warm-up data of samples', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    writeFileSync(at('names.txt'), 'cat\r\ndog\r\nfrog\r\n');
    writeFileSync(at('data.jsonl'), '{"x": [1, 2, 3, 4]}\n{"x": [5, 6, 7, 8]}\n');
    await packageTriton(at('m.onnx'), at('models'), {
      labelsPath: at('names.txt'),
      warmup: true,
      dataPath: at('data.jsonl'),
    });
    const config = configOf('m');
    expect(config.output?.[0]?.label_filename).toBe('labels.txt');
    expect(readFileSync(at('models/m/labels.txt'), 'utf8')).toBe('cat\ndog\nfrog\n');
    expect(config.model_warmup?.map(({ batch_size }) => batch_size)).toEqual([1, 8]);
    const data = readFileSync(at('models/m/warmup/x.bin'));
    expect([...new Float32Array(data.buffer, data.byteOffset, 4)]).toEqual([1, 2, 3, 4]);
  });

  it('writes warm-up data of an image', async () => {
    await writeText(at('m.onnx'), 'g (float[N,3,8,8] x) => (float[N,3,8,8] y) { y = Relu (x) }');
    const images = at('photos');
    mkdirSync(images);
    cpSync(join(import.meta.dirname, '../../../fixtures/images/color.jpg'), join(images, 'color.jpg'));
    const reading = { preprocess: parseImageRecipe('resize=stretch range=0..255') };
    await expect(packageTriton(at('m.onnx'), at('models'), { warmup: true, dataPath: images })).rejects.toMatchObject({
      code: 'SO4009',
    });
    await expect(packageTriton(at('m.onnx'), at('models'), { warmup: true, reading })).rejects.toMatchObject({
      code: 'SO1002',
      message: '--preprocess needs --data',
    });
    await packageTriton(at('m.onnx'), at('models'), { warmup: true, dataPath: images, reading });
    const data = readFileSync(at('models/m/warmup/x.bin'));
    const pixels = new Float32Array(data.buffer, data.byteOffset, 192);
    expect(pixels.some((pixel) => pixel > 1)).toBe(true);
    expect(pixels.every((pixel) => pixel >= 0 && pixel <= 255)).toBe(true);
  });

  it('refuses labels of another number before anything is written', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    writeFileSync(at('names.txt'), 'cat\ndog\n');
    const packing = packageTriton(at('m.onnx'), at('models'), { labelsPath: at('names.txt') });
    await expect(packing).rejects.toMatchObject({ code: 'SO3505' });
    expect(existsSync(at('models'))).toBe(false);
  });

  it.each([
    ['data without warm-up', { dataPath: 'x' }, 'SO1002'],
    ['an output for labels without labels', { outputName: 'y' }, 'SO1002'],
    ['version 0', { version: 0 }, 'SO1006'],
    ['a name that leads out', { name: '../m' }, 'SO1006'],
    ['an engine flag', { engineInputs: ['x:float:1'] }, 'SO1002'],
    ['a platform that it is not', { platform: 'tensorrt_plan' }, 'SO1002'],
  ] as const)('refuses %s', async (_what, options, code) => {
    await writeText(at('m.onnx'), CLASSIFIER);
    await expect(packageTriton(at('m.onnx'), at('models'), options)).rejects.toMatchObject({ code });
    expect(existsSync(at('models'))).toBe(false);
  });

  it.each([
    ['a missing file', 'none.onnx', 'SO2001'],
    ['a file that is no model', 'text.onnx', 'SO2003'],
    ['an empty file', 'empty.onnx', 'SO2004'],
  ])('refuses %s', async (_what, name, code) => {
    writeFileSync(at('text.onnx'), 'this is no model, and never was one\n');
    writeFileSync(at('empty.onnx'), '');
    await expect(packageTriton(at(name), at('models'))).rejects.toMatchObject({ code });
    expect(existsSync(at('models'))).toBe(false);
  });

  it.each(['max_batch_size=-1', 'version_policy.specific.versions=0', 'input[0].dims=0'])(
    'refuses --set %s, which the server would refuse, by the rules of package check',
    async (field) => {
      await writeText(at('m.onnx'), CLASSIFIER);
      const packing = packageTriton(at('m.onnx'), at('models'), { fields: [field], verify: false });
      await expect(packing).rejects.toMatchObject({ code: 'SO3503' });
      expect(existsSync(at('models'))).toBe(false);
    },
  );

  it('refuses links and names that differ in capital letters in the repository', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    mkdirSync(at('models/M'), { recursive: true });
    await expect(packageTriton(at('m.onnx'), at('models'))).rejects.toMatchObject({ code: 'SO3502' });
    rmSync(at('models/M'), { recursive: true });
    mkdirSync(at('elsewhere'));
    symlinkSync(at('elsewhere'), at('models/m'));
    await expect(packageTriton(at('m.onnx'), at('models'))).rejects.toMatchObject({ code: 'SO3502' });
    expect(readdirSync(at('elsewhere'))).toEqual([]);
  });

  it('copies external data to where the model looks for it, subfolders included', async () => {
    await writeExternal('sub/a/b.bin');
    await packageTriton(at('m.onnx'), at('models'));
    expect(readFileSync(at('models/m/1/sub/a/b.bin'))).toEqual(readFileSync(at('sub/a/b.bin')));
    const model = await readModel(at('models/m/1/model.onnx'));
    expect([...model.graph.initializers].map(({ tensor }) => tensor?.bytes().byteLength)).toEqual([16384, 16384]);
    model.close();
  });

  it('does not write a model into the folder that it stands in', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    await packageTriton(at('m.onnx'), at('models'));
    const inside = packageTriton(at('models/m/1/model.onnx'), at('models'), { name: 'm', version: 2 });
    await expect(inside).rejects.toMatchObject({ code: 'SO1004' });
    await expect(packageTriton(at('models/m/1/model.onnx'), at('models'), { name: 'copy' })).resolves.toBeDefined();
  });

  it('shares bytes with the original where it is asked to, and reads that back', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    const report = await packageTriton(at('m.onnx'), at('models'), { link: true });
    expect(statSync(at('models/m/1/model.onnx')).ino).toBe(statSync(at('m.onnx')).ino);
    expect(report.notes.join()).toContain('--allow-links');
  });

  it('stages beside the repository, where no server looks', async () => {
    await writeText(at('m.onnx'), CLASSIFIER);
    mkdirSync(at('models'));
    const seen = new Set<string>();
    await packageTriton(
      at('m.onnx'),
      at('models'),
      {},
      {
        onProgress: () => {
          for (const entry of readdirSync(at('models'))) seen.add(entry);
        },
      },
    );
    expect([...seen].filter((entry) => entry.startsWith('.'))).toEqual([]);
  });
});

describe('packageTriton of an engine', () => {
  const ENGINE = Buffer.concat([Buffer.from('ptrt'), Buffer.alloc(60, 7)]);
  const report = (fields: object = {}): string =>
    JSON.stringify({
      command: 'tensorrt',
      engine: { name: 'e.plan', sizeBytes: ENGINE.byteLength },
      tensorRtVersion: '10.16.0',
      inputs: [{ name: 'x', type: 'float16', dims: [-1, 3], symbols: ['N', null] }],
      outputs: [{ name: 'y', type: 'float', dims: [-1, 10], symbols: ['N', null] }],
      profiles: [{ inputs: [{ name: 'x', min: [1, 3], opt: [8, 3], max: [16, 3] }] }],
      ...fields,
    });

  it('takes the interface and the largest batch from the report beside it', async () => {
    writeFileSync(at('e.plan'), ENGINE);
    writeFileSync(at('e.report.json'), report());
    const made = await packageTriton(at('e.plan'), at('models'));
    expect(configOf('e')).toMatchObject({
      platform: 'tensorrt_plan',
      max_batch_size: 16,
      input: [{ name: 'x', data_type: 'TYPE_FP16', dims: [3] }],
    });
    expect(readFileSync(at('models/e/1/model.plan'))).toEqual(ENGINE);
    expect(made.serverCommand).toContain('--gpus=all');
    await expect(packageTriton(at('e.plan'), at('o'), { maxBatch: 32 })).rejects.toMatchObject({ code: 'SO3501' });
  });

  it('takes what the caller says, with the platform', async () => {
    writeFileSync(at('e.engine'), ENGINE);
    const specs = { engineInputs: ['x:float:-1,3'], engineOutputs: ['y:float:-1,10'] };
    await expect(packageTriton(at('e.engine'), at('models'), specs)).rejects.toMatchObject({ code: 'SO3508' });
    await packageTriton(at('e.engine'), at('models'), { ...specs, platform: 'tensorrt_plan' });
    expect(configOf('e').max_batch_size).toBe(8);
  });

  it.each([
    ['no report', undefined],
    ['a report about another file', report({ engine: { sizeBytes: 1 } })],
    ['a report of another command', report({ command: 'bench' })],
    ['a report that is no JSON', '{'],
  ])('is refused with %s', async (_what, text) => {
    writeFileSync(at('e.plan'), ENGINE);
    if (text !== undefined) writeFileSync(at('e.report.json'), text);
    await expect(packageTriton(at('e.plan'), at('models'))).rejects.toMatchObject({ code: 'SO3508' });
    expect(existsSync(at('models'))).toBe(false);
  });
});

describe('packageTritonEnsemble', () => {
  it('connects models of the repository, with the folder of a version that it needs', async () => {
    await writeText(at('a.onnx'), 'g (float[N,4] x) => (float[N,4] h) { h = Relu(x) }');
    await writeText(at('b.onnx'), 'g (float[N,4] h) => (float[N,4] y) { y = Neg(h) }');
    for (const name of ['a', 'b']) await packageTriton(at(`${name}.onnx`), at('models'));
    const report = await packageTritonEnsemble(['a', 'b'], at('models'), { name: 'all' });
    expect(readdirSync(at('models/all')).sort()).toEqual(['1', 'README.md', 'config.pbtxt']);
    expect(readdirSync(at('models/all/1'))).toEqual([]);
    expect(configOf('all')).toMatchObject({ platform: 'ensemble', max_batch_size: 8 });
    expect(report).toMatchObject({ platform: 'ensemble', inputs: [{ name: 'x', type: 'FP32[-1,4]' }] });
  });

  it('names what is missing or cannot be read', async () => {
    await writeText(at('model.onnx'), CLASSIFIER);
    await packageTriton(at('model.onnx'), at('models'));
    cpSync(at('models/model'), at('models/broken'), { recursive: true });
    writeFileSync(at('models/broken/config.pbtxt'), 'max_batchsize: 4\n');
    const ensemble = (...names: string[]) => packageTritonEnsemble(names, at('models'), { name: 'all' });
    await expect(ensemble('modle')).rejects.toMatchObject({ code: 'SO3506', why: 'did you mean "model"?' });
    await expect(ensemble('broken')).rejects.toMatchObject({
      code: 'SO3506',
      message: expect.stringContaining('line 1'),
    });
    await expect(ensemble('model', 'all')).rejects.toMatchObject({ code: 'SO3506' });
    expect(existsSync(at('models/all'))).toBe(false);
  });
});
