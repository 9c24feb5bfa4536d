import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { tensorType } from '../../src/ir/type.js';
import { writeModel } from '../../src/ir/write-model.js';
import { compare } from '../../src/workflows/compare.js';
import { distill } from '../../src/workflows/distill.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';
import { decoderLogits, meanNegativeLogLikelihood } from '../helpers/decoder-logits.js';
import { type DecoderOptions, decoderModel } from '../helpers/decoder-model.js';

const LLAMA: DecoderOptions = { style: 'llama', keyValueHeads: 2, width: 32, heads: 4 };
const CONFIG = {
  model: {
    context_length: 8,
    pad_token_id: 3,
    decoder: {
      filename: 'model.onnx',
      head_size: 8,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      inputs: {
        input_ids: 'words',
        attention_mask: 'shown',
        position_ids: 'places',
        past_key_names: 'kv_%d_k_in',
        past_value_names: 'kv_%d_v_in',
      },
    },
  },
  search: { top_p: 1 },
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'serve-opt-genai-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A decoder whose inputs are called as no exporter does, with open heads and sizes of heads. */
function strangeDecoder(): Model {
  const model = decoderModel(LLAMA);
  const names = new Map([
    ['input_ids', 'words'],
    ['attention_mask', 'shown'],
    ['position_ids', 'places'],
  ]);
  for (const input of model.graph.inputs) {
    const [, layer, part] = /^past_key_values\.(\d+)\.(key|value)$/.exec(input.name) ?? [];
    if (layer !== undefined) {
      input.name = `kv_${layer}_${part === 'key' ? 'k' : 'v'}_in`;
      input.type = tensorType(1, ['batch_size', 'kv_heads', 'past_sequence_length', 'head_size']);
    } else input.name = names.get(input.name) ?? input.name;
  }
  return model;
}

async function folderOf(name: string, model: Model, config: unknown = CONFIG): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder);
  await writeModel(model, join(folder, 'model.onnx'));
  writeFileSync(
    join(folder, 'genai_config.json'),
    typeof config === 'string' ? config : JSON.stringify(config, null, 4).replace('"top_p": 1', '"top_p": 1.0'),
  );
  writeFileSync(join(folder, 'tokenizer.json'), '{}');
  writeFileSync(join(folder, 'tokenizer_config.json'), '{}');
  writeFileSync(join(folder, 'notes.md'), 'not needed');
  return folder;
}

const tokens = (length: number): number[] => Array.from({ length }, (_, at) => (at * at + 5 * at) % 61);

