/** The way of every command that makes a model, walked by a small command of its own parts. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../../src/errors.js';
import type { Model } from '../../../src/ir/model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import type { ProduceOptions, ProgressEvent, WorkflowContext } from '../../../src/workflows/options.js';
import type { ModelCommand, ProducedReport } from '../../../src/workflows/produce/model-command.js';
import { produceModel } from '../../../src/workflows/produce/produce-model.js';

/** Makes the model another one by naming its producer, until it is called `good`. */
type Rename = ModelCommand<ProduceOptions, ProducedReport, readonly string[], { readonly model: Model }, string>;

let folder: string;
let path: string;
let log: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  path = join(folder, 'model.onnx');
  log = [];
  await writeModel(
    parseModel('<ir_version: 8, opset_import: ["" : 17]> g (float[N, 4] x) => (float[N, 4] y) { y = Relu (x) }'),
    path,
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function renamed(model: Model, name: string): { readonly model: Model } {
  const copy = model.clone();
  copy.producerName = name;
  return { model: copy };
}

const command = (parts: Partial<Rename> = {}): Rename => ({
  name: 'optimize',
  tag: () => 'named',
  samplePaths: () => [],
  prepare: async (run) => {
    run.onClose(() => void log.push('close first'));
    run.onClose(() => void log.push('close second'));
    return ['bad', 'good'];
  },
  make: async ({ model }, [first = '']) => renamed(model, first),
  check: async ({ model }, names, candidate, { stagedPath }) => {
    log.push(`${candidate.model.producerName} ${existsSync(stagedPath) ? 'is written' : 'is not there'}`);
    const next = names[names.indexOf(candidate.model.producerName) + 1];
    return next === undefined ? { verdict: 'stands' } : { next: renamed(model, next) };
  },
  describe: async (run, _names, { staged, verdict }) => ({
    ...(await run.reportHeader('optimize', false)),
    ...(await run.reportFiles(staged)),
    warnings: run.warnings,
    notes: [verdict],
  }),
  ...parts,
});

const produce = (
  options: ProduceOptions = {},
  parts: Partial<Rename> = {},
  context: WorkflowContext = {},
): Promise<ProducedReport> => produceModel(path, options, context, command(parts));

const files = (): readonly string[] => readdirSync(folder).sort();

describe('produceModel', () => {
  it('writes and checks candidates until one stands, which appears with its report', async () => {
    const report = await produce();
    expect(log).toEqual(['bad is written', 'good is written', 'close second', 'close first']);
    expect(files()).toEqual(['model.named.onnx', 'model.named.report.json', 'model.onnx']);
    expect(report).toMatchObject({ command: 'optimize', notes: ['stands'], output: { name: 'model.named.onnx' } });
    expect(report.input.sha256).not.toBe(report.output.sha256);
    expect(JSON.parse(readFileSync(join(folder, 'model.named.report.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(report)),
    );
  });

  it('does all of it in a dry run but leave something', async () => {
    const report = await produce({ dryRun: true });
    expect(log).toContain('good is written');
    expect(report.output.sizeBytes).toBeGreaterThan(0);
    expect(files()).toEqual(['model.onnx']);
  });

  const broken = new ServeOptError('SO5002', 'broken');
  it.each([
    ['prepare', { prepare: () => Promise.reject(broken) }],
    ['make', { make: () => Promise.reject(broken) }],
    ['check', { check: () => Promise.reject(broken) }],
    ['describe', { describe: () => Promise.reject(broken) }],
  ] as const)('leaves nothing and closes everything where %s throws', async (name, parts) => {
    await expect(produce({}, parts)).rejects.toBe(broken);
    expect(files()).toEqual(['model.onnx']);
    expect(log.filter((line) => line.startsWith('close'))).toEqual(
      name === 'prepare' ? [] : ['close second', 'close first'],
    );
  });

  it('closes the rest where closing something fails, and says so', async () => {
    const parts: Partial<Rename> = {
      prepare: async (run) => {
        run.onClose(() => void log.push('close first'));
        run.onClose(() => Promise.reject(broken));
        return ['good'];
      },
    };
    await expect(produce({}, parts)).rejects.toBe(broken);
    expect(log).toContain('close first');
  });

  it('takes no output that stands there, unless it is forced to', async () => {
    const outputPath = join(folder, 'out.onnx');
    writeFileSync(outputPath, 'mine');
    await expect(produce({ outputPath })).rejects.toMatchObject({ code: 'SO1005' });
    expect(log).toEqual([]);
    expect(readFileSync(outputPath, 'utf8')).toBe('mine');
    await produce({ outputPath, force: true });
    expect(readFileSync(outputPath).length).toBeGreaterThan(10);
  });

  it('tells its files before any work, samples included', async () => {
    const parts = { samplePaths: () => [join(folder, 'model.onnx')] };
    const reads: (readonly string[])[] = [];
    const options: ProduceOptions = { onFiles: (run) => reads.push(run.reads), dryRun: true };
    await expect(produce(options, parts)).rejects.toMatchObject({ code: 'SO4001' });
    await produce(options);
    expect(reads).toEqual([[path]]);
  });

  it('ends where it stands when it is aborted, and leaves nothing', async () => {
    const abort = new AbortController();
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind === 'end' && event.stage === 'write') abort.abort();
    };
    const running = produce({}, {}, { signal: abort.signal, onProgress });
    await expect(running).rejects.toMatchObject({ code: 'SO8130' });
    expect(files()).toEqual(['model.onnx']);
  });

  it('delivers nothing where the model changed meanwhile', async () => {
    const parts: Partial<Rename> = {
      check: async () => {
        writeFileSync(path, 'another');
        return { verdict: 'stands' };
      },
    };
    await expect(produce({}, parts)).rejects.toMatchObject({ code: 'SO2008' });
    expect(files()).toEqual(['model.onnx']);
  });
});
