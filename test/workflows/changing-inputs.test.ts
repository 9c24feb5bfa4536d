/** Inputs that are removed, replaced, cut or touched at each stage of a run. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { benchModels } from '../../src/workflows/bench/bench-models.js';
import { calibrate } from '../../src/workflows/calibrate.js';
import { compare } from '../../src/workflows/compare.js';
import { optimizeModel } from '../../src/workflows/optimize-model.js';
import type { ProgressEvent } from '../../src/workflows/options.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';
import { ROOT } from './program.js';

const FIXTURE = join(ROOT, 'fixtures', 'digits-mlp');

let folder = '';
const at = (name: string): string => join(folder, name);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-changing-inputs-'));
  for (const name of ['model.onnx', 'calib.npz']) copyFileSync(join(FIXTURE, name), at(name));
  const model = await readModel(at('model.onnx'));
  await writeModel(model, at('external.onnx'), { externalData: 'always' });
  model.source?.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What can happen to a file. */
const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  removed: (path) => unlinkSync(path),
  replaced: (path) => {
    copyFileSync(path, `${path}.new`);
    renameSync(`${path}.new`, path);
  },
  cut: (path) => truncateSync(path, 100),
  lengthened: (path) => appendFileSync(path, 'more'),
};

/** Changes a file once, when a stage begins. */
function changing(path: string, change: string, stage: string): (event: ProgressEvent) => void {
  let done = false;
  return (event) => {
    if (done || event.kind !== 'start' || event.stage !== stage) return;
    done = true;
    CHANGES[change]?.(path);
  };
}

/** A run must fail with the file's name and that it changed, and leave no output. */
async function expectChanged(path: string, run: Promise<unknown>): Promise<void> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'SO2008', exitCode: 3 });
  expect((error as Error).message).toContain(basename(path));
  expect(existsSync(at('out.onnx'))).toBe(false);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp') || name.includes('report'))).toEqual([]);
}

async function expectQuantizeChanged(change: string, stage: string): Promise<void> {
  const [path, dataPath, outputPath] = [at('model.onnx'), at('calib.npz'), at('out.onnx')];
  const onProgress = changing(path, change, stage);
  await expectChanged(path, quantizeModel(path, { dataPath, outputPath }, { onProgress }));
}

describe('a model that is removed', () => {
  it.each(['prepare', 'quantize', 'write', 'load', 'measure'])('while quantize is at "%s" is told', (stage) =>
    expectQuantizeChanged('removed', stage),
  );

  it.each(['prepare', 'measure'])('while bench is at "%s" is told', async (stage) => {
    const onProgress = changing(at('model.onnx'), 'removed', stage);
    const options = { durationMs: 50, processes: 2 };
    await expectChanged(at('model.onnx'), benchModels([at('model.onnx')], options, { onProgress }));
  });
});

describe.each(Object.keys(CHANGES))('a model that is %s', (change) => {
  it.each(['calibrate', 'compare'])('while quantize is at "%s" is told', (stage) =>
    expectQuantizeChanged(change, stage),
  );

  it.each(['write'])('while optimize is at "%s" is told', async (stage) => {
    const path = at('model.onnx');
    const onProgress = changing(path, change, stage);
    await expectChanged(path, optimizeModel(path, { outputPath: at('out.onnx'), speedGate: false }, { onProgress }));
  });

  it('by its data file is told', async () => {
    const path = at('external.onnx.data');
    const onProgress = changing(path, change, 'load');
    await expectChanged(path, quantizeModel(at('external.onnx'), { outputPath: at('out.onnx') }, { onProgress }));
  });

  it.each(['load', 'measure'])('while compare is at "%s" is told', async (stage) => {
    const path = at('external.onnx');
    const onProgress = changing(path, change, stage);
    await expectChanged(path, compare(at('model.onnx'), path, undefined, {}, { onProgress }));
  });
});

describe.each(['removed', 'cut', 'lengthened'])('samples that are %s', (change) => {
  it.each(['calibrate', 'compare'])('while quantize is at "%s" are told', async (stage) => {
    const dataPath = at('calib.npz');
    const onProgress = changing(dataPath, change, stage);
    await expectChanged(
      dataPath,
      quantizeModel(at('model.onnx'), { dataPath, outputPath: at('out.onnx') }, { onProgress }),
    );
  });
});

describe('a model in memory', () => {
  it('whose file is gone cannot be calibrated, which is told as what it is', async () => {
    const model = await readModel(at('model.onnx'));
    unlinkSync(at('model.onnx'));
    await expectChanged(at('model.onnx'), calibrate(model, at('calib.npz')));
    model.source?.close();
  });
});