describe('a folder of ONNX Runtime GenAI', () => {
  it('tells what inputs are, how large the empty cache is, and how many positions there are', async () => {
    const folder = await folderOf('strange', strangeDecoder());
    const [path, data] = [join(folder, 'model.onnx'), join(root, 'strange.jsonl')];
    writeFileSync(data, `${JSON.stringify({ words: tokens(14) })}\n`);
    const { comparison, notes, reading } = await compare(path, path, data, { latency: false });
    const windows = [tokens(14).slice(0, 8), tokens(14).slice(8)];
    let [loss, count] = [0, 0];
    for (const each of windows) {
      loss += meanNegativeLogLikelihood(decoderLogits(LLAMA, each), each) * (each.length - 1);
      count += each.length - 1;
    }
    const [perplexity] = comparison.metrics ?? [];
    expect(perplexity?.metric).toBe('perplexity');
    expect(perplexity?.a.n).toBe(12);
    expect(Math.abs((perplexity?.a.value ?? 0) / Math.exp(loss / count) - 1)).toBeLessThan(1e-4);
    expect(reading?.summary).toBe('inputs of the decoder are those of genai_config.json');
    expect(notes.join()).toContain('genai_config.json');
  });

  it('tells distill the same', async () => {
    const folder = await folderOf('taught', strangeDecoder());
    const data = join(root, 'taught.jsonl');
    writeFileSync(data, [0, 7, 20].map((at) => JSON.stringify({ words: tokens(28).slice(at, at + 8) })).join('\n'));
    const teacher = join(folder, 'model.onnx');
    const options = { outputName: 'logits', measure: false } as const;
    const report = await distill({ kind: 'models', teacher, students: [teacher], dataPath: data }, options);
    expect(report.notes.join()).toContain('genai_config.json');
    expect(report.students[0]?.quality.value).toBe(0);
  });

  it('is not needed where sizes of heads are given', async () => {
    const path = join(root, 'open.onnx');
    const model = decoderModel(LLAMA);
    for (const input of model.graph.inputs)
      if (input.name.startsWith('past'))
        input.type = tensorType(1, ['batch_size', 'kv_heads', 'past_sequence_length', 'head_size']);
    await writeModel(model, path);
    const data = join(root, 'open.jsonl');
    writeFileSync(data, `${JSON.stringify(tokens(6))}\n`);
    await expect(compare(path, path, data, { latency: false })).rejects.toMatchObject({
      code: 'SO4009',
      hint: expect.stringContaining('--dim kv_heads=N --dim head_size=N'),
    });
    const dims = new Map([
      ['kv_heads', 2],
      ['head_size', 8],
    ]);
    const { comparison } = await compare(path, path, { kind: 'data', path: data, dims }, { latency: false });
    const expected = Math.exp(meanNegativeLogLikelihood(decoderLogits(LLAMA, tokens(6)), tokens(6)));
    expect(Math.abs((comparison.metrics?.[0]?.a.value ?? 0) / expected - 1)).toBeLessThan(1e-4);
    const outputPath = join(root, 'open.int8.onnx');
    const report = await quantizeModel(path, { mode: 'dynamic', dataPath: data, dims, outputPath, allowSlower: true });
    expect(report.verification.runs).toBe('passed');
  });

  it('is written whole: the configuration with the name of the result, and the tokenizer', async () => {
    const folder = await folderOf('whole', decoderModel(LLAMA));
    const target = join(root, 'whole-8');
    const quick = { mode: 'dynamic', allowSlower: true, optimize: false, verify: false } as const;
    const report = await quantizeModel(join(folder, 'model.onnx'), { ...quick, outputPath: `${target}/` });
    expect(readdirSync(target).sort()).toEqual([
      'genai_config.json',
      'model.onnx',
      'model.report.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readFileSync(join(target, 'genai_config.json'))).toEqual(readFileSync(join(folder, 'genai_config.json')));
    expect(report.notes).toContain(
      'Copied beside the result: tokenizer.json, tokenizer_config.json, genai_config.json.',
    );
    // Another name: nothing but it changes. What is there stays.
    const other = join(root, 'whole-other');
    mkdirSync(other);
    writeFileSync(join(other, 'tokenizer.json'), 'mine');
    await quantizeModel(join(folder, 'model.onnx'), { ...quick, outputPath: join(other, 'small.onnx') });
    expect(readFileSync(join(other, 'tokenizer.json'), 'utf8')).toBe('mine');
    expect(readFileSync(join(other, 'genai_config.json'), 'utf8')).toBe(
      readFileSync(join(folder, 'genai_config.json'), 'utf8').replace('model.onnx', 'small.onnx'),
    );
    const again = await quantizeModel(join(folder, 'model.onnx'), { ...quick, outputPath: join(other, 'third.onnx') });
    expect(again.notes.join()).toContain(
      'genai_config.json in the folder of the result is kept, and loads "small.onnx".',
    );
    const beside = await quantizeModel(join(folder, 'model.onnx'), quick);
    expect(beside.notes.join()).toContain('set its decoder.filename to "model.int8.onnx"');
    expect(readFileSync(join(folder, 'genai_config.json'), 'utf8')).toContain('"model.onnx"');
  });

  it('leaves no folder behind where nothing comes of it', async () => {
    const folder = await folderOf('refused', decoderModel(LLAMA));
    const target = join(root, 'refused-8');
    await expect(
      quantizeModel(join(folder, 'model.onnx'), { mode: 'dynamic', exclude: ['none-such'], outputPath: `${target}/` }),
    ).rejects.toThrow();
    expect(existsSync(target)).toBe(false);
  });

  it.each([
    ['{"model": ', 'it is not valid JSON'],
    ['{"model": {}}', 'it has no "model.decoder"'],
  ])('says why a configuration is not used: %s', async (text, why) => {
    const folder = await folderOf(`broken-${text.length}`, decoderModel(LLAMA), text);
    const data = join(root, 'broken.jsonl');
    writeFileSync(data, '[1, 2, 3]\n');
    const path = join(folder, 'model.onnx');
    const { notes, comparison } = await compare(path, path, data, { latency: false });
    expect(notes.join()).toContain(`genai_config.json beside the model is not used: ${why}`);
    expect(comparison.metrics?.[0]?.metric).toBe('perplexity');
  });
});
