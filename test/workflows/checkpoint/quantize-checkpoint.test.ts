import { spawn } from 'node:child_process';
import {
  cpSync,
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
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFileSource } from '../../../src/codec/byte-source.js';
import { readSafetensors } from '../../../src/codec/safetensors/read-safetensors.js';
import { CHECKPOINT_MODES } from '../../../src/targets/vllm/checkpoint-schemes.js';
import { quantizeCheckpoint } from '../../../src/workflows/checkpoint/quantize-checkpoint.js';
import { decodedCheckpoint } from '../../helpers/decoded-checkpoint.js';
import { safetensorsFile, writeSmallCheckpoint } from '../../helpers/small-checkpoint.js';

let folder: string;
let llama: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-checkpoint-'));
  llama = join(folder, 'llama');
  writeSmallCheckpoint(llama, { shards: 3 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const namesOf = (path: string): Map<string, string> => {
  const source = openFileSource(path, 'file');
  const { tensors } = readSafetensors(source);
  source.close();
  return new Map([...tensors.values()].map(({ name, type }) => [name, type]));
};

describe('quantizing a checkpoint for vLLM', () => {
  it.each(CHECKPOINT_MODES)('%s: every linear layer of the body, and nothing else', async (mode) => {
    const outputPath = join(folder, `out-${mode}`);
    const report = await quantizeCheckpoint(llama, { mode, outputPath });
    expect(report.quantized).toHaveLength(14);
    expect(report.left.map(({ name }) => name).sort()).toEqual(['lm_head', 'model.embed_tokens']);
    expect(readdirSync(outputPath).sort()).toEqual(readdirSync(llama).sort());
    expect(readFileSync(join(outputPath, 'tokenizer.json'), 'utf8')).toBe('{"model":{}}');
    const index = JSON.parse(readFileSync(join(outputPath, 'model.safetensors.index.json'), 'utf8'));
    for (const name of readdirSync(outputPath).filter((each) => each.endsWith('.safetensors')))
      for (const tensor of namesOf(join(outputPath, name)).keys()) expect(index.weight_map[tensor]).toBe(name);
    const text = readFileSync(join(outputPath, 'config.json'), 'utf8');
    expect(text).toContain('"rope_theta": 10000.0,');
    expect(JSON.parse(text).quantization_config).toMatchObject({
      quant_method: 'compressed-tensors',
      ignore: ['lm_head'],
    });
    const least = mode === 'w4a16' ? 15 : 30;
    for (const { sqnrDb } of report.quantized) expect(sqnrDb).toBeGreaterThan(least);
    expect(decodedCheckpoint(outputPath).byteLength).toBeGreaterThan(report.parameters.quantized * 2);
  });

  it('gives the same bytes in every run', async () => {
    const paths = ['once', 'twice'].map((name) => join(folder, name));
    for (const outputPath of paths) await quantizeCheckpoint(llama, { mode: 'w4a16', block: 32, outputPath });
    const [once = '', twice = ''] = paths;
    for (const name of readdirSync(once))
      expect(readFileSync(join(once, name))).toEqual(readFileSync(join(twice, name)));
  });

  it('leaves all of the projections that vLLM joins where one of them stays', async () => {
    const report = await quantizeCheckpoint(llama, { exclude: ['*.0.self_attn.k_proj'], dryRun: true });
    const reasons = new Map(report.left.map(({ name, reason }) => [name, reason]));
    expect(reasons.get('model.layers.0.self_attn.k_proj')).toBe('it is excluded');
    expect(reasons.get('model.layers.0.self_attn.q_proj')).toContain('joins it with k_proj');
    expect(reasons.has('model.layers.0.self_attn.o_proj')).toBe(false);
    expect(report.quantized).toHaveLength(11);
  });

  it('leaves layers whose inputs do not fill groups, and says so', async () => {
    const odd = join(folder, 'odd');
    writeSmallCheckpoint(odd, { inner: 96 });
    const report = await quantizeCheckpoint(odd, { mode: 'w4a16', dryRun: true });
    expect(report.left.find(({ name }) => name.endsWith('0.mlp.down_proj'))?.reason).toMatch(
      /96 inputs are not a multiple of 128/,
    );
    expect((await quantizeCheckpoint(odd, { mode: 'w4a16', block: 32, dryRun: true })).quantized).toHaveLength(14);
    expect(existsSync(join(folder, 'odd-w4a16'))).toBe(false);
  });

  it('follows the links of a download cache', async () => {
    const [blobs, snapshot] = [join(folder, 'blobs'), join(folder, 'snapshot')];
    writeSmallCheckpoint(blobs);
    mkdirSync(snapshot);
    for (const name of readdirSync(blobs)) symlinkSync(join(blobs, name), join(snapshot, name));
    const report = await quantizeCheckpoint(snapshot, { outputPath: join(folder, 'from-cache') });
    expect(report.files.map(({ path }) => path)).toContain('tokenizer.json');
  });

  it('goes on where an interrupted run was, to the same bytes', async () => {
    const large = join(folder, 'large');
    writeSmallCheckpoint(large, { shards: 4, layers: 3 });
    const [outputPath, whole] = [join(folder, 'resumed'), join(folder, 'whole')];
    await quantizeCheckpoint(large, { outputPath: whole });
    const stop = new AbortController();
    const onProgress = (event: { readonly kind: string; readonly done?: number }): void => {
      if (event.kind === 'advance' && (event.done ?? 0) > 200_000) stop.abort();
    };
    await expect(quantizeCheckpoint(large, { outputPath }, { signal: stop.signal, onProgress })).rejects.toMatchObject({
      code: 'SO8130',
      hint: expect.stringContaining('same command again'),
    });
    expect(existsSync(outputPath)).toBe(false);
    const partial = join(folder, '.resumed.serve-opt-partial');
    const journal = readFileSync(join(partial, 'journal'), 'utf8').trim().split('\n');
    expect(journal.length).toBeGreaterThan(2);
    // A line that was cut off by a crash counts for nothing.
    writeFileSync(join(partial, 'journal'), `${journal.join('\n')}\n{"shard":"mod`);
    const report = await quantizeCheckpoint(large, { outputPath });
    expect(report.resumed).toBe(true);
    expect(report.quantized.every(({ sqnrDb }) => Number.isFinite(sqnrDb))).toBe(true);
    for (const name of readdirSync(whole))
      expect(readFileSync(join(outputPath, name))).toEqual(readFileSync(join(whole, name)));
    expect(existsSync(partial)).toBe(false);
  });

  it('begins anew where an earlier run was of other options', async () => {
    const outputPath = join(folder, 'anew');
    const stop = new AbortController();
    const onProgress = (event: { readonly kind: string }): void => {
      if (event.kind === 'advance') stop.abort();
    };
    await expect(quantizeCheckpoint(llama, { outputPath }, { signal: stop.signal, onProgress })).rejects.toMatchObject({
      code: 'SO8130',
    });
    expect((await quantizeCheckpoint(llama, { outputPath, mode: 'fp8' })).resumed).toBe(false);
  });

  it('leaves nothing under the final name when it is killed, and goes on', async () => {
    const outputPath = join(folder, 'killed');
    const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'serve-opt.js');
    for (const delayMs of [150, 300, 450]) {
      const child = spawn(process.execPath, [program, 'quantize', llama, '--for', 'vllm', '-o', outputPath]);
      setTimeout(() => child.kill('SIGKILL'), delayMs);
      await new Promise((resolve) => child.once('exit', resolve));
      if (existsSync(outputPath)) expect(readdirSync(outputPath).sort()).toEqual(readdirSync(llama).sort());
    }
    await quantizeCheckpoint(llama, { outputPath, force: true });
    expect(readdirSync(folder).filter((name) => name.startsWith('.killed'))).toEqual([]);
  });

  it('refuses a second run to the same folder', async () => {
    const outputPath = join(folder, 'shared');
    let second: Promise<unknown> | undefined;
    const onProgress = (event: { readonly kind: string }): void => {
      if (event.kind === 'advance')
        second ??= quantizeCheckpoint(llama, { outputPath }).then(
          () => 'done',
          (error: unknown) => error,
        );
    };
    await quantizeCheckpoint(llama, { outputPath }, { onProgress });
    expect(await second).toMatchObject({ code: 'SO1005' });
  });
});

describe('checkpoints that cannot be used', () => {
  const variant = (name: string, change: (path: string) => void): string => {
    const path = join(folder, name);
    cpSync(llama, path, { recursive: true });
    change(path);
    return path;
  };
  const editIndex = (path: string, edit: (map: Record<string, string>) => void): void => {
    const file = join(path, 'model.safetensors.index.json');
    const index = JSON.parse(readFileSync(file, 'utf8'));
    edit(index.weight_map);
    writeFileSync(file, JSON.stringify(index));
  };
  const cases: readonly [title: string, change: (path: string) => void, code: string, why: RegExp][] = [
    ['without a configuration', (path) => rmSync(join(path, 'config.json')), 'SO2022', /no config\.json/],
    ['with a configuration that is no JSON', (path) => writeFileSync(join(path, 'config.json'), '{'), 'SO2022', /JSON/],
    [
      'with weights of PyTorch only',
      (path) => {
        for (const name of readdirSync(path)) if (name.includes('safetensors')) rmSync(join(path, name));
        writeFileSync(join(path, 'pytorch_model.bin'), '');
      },
      'SO2022',
      /run code/,
    ],
    [
      'with a missing weight file',
      (path) => rmSync(join(path, 'model-00002-of-00003.safetensors')),
      'SO2023',
      /not in the folder/,
    ],
    [
      'whose index leads out of the folder',
      (path) => editIndex(path, (map) => (map['lm_head.weight'] = '../llama/model-00001-of-00003.safetensors')),
      'SO2023',
      /plain file name/,
    ],
    [
      'whose index has an absolute path',
      (path) => editIndex(path, (map) => (map['lm_head.weight'] = '/etc/x.safetensors')),
      'SO2023',
      /plain file name/,
    ],
    [
      'whose index names a tensor that is not there',
      (path) => editIndex(path, (map) => (map.more = map['lm_head.weight'] ?? '')),
      'SO2023',
      /does not hold it/,
    ],
    [
      'whose index misses a tensor',
      (path) => editIndex(path, (map) => delete map['lm_head.weight']),
      'SO2023',
      /does not name/,
    ],
    [
      'that is quantized',
      (path) => writeFileSync(join(path, 'config.json'), '{"quantization_config":{"quant_method":"gptq"}}'),
      'SO2024',
      /gptq/,
    ],
    [
      'of Conv1D layers',
      (path) => writeFileSync(join(path, 'config.json'), '{"model_type":"gpt2"}'),
      'SO3561',
      /Conv1D/,
    ],
    [
      'with a NaN in a layer',
      (path) => {
        for (const name of readdirSync(path)) if (name.includes('safetensors')) rmSync(join(path, name));
        const values = new Float32Array(128 * 128);
        values[5] = Number.NaN;
        writeFileSync(
          join(path, 'model.safetensors'),
          safetensorsFile(new Map([['a.q_proj.weight', { shape: [128, 128], values }]])),
        );
      },
      'SO3562',
      /NaN/,
    ],
  ];
  it.each(cases)('%s', async (title, change, code, why) => {
    const path = variant(title.replaceAll(/\W/g, '-'), change);
    await expect(quantizeCheckpoint(path)).rejects.toMatchObject({ code, why: expect.stringMatching(why) });
    expect(existsSync(`${path}-w8a8`)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.serve-opt-partial'))).toEqual([]);
  });

  it('whose result is to be written into them, or stands there already', async () => {
    await expect(quantizeCheckpoint(llama, { outputPath: join(llama, 'out') })).rejects.toMatchObject({
      code: 'SO1004',
    });
    await expect(quantizeCheckpoint(llama, { outputPath: join(folder, 'none', 'out') })).rejects.toMatchObject({
      code: 'SO6001',
    });
    mkdirSync(join(folder, 'taken'), { recursive: true });
    writeFileSync(join(folder, 'taken', 'mine'), '');
    await expect(quantizeCheckpoint(llama, { outputPath: join(folder, 'taken') })).rejects.toMatchObject({
      code: 'SO1005',
    });
  });

  it('with patterns that mean no module', async () => {
    await expect(quantizeCheckpoint(llama, { exclude: ['model.layers.0.self_attn.q_prj'] })).rejects.toMatchObject({
      code: 'SO1003',
      hint: expect.stringContaining('q_proj'),
    });
  });
});
