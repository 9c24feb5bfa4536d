/** Passes that are wrong, that ONNX Runtime refuses, that break the interface, that grow, that are slow: none gets through. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { allNodes } from '../../src/ir/walk.js';
import { writeModel } from '../../src/ir/write-model.js';
import { addConstant } from '../../src/passes/constants.js';
import { takeOver } from '../../src/passes/nodes.js';
import type { PresetRow } from '../../src/passes/presets.js';
import type { OptimizeReport } from '../../src/report/types.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { optimizeModel } from '../../src/workflows/optimize-model.js';
import type { OptimizeOptions } from '../../src/workflows/options.js';
import { dropAddition, ownPass, reluBecomes, slowRelu } from './own-passes.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function written(text: string): Promise<string> {
  const path = join(mkdtempSync(join(folder, 'in-')), 'model.onnx');
  await writeModel(parseModel(`<ir_version: 8, opset_import: ["" : 17]> ${text}`), path);
  return path;
}

interface Result {
  readonly report: OptimizeReport;
  readonly opTypes: readonly string[];
  readonly outputPath: string;
}

async function optimized(path: string, own: readonly PresetRow[], options: OptimizeOptions = {}): Promise<Result> {
  const outputPath = join(mkdtempSync(join(folder, 'out-')), 'out.onnx');
  const report = await optimizeModel(path, { outputPath, ownPasses: own, speedGate: false, ...options });
  const model = await readModel(outputPath);
  const opTypes = [...allNodes(model)].map(({ opType }) => opType);
  model.source?.close();
  return { report, opTypes, outputPath };
}

/** Sixteen Relus named r0 to r15 with an Identity before each. */
const CHAIN = `g (float[N, 4] x) => (float[N, 4] y) {
  ${Array.from({ length: 16 }, (_, i) => `i${i} = Identity (${i === 0 ? 'x' : `n${i - 1}`}) [r${i}] s${i} = Relu (i${i}) n${i} = Neg (s${i})`).join(' ')}
  y = Neg (n15)
}`;

describe('a wrong rewrite', () => {
  it('is found, left out and named, and the rest delivered', async () => {
    const path = await written(CHAIN);
    const wrong = reluBecomes('relu-is-abs', 'Abs', { when: (node) => node.name === 'r11' });
    const { report, opTypes } = await optimized(path, [wrong]);
    expect(report.dropped).toHaveLength(1);
    expect(report.dropped[0]).toMatchObject({ pass: 'relu-is-abs', node: 'r11', opType: 'Relu' });
    expect(report.dropped[0]?.reason).toContain('the output "y" is wrong: element');
    expect(report.warnings.join(' ')).toContain('A rewrite of relu-is-abs at Relu "r11" made the model wrong');
    expect(opTypes).not.toContain('Abs');
    expect(opTypes).not.toContain('Identity');
    expect(report.verification.runs).toBe('passed');
    expect(report.passes.map(({ pass }) => pass)).toContain('eliminate-identity');
    expect(report.passes.map(({ pass }) => pass)).not.toContain('relu-is-abs');
  });

  it('takes its pass along when there are many', async () => {
    const { report, opTypes } = await optimized(await written(CHAIN), [reluBecomes('relu-is-abs', 'Abs')]);
    expect(report.dropped.map(({ node }) => node === undefined)).toEqual([false, false, true]);
    expect(report.warnings.join(' ')).toContain('The pass relu-is-abs made the model wrong');
    expect(opTypes.filter((type) => type === 'Relu')).toHaveLength(16);
    expect(opTypes).not.toContain('Identity');
  });

  it('is found by edge cases where samples do not show it', async () => {
    const path = await written(`g (float[N, 4] x) => (float[N, 4] y) <float zero = {0}>
      { a = Identity (x) y = Add (a, zero) }`);
    const { report } = await optimized(path, [dropAddition], { remove: ['eliminate-add-zero'] });
    expect(report.dropped.map(({ pass }) => pass)).toEqual(['drop-addition']);
    expect(report.dropped[0]?.reason).toContain('on inputs of negative zeros');
    // Said to round, it is right within rounding.
    const rounded = ownPass(
      'drop-addition',
      (node) => takeOver(node, { opType: 'Identity', inputs: [node.input(0)] }),
      {
        roots: ['Add'],
        numerics: 'reassociates',
      },
    );
    expect((await optimized(path, [rounded], { remove: ['eliminate-add-zero'] })).report.dropped).toEqual([]);
  });

  it('is found where ONNX Runtime refuses the result', async () => {
    const wrong = reluBecomes('relu-is-nonsense', 'Nonsense', { when: (node) => node.name === 'r3' });
    const { report, opTypes } = await optimized(await written(CHAIN), [wrong]);
    expect(report.dropped).toMatchObject([{ pass: 'relu-is-nonsense', node: 'r3' }]);
    expect(report.dropped[0]?.reason).toContain('Nonsense');
    expect(opTypes).not.toContain('Nonsense');
  });

  it('is found where the result does not run', async () => {
    const wrong = ownPass(
      'gather-wrongly',
      (node) => {
        const beyond = addConstant(node.graph, 'beyond', Tensor.int64([99]), node);
        return takeOver(node, { opType: 'Gather', inputs: [node.input(0), beyond] });
      },
      { when: (node) => node.name === 'r3' },
    );
    const { report } = await optimized(await written(CHAIN), [wrong]);
    expect(report.dropped).toMatchObject([{ pass: 'gather-wrongly', node: 'r3' }]);
    expect(report.dropped[0]?.reason).toContain('it does not run');
  });

  it('is found by the interface alone when nothing is run', async () => {
    const wrong = ownPass('flatten-output', (node) => {
      const output = node.output();
      output.type = { kind: 'tensor', dataType: 1, shape: ['M'] };
      return takeOver(node, { opType: 'Abs', inputs: [node.input(0)] });
    });
    const path = await written('g (float[N] x) => (float[N] y) { a = Identity (x) y = Relu (a) }');
    const { report, opTypes } = await optimized(path, [wrong], { verify: false });
    expect(report.dropped).toMatchObject([{ pass: 'flatten-output', node: 'y' }]);
    expect(report.dropped[0]?.reason).toContain('its output 1 is "y": float[M] instead of "y": float[N]');
    expect(opTypes).toEqual(['Relu']);
  });

  it('does not blame passes for a model that is random', async () => {
    const path = await written(`g (float[N, 4] x) => (float[N, 4] y)
      { a = Identity (x) r = RandomNormalLike (a) y = Add (a, r) }`);
    const { report, opTypes } = await optimized(path, []);
    expect(opTypes).toEqual(['RandomNormalLike', 'Add']);
    expect(report.dropped).toEqual([]);
    expect(report.verification).toMatchObject({ runs: 'passed', random: ['y'] });
    expect(report.warnings.join(' ')).toContain('random numbers');
  });
});

