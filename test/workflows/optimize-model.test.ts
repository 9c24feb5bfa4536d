import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import { allNodes } from '../../src/ir/walk.js';
import { writeModel } from '../../src/ir/write-model.js';
import { OPTIMIZE_LEVELS } from '../../src/passes/levels.js';
import { optimizeRecipe } from '../../src/passes/optimize-graph.js';
import { parseRecipe, recipeDocument } from '../../src/workflows/optimize/recipe.js';
import { optimizeModel } from '../../src/workflows/optimize-model.js';
import type { ProgressEvent } from '../../src/workflows/options.js';
import { reportPath } from '../../src/workflows/produce/report-path.js';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures');
const fixture = (name: string, file = 'model.onnx'): string => join(FIXTURES, name, file);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A path in a folder of its own. */
function fresh(name = 'out.onnx'): string {
  const place = mkdtempSync(join(folder, 'out-'));
  mkdirSync(place, { recursive: true });
  return join(place, name);
}

async function written(text: string): Promise<string> {
  const path = fresh('model.onnx');
  await writeModel(parseModel(`<ir_version: 8, opset_import: ["" : 17]> ${text}`), path);
  return path;
}

async function failure(call: Promise<unknown>): Promise<ServeOptError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ServeOptError);
  return error as ServeOptError;
}

async function opTypes(path: string): Promise<string[]> {
  const model = await readModel(path);
  const types = [...allNodes(model)].map((node) => node.opType);
  model.source?.close();
  return types;
}

const SPARE = `g (float[N, 4] x) => (float[N, 4] y) { a = Identity (x) b = Relu (a) unused = Neg (b) y = Neg (b) }`;

