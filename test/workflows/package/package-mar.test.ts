import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTarGz } from '../../../src/codec/archive/tar-reader.js';
import { readZip } from '../../../src/codec/archive/zip-reader.js';
import { Model } from '../../../src/ir/model.js';
import { tensorType } from '../../../src/ir/type.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { checkMar } from '../../../src/workflows/package/check-mar.js';
import { type PackageMarOptions, packageMar } from '../../../src/workflows/package/package-mar.js';
import { skipWhere } from '../../helpers/skip-where.js';
import { writeText } from '../../helpers/small-models.js';

const DIGITS = join(import.meta.dirname, '../../../fixtures/digits-mlp/model.onnx');
const PYTHON = spawnSync('python3', ['--version']).status === 0;

let folder: string;
let images: string;
let tokens: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'package-mar-'));
  images = join(folder, 'images.onnx');
  await writeText(images, 'g (float[N,3,8,8] pixels) => (float[N,3,8,8] y) { y = Neg(pixels) }');
  tokens = join(folder, 'tokens.onnx');
  await writeText(
    tokens,
    `g (int64[N,L] input_ids, int64[N,L] attention_mask) => (float[N,4] scores)
     { x = Mul(input_ids, attention_mask) f = Cast<to = 1>(x) axes = Constant<value_ints = [1]>()
       s = ReduceSum<keepdims = 1>(f, axes) four = Constant<value_ints = [1, 4]>() scores = Tile(s, four) }`,
  );
  writeFileSync(join(folder, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\n');
  writeFileSync(join(folder, 'names.txt'), 'a\nb\nc\nd\n');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function contentsOf(path: string): Promise<ReadonlyMap<string, string>> {
  const read = path.endsWith('.mar') ? readZip : readTarGz;
  const { contents } = await read(path, { keep: () => 'memory', folder });
  return new Map([...contents].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));
}

function output(name: string): string {
  const path = join(folder, name);
  rmSync(path, { recursive: true, force: true });
  return path;
}

describe('packageMar', () => {
  it('writes an archive with the fields of torch-model-archiver, which its own check takes', async () => {
    const outputPath = output('digits.mar');
    const report = await packageMar(DIGITS, { outputPath });
    const contents = await contentsOf(outputPath);
    expect(JSON.parse(contents.get('MAR-INF/MANIFEST.json') ?? '')).toMatchObject({
      createdOn: '01/01/1980 00:00:00',
      runtime: 'python',
      model: {
        modelName: 'model',
        serializedFile: 'model.onnx',
        handler: 'onnx_handler.py',
        modelVersion: '1.0',
        requirementsFile: 'requirements.txt',
        configFile: 'model-config.yaml',
      },
    });
    expect(contents.get('model-config.yaml')).toBe(
      'minWorkers: 1\nmaxWorkers: 1\nbatchSize: 8\nmaxBatchDelay: 5\nresponseTimeout: 120\nstartupTimeout: 120\nhandler:\n  intraOpThreads: 0\n',
    );
    expect(report).toMatchObject({ format: 'mar', written: true, batching: { kind: 'open' }, batchSize: 8 });
    expect(report.files.map(({ path }) => path)).toEqual([...contents.keys()].sort());
    expect(await checkMar(outputPath)).toEqual([]);
  });

  it('gives the same bytes for the same model, wherever and whenever it runs', async () => {
    for (const format of ['mar', 'tgz'] as const) {
      const [a, b] = [
        output(`a-${format}.${format === 'mar' ? 'mar' : 'tar.gz'}`),
        output(`b-${format}.${format === 'mar' ? 'mar' : 'tar.gz'}`),
      ];
      await packageMar(DIGITS, { outputPath: a, format, name: 'same' });
      await packageMar(DIGITS, { outputPath: b, format, name: 'same' });
      expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
    }
  });

  it('takes the time of creation from the caller, and the files keep theirs', async () => {
    const outputPath = output('dated.mar');
    await packageMar(DIGITS, { outputPath, sourceDate: 1_735_689_599 });
    const contents = await contentsOf(outputPath);
    expect(contents.get('MAR-INF/MANIFEST.json')).toContain('"createdOn": "31/12/2024 23:59:59"');
  });

  it('puts everything under a top folder in a tar file, and writes a folder as it is', async () => {
    const outputPath = output('digits.tar.gz');
    await packageMar(DIGITS, { outputPath, name: 'digits' });
    expect([...(await contentsOf(outputPath)).keys()]).toContain('digits/MAR-INF/MANIFEST.json');
    const plain = output('digits');
    await packageMar(DIGITS, { outputPath: plain, format: 'folder' });
    expect(readdirSync(plain).sort()).toEqual([
      'MAR-INF',
      'README.md',
      'model-config.yaml',
      'model.onnx',
      'onnx_handler.py',
      'requirements.txt',
    ]);
    expect(readFileSync(join(plain, 'model.onnx')).equals(readFileSync(DIGITS))).toBe(true);
    expect(await checkMar(outputPath)).toEqual([]);
    expect(await checkMar(plain)).toEqual([]);
  });

  it('replaces the folder of an archive with force, and no other folder', async () => {
    const plain = join(folder, 'again');
    await packageMar(DIGITS, { outputPath: plain, format: 'folder', name: 'again' });
    const options = { outputPath: plain, format: 'folder', name: 'again' } as const;
    // A folder that exists is where the archive goes, under its name.
    mkdirSync(join(plain, 'again'), { recursive: true });
    await packageMar(DIGITS, options);
    await expect(packageMar(DIGITS, options)).rejects.toMatchObject({ code: 'SO1005' });
    writeFileSync(join(plain, 'again', 'old.txt'), 'old');
    await packageMar(DIGITS, { ...options, force: true });
    expect(readdirSync(join(plain, 'again'))).not.toContain('old.txt');
    rmSync(join(plain, 'again', 'MAR-INF'), { recursive: true });
    await expect(packageMar(DIGITS, { ...options, force: true })).rejects.toMatchObject({
      code: 'SO1005',
      why: 'it is not the folder of an archive, and --force replaces no other one',
    });
  });

  it('packs data files beside the model, in the folders that it names', async () => {
    const model = new Model();
    model.setOpset('', 17);
    const input = model.graph.newValue('x', tensorType(DataType.FLOAT, ['N', 512]));
    model.graph.addInput(input);
    const weight = model.graph.addInitializer('W', Tensor.float32(new Float32Array(512 * 512).fill(0.5), [512, 512]));
    const y = { name: 'y', type: tensorType(DataType.FLOAT, ['N', 512]) };
    model.graph.addOutput(model.graph.addNode({ opType: 'MatMul', inputs: [input, weight], outputs: [y] }).output());
    mkdirSync(join(folder, 'large'), { recursive: true });
    const path = join(folder, 'large', 'large.onnx');
    await writeModel(model, path, { externalData: 'always', force: true });
    const outputPath = output('large.mar');
    const report = await packageMar(path, { outputPath });
    expect(report.files.find(({ path: file }) => file === 'large.onnx.data')?.sizeBytes).toBe(1024 * 1024);
    expect(await checkMar(outputPath)).toEqual([]);
  });

  it('replaces an archive only with force, and leaves nothing behind where it fails', async () => {
    const outputPath = output('kept.mar');
    writeFileSync(outputPath, 'mine');
    await expect(packageMar(DIGITS, { outputPath })).rejects.toMatchObject({ code: 'SO1005' });
    expect(readFileSync(outputPath, 'utf8')).toBe('mine');
    await packageMar(DIGITS, { outputPath, force: true });
    expect(statSync(outputPath).size).toBeGreaterThan(1000);
    const aborted = AbortSignal.abort();
    await expect(packageMar(DIGITS, { outputPath: output('never.mar') }, { signal: aborted })).rejects.toMatchObject({
      code: 'SO8130',
    });
    expect(readdirSync(folder).filter((name) => name.startsWith('.') || name === 'never.mar')).toEqual([]);
  });

  it('writes nothing in a dry run, and reports what it would write', async () => {
    const outputPath = output('dry.mar');
    const report = await packageMar(DIGITS, { outputPath, dryRun: true });
    expect(report).toMatchObject({ written: false, output: outputPath });
    expect(report.files).toHaveLength(6);
    expect(existsSync(outputPath)).toBe(false);
  });

  it('runs requests one by one where their results could depend on each other', async () => {
    const cases: readonly (readonly [string, string])[] = [
      ['g (float x) => (float y) { y = Neg(x) }', 'whole'],
      ['g (float[4,3] x) => (float[4,3] y) { y = Neg(x) }', 'whole'],
      ['g (float[1,3] x) => (float[1,3] y) { y = Neg(x) }', 'one'],
      ['g (float[N,3] x) => (float[N,N] y) { t = Transpose(x) y = MatMul(x, t) }', 'one'],
      ['g (float[N,3] x, float[M,3] z) => (float[N,3] y, float[M,3] w) { y = Neg(x) w = Neg(z) }', 'whole'],
      ['g (float[N,3] x) => (uint8[N,3] y, float s, uint8 z) { y, s, z = DynamicQuantizeLinear(x) }', 'whole'],
      ['g (float[N,3] x) => (uint8[N,3] y) { y, s, z = DynamicQuantizeLinear(x) }', 'one'],
      ['g (float[N,3] x) => (float[N,3] y) { y = Neg(x) }', 'open'],
    ];
    const path = join(folder, 'batch.onnx');
    for (const [text, kind] of cases) {
      await writeText(path, text);
      const { batching, batchSize } = await packageMar(path, { outputPath: output('batch.mar'), dryRun: true });
      expect([text, batching.kind, batchSize]).toEqual([text, kind, kind === 'open' ? 8 : 1]);
    }
    await expect(packageMar(path, { dryRun: true, batchSize: 4 })).resolves.toMatchObject({ batchSize: 4 });
    await writeText(path, 'g (float[4,3] x) => (float[4,3] y) { y = Neg(x) }');
    await expect(packageMar(path, { dryRun: true, batchSize: 4 })).rejects.toMatchObject({ code: 'SO1006' });
  });

  it('refuses what it cannot serve before anything is written, by name', async () => {
    const path = join(folder, 'refused.onnx');
    await writeText(path, 'g (bfloat16[N] x) => (bfloat16[N] y) { y = Identity(x) }');
    const refusal = packageMar(path, { outputPath: output('refused.mar') });
    await expect(refusal).rejects.toMatchObject({ code: 'SO3501', message: expect.stringContaining('"x"') });
    const cases: readonly (readonly [string, PackageMarOptions, string])[] = [
      [DIGITS, { preprocess: 'image' }, 'SO3501'],
      [images, { image: { width: 8 } }, 'SO1002'],
      [images, { preprocess: 'image', image: { width: 9 } }, 'SO1006'],
      [images, { preprocess: 'image', image: { mean: [1, 2] } }, 'SO1006'],
      [images, { preprocess: 'text' }, 'SO1006'],
      [DIGITS, { preprocess: 'text', text: { tokenizerPath: join(folder, 'vocab.txt') } }, 'SO3501'],
      [tokens, { preprocess: 'text', text: { tokenizerPath: join(folder, 'names.txt') } }, 'SO4001'],
      [tokens, { preprocess: 'text', text: { tokenizerPath: join(folder, 'absent.json') } }, 'SO2001'],
      [DIGITS, { labelsPath: join(folder, 'names.txt') }, 'SO3505'],
      [DIGITS, { labelsPath: join(folder, 'absent.txt') }, 'SO2001'],
      [DIGITS, { softmax: true }, 'SO1002'],
      [DIGITS, { topK: 2, outputName: 'nothing' }, 'SO1003'],
      [DIGITS, { name: 'a/b' }, 'SO1006'],
      [DIGITS, { version: '../1' }, 'SO1006'],
      [DIGITS, { outputPath: join(folder, 'archive.zip') }, 'SO1006'],
      [DIGITS, { outputPath: join(folder, 'archive.mar'), format: 'tgz' }, 'SO1006'],
      [DIGITS, { outputPath: DIGITS }, 'SO1006'],
      [join(folder, 'names.txt'), {}, 'SO2003'],
    ];
    for (const [model, options, code] of cases) {
      const made = packageMar(model, { outputPath: output('refused.mar'), ...options });
      await expect(made, JSON.stringify(options)).rejects.toMatchObject({ code });
    }
    expect(existsSync(join(folder, 'refused.mar'))).toBe(false);
  });

  skipWhere(!PYTHON, 'there is no python3').it(
    'writes handlers that Python compiles, for every way to serve',
    async () => {
      const variants: readonly (readonly [string, PackageMarOptions])[] = [
        [DIGITS, {}],
        [DIGITS, { topK: 3, outputName: 'probabilities' }],
        [images, { preprocess: 'image', image: { color: 'bgr', resize: 'crop', mean: [0.5], std: [0.25] } }],
        [
          tokens,
          {
            preprocess: 'text',
            text: { tokenizerPath: join(folder, 'vocab.txt') },
            labelsPath: join(folder, 'names.txt'),
            softmax: true,
          },
        ],
      ];
      for (const [model, options] of variants) {
        const outputPath = output('compiled');
        await packageMar(model, { ...options, outputPath, format: 'folder' });
        const check =
          'import ast, sys; tree = ast.parse(open(sys.argv[1], encoding="utf-8").read()); print(sum(isinstance(n, ast.ClassDef) for n in tree.body))';
        const { status, stdout, stderr } = spawnSync('python3', ['-c', check, join(outputPath, 'onnx_handler.py')], {
          encoding: 'utf8',
        });
        expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '1\n', stderr: '' });
        expect(await checkMar(outputPath)).toEqual([]);
      }
    },
  );
});