describe('growth', () => {
  const growsBy = (elements: number) =>
    ownPass(
      'write-out',
      (node) => {
        const large = addConstant(node.graph, 'large', Tensor.float32(new Float32Array(elements)), node);
        const first = node.graph.addNode({ opType: 'ReduceSum', inputs: [large], outputs: [{}] }, node);
        const flat = node.graph.addNode({ opType: 'Squeeze', inputs: [first.output()], outputs: [{}] }, node);
        return takeOver(node, { opType: 'Max', inputs: [node.input(0), flat.output()] });
      },
      { numerics: 'reassociates' },
    );
  const grows = growsBy(1000);
  const PLAIN = 'g (float[N] x) => (float[N] y) { a = Identity (x) y = Relu (a) }';

  it('of some hundred bytes is none, unless it is forbidden', async () => {
    const path = await written(PLAIN);
    const { opTypes } = await optimized(path, [growsBy(60)], { remove: ['fold-constants'] });
    expect(opTypes).toContain('Max');
    const options = { remove: ['fold-constants'], maxGrowth: 0, explain: true } as const;
    const strict = await optimized(path, [growsBy(60)], options);
    expect(strict.opTypes).toEqual(['Relu']);
    expect(strict.report.nearMisses).toContainEqual({
      pass: 'write-out',
      node: 'y',
      opType: 'Relu',
      reason: expect.stringMatching(/^the file would grow by \d+ bytes, .*--max-growth/),
    });
  });

  it('beyond what was allowed is not handed over', async () => {
    const { report, opTypes } = await optimized(await written(PLAIN), [grows], { remove: ['fold-constants'] });
    expect(opTypes).toEqual(['Relu']);
    expect(report.output.sizeBytes).toBeLessThanOrEqual(report.input.sizeBytes);
    expect(report.notes.join(' ')).toContain('the file would have grown');
  });

  it.each(['5kB', '9000%', 'none', 5000])('of %s is allowed on request', async (maxGrowth) => {
    const { opTypes } = await optimized(await written(PLAIN), [grows], { remove: ['fold-constants'], maxGrowth });
    expect(opTypes).toContain('Max');
  });
});

describe('the speed gate', () => {
  const RELU = 'g (float[256, 256] x) => (float[256, 256] y) { a = Identity (x) [r] y = Relu (a) }';

  it('leaves out a fusion that makes the model slower, and says by how much', async () => {
    const { report, opTypes } = await optimized(await written(RELU), [slowRelu(20)], {
      speedGate: true,
      maxGrowth: 'none',
    });
    expect(report.slower.map(({ pass }) => pass)).toEqual(['slow-relu']);
    expect(report.slower[0]?.ratioLow).toBeGreaterThan(1);
    expect(opTypes).toEqual(['Relu']);
    expect(report.verification.runs).toBe('passed');
    expect(report.notes.join(' ')).toContain('slow-relu');
  });

  it('hands over the original when everything is slower', async () => {
    const path = await written(RELU);
    const { report, outputPath } = await optimized(path, [slowRelu(20, 'rewrite')], {
      speedGate: true,
      maxGrowth: 'none',
    });
    expect(report.notes.join(' ')).toContain('slower on this machine');
    expect(readFileSync(outputPath).equals(readFileSync(path))).toBe(true);
  });

  it('measures without verification too', async () => {
    const { report } = await optimized(await written(RELU), [], { speedGate: true, verify: false });
    expect(report.latency?.ratio).toBeGreaterThan(0);
    expect(report.verification.runs).toBe('skipped');
  });
});