describe('optimizeModel', () => {
  it.each(['kws-dscnn', 'digits-mlp', 'ppocr-cls-mobile', 'silero-vad'])(
    'makes %s smaller and verifies it',
    async (name) => {
      const outputPath = fresh();
      const report = await optimizeModel(fixture(name), { outputPath, level: 'max', speedGate: false });
      expect(report.verification).toMatchObject({ structure: 'passed', loads: 'passed', runs: 'passed' });
      expect(report.verification.samples).toBe(5);
      expect(report.nodesAfter).toBeLessThan(report.nodesBefore);
      expect(report.output.sizeBytes).toBeLessThanOrEqual(report.input.sizeBytes);
      expect(report.dropped).toEqual([]);
      const again = await optimizeModel(outputPath, {
        outputPath: fresh(),
        level: 'max',
        verify: false,
        speedGate: false,
      });
      expect(again.passes).toEqual([]);
    },
  );

  it('verifies on real samples too', async () => {
    const dataPath = fixture('kws-dscnn', 'calib.npz');
    const report = await optimizeModel(fixture('kws-dscnn'), { outputPath: fresh(), dataPath, speedGate: false });
    expect(report.verification.samples).toBe(10);
  });

  it('gives the same bytes twice, and a report without paths', async () => {
    const paths = [fresh('a.onnx'), fresh('a.onnx')] as const;
    for (const outputPath of paths)
      await optimizeModel(fixture('ppocr-cls-mobile'), { outputPath, speedGate: false, explain: true });
    const [one, two] = paths.map((path) => [readFileSync(path), readFileSync(reportPath(path))] as const);
    expect(one?.[0].equals(two?.[0] ?? new Uint8Array())).toBe(true);
    expect(one?.[1].equals(two?.[1] ?? new Uint8Array())).toBe(true);
    const text = String(one?.[1]);
    expect(text).not.toContain(folder);
    expect(text).not.toContain(FIXTURES);
    expect(JSON.parse(text)).toMatchObject({ schemaVersion: 2, command: 'optimize', level: 'standard' });
  });

  it('hands over the original byte for byte when nothing can be done, and runs nothing for it', async () => {
    const path = await written('g (float[N] x) => (float[N] y) { y = Relu (x) }');
    const outputPath = fresh();
    const report = await optimizeModel(path, { outputPath });
    expect(report.verification).toEqual({ structure: 'passed', loads: 'unchanged', runs: 'unchanged' });
    expect(report.notes.join()).toContain('nothing to optimize');
    expect(report.latency).toBeUndefined();
    expect(readFileSync(outputPath).equals(readFileSync(path))).toBe(true);
  });

  it('takes external data along, and verifies it', async () => {
    const model = await readModel(fixture('kws-dscnn'));
    const path = fresh('model.onnx');
    await writeModel(model, path, { externalData: 'always' });
    model.source?.close();
    const outputPath = fresh();
    const report = await optimizeModel(path, { outputPath, speedGate: false });
    expect(report.output.externalData?.map(({ name }) => name)).toEqual(['out.onnx.data']);
    expect(report.verification.runs).toBe('passed');
    expect(report.nodesAfter).toBe(21);
    const again = await optimizeModel(outputPath, { outputPath: fresh(), speedGate: false });
    expect(again.verification).toMatchObject({ runs: 'passed', numerics: 'exact' });
    expect(again.notes.join()).toContain('nothing to optimize');
  });

  it('writes beside the model when nobody says where', async () => {
    const path = await written(SPARE);
    await optimizeModel(path, { verify: false, speedGate: false });
    expect(readdirSync(dirname(path)).sort()).toEqual(['model.onnx', 'model.opt.onnx', 'model.opt.report.json']);
  });

  it('writes nothing in a dry run, and nothing over what is there', async () => {
    const path = await written(SPARE);
    const report = await optimizeModel(path, { dryRun: true, speedGate: false });
    expect(report.verification.runs).toBe('passed');
    expect(readdirSync(dirname(path))).toEqual(['model.onnx']);
    writeFileSync(join(dirname(path), 'model.opt.onnx'), 'mine');
    expect((await failure(optimizeModel(path))).code).toBe('SO1005');
    expect(readFileSync(join(dirname(path), 'model.opt.onnx'), 'utf8')).toBe('mine');
  });

  it('starts no process when nothing is to be run', async () => {
    const events: ProgressEvent[] = [];
    const report = await optimizeModel(
      await written(SPARE),
      { verify: false, speedGate: false },
      { onProgress: (event) => events.push(event) },
    );
    expect(report.onnxRuntimeVersion).toBeUndefined();
    expect(report.verification).toMatchObject({ runs: 'skipped', reason: 'verification was switched off' });
    expect(events.flatMap((event) => (event.kind === 'end' ? [event.stage] : []))).toEqual([
      'read',
      'optimize',
      'write',
      'check',
    ]);
  });

  it('stops when aborted, and leaves nothing', async () => {
    const outputPath = fresh();
    const controller = new AbortController();
    const error = await failure(
      optimizeModel(
        fixture('ppocr-cls-mobile'),
        { outputPath },
        {
          signal: controller.signal,
          onProgress: (event) => event.kind === 'start' && event.stage === 'verify' && controller.abort(),
        },
      ),
    );
    expect(error.code).toBe('SO8130');
    expect(readdirSync(dirname(outputPath))).toEqual([]);
  });

  it('refuses an invalid model', async () => {
    const path = fresh('model.onnx');
    writeFileSync(path, 'not a model');
    expect((await failure(optimizeModel(path))).exitCode).toBe(3);
  });

  it('leaves operators alone that it does not know, and says so', async () => {
    const path = fresh('model.onnx');
    await writeModel(
      parseModel(`<ir_version: 8, opset_import: ["" : 17, "mine" : 1]> g (float[N] x) => (float[N] y)
        { a = Identity (x) b = mine.Thing (a) c = Identity (b) y = mine.Thing (c) }`),
      path,
    );
    const outputPath = fresh();
    const report = await optimizeModel(path, { outputPath });
    expect(await opTypes(outputPath)).toEqual(['Thing', 'Thing']);
    expect(report.warnings.join(' ')).toContain('Unknown operators were left unchanged: mine.Thing (2)');
    expect(report.verification).toMatchObject({ structure: 'passed', loads: 'skipped', runs: 'skipped' });
    expect(report.verification.reason).toContain('mine');
  });

  it('says which outputs cannot be compared', async () => {
    const path = await written(`g (float[2] x) => (float[2] y, seq(float[2]) s)
      { a = Identity (x) y = Relu (a) s = SequenceConstruct (a, y) }`);
    const report = await optimizeModel(path, { outputPath: fresh(), speedGate: false });
    expect(report.verification).toMatchObject({ runs: 'passed', notCompared: ['s'] });
    expect(report.warnings.join(' ')).toContain('were not compared: "s"');
  });

  it('skips the run where the original runs on nothing', async () => {
    const path = await written(`g (float[2] x) => (float[3] y) <int64[1] three = {3}>
      { a = Identity (x) y = Reshape (a, three) }`);
    const report = await optimizeModel(path, { outputPath: fresh() });
    expect(report.verification.runs).toBe('skipped');
    expect(report.warnings.join(' ')).toContain('was not run');
  });

  it('tells each rewrite and near miss on request', async () => {
    const report = await optimizeModel(await written(SPARE), { speedGate: false, explain: true });
    expect(report.rewrites?.map(({ pass, nodes }) => `${pass} ${nodes[0]?.label}`)).toContain('eliminate-identity a');
    expect(report.nearMisses).toEqual([]);
  });
});

describe('requested changes', () => {
  const BATCHED = `g (float[batch, 4] x) => (float[batch, 4] y) { a = Identity (x) y = Relu (a) }`;

  it('fixes a dimension, in the interface too', async () => {
    const outputPath = fresh();
    const report = await optimizeModel(await written(BATCHED), {
      outputPath,
      setDims: new Map([['batch', 3]]),
      speedGate: false,
    });
    expect(report.requested.map(({ pass }) => pass)).toEqual(['set-dims']);
    expect(report.verification.runs).toBe('passed');
    const model = await readModel(outputPath);
    expect(printModel(model)).toContain('g (float[3,4] x) => (float[3,4] y)');
    model.source?.close();
  });

  it('opens a dimension', async () => {
    const outputPath = fresh();
    const path = await written('g (float[1, 4] x) => (float[1, 4] y) { y = Relu (x) }');
    const report = await optimizeModel(path, { outputPath, dynamic: new Map([['batch', []]]), speedGate: false });
    expect(report.verification.runs).toBe('passed');
    const model = await readModel(outputPath);
    expect(printModel(model)).toContain('g (float[batch,4] x) => (float[batch,4] y)');
    model.source?.close();
  });

  it('brings the model to an operator set', async () => {
    const outputPath = fresh();
    await optimizeModel(await written(BATCHED), { outputPath, opset: 18, speedGate: false });
    const model = await readModel(outputPath);
    expect(model.opset()).toBe(18);
    model.source?.close();
  });

  it('says that it brings no model to an older operator set', async () => {
    const older = optimizeModel(await written(BATCHED), { outputPath: fresh(), opset: 13, speedGate: false });
    await expect(older).rejects.toMatchObject({
      code: 'SO3101',
      message: 'The model cannot be converted to opset 13: it has opset 17',
    });
  });

  it('refuses names that are not there, and contradictions', async () => {
    const path = await written(BATCHED);
    const wrong = await failure(optimizeModel(path, { setDims: new Map([['bach', 1]]) }));
    expect(wrong).toMatchObject({ code: 'SO1006', why: 'did you mean "batch"?' });
    const both = await failure(
      optimizeModel(path, { setDims: new Map([['batch', 1]]), dynamic: new Map([['batch', []]]) }),
    );
    expect(both.code).toBe('SO1002');
    expect(existsSync(join(dirname(path), 'model.opt.onnx'))).toBe(false);
  });
});

describe('recipes', () => {
  it.each(OPTIMIZE_LEVELS)('of level %s are read back as they were printed', (level) => {
    const document = recipeDocument(optimizeRecipe({ level }));
    const rows = parseRecipe(JSON.stringify(document));
    expect(recipeDocument(rows)).toEqual(document);
  });

  it('decide which passes run', async () => {
    const rows = parseRecipe('{"schemaVersion": 1, "passes": [{"pass": "eliminate-dead", "stage": "clean"}]}');
    const outputPath = fresh();
    const report = await optimizeModel(await written(SPARE), { outputPath, recipe: rows, speedGate: false });
    expect(report.level).toBe('recipe');
    expect(await opTypes(outputPath)).toEqual(['Identity', 'Relu', 'Neg']);
  });

  it.each([
    ['{', 'it is not JSON'],
    ['{}', 'it has no list "passes"'],
    ['{"schemaVersion": 2, "passes": []}', 'its schemaVersion is 2'],
    ['{"schemaVersion": 1, "passes": [{}]}', 'entry 1 has no "pass"'],
    ['{"schemaVersion": 1, "passes": [{"pass": "eliminate-dead", "stage": "last"}]}', 'the stage of eliminate-dead'],
    [
      '{"schemaVersion": 1, "passes": [{"pass": "eliminate-dead", "stage": "target"}]}',
      'the stage "target" of eliminate-dead is called "finish" now',
    ],
    [
      '{"schemaVersion": 1, "passes": [{"pass": "eliminate-dead", "stage": "clean", "options": {"x": 1}}]}',
      'no option "x"',
    ],
  ])('say what is wrong with %s', (text, why) => {
    expect(() => parseRecipe(text)).toThrow(
      expect.objectContaining({ code: 'SO1006', why: expect.stringContaining(why) }),
    );
  });

  it('name the nearest pass for a mistyped one', () => {
    const text = '{"schemaVersion": 1, "passes": [{"pass": "eliminate-ded", "stage": "clean"}]}';
    expect(() => parseRecipe(text)).toThrow(expect.objectContaining({ hint: 'did you mean "eliminate-dead"?' }));
  });
});

describe('dumps', () => {
  it('show the graph before the first change and after each turn of a pass', async () => {
    const dumpPath = join(dirname(fresh()), 'dumps');
    const path = await written(SPARE);
    await optimizeModel(path, { dumpPath, verify: false, speedGate: false });
    const names = readdirSync(dumpPath).sort();
    expect(names[0]).toBe('000-original.onnx.txt');
    expect(names.length).toBeGreaterThan(2);
    expect(readFileSync(join(dumpPath, '000-original.onnx.txt'), 'utf8')).toContain('Identity');
    expect(readFileSync(join(dumpPath, names.at(-1) ?? ''), 'utf8')).not.toContain('Identity');
    const again = await failure(optimizeModel(path, { dumpPath, outputPath: fresh(), verify: false }));
    expect(again.code).toBe('SO1005');
  });
});
