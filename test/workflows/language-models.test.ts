import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { compare } from '../../src/workflows/compare.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';
import { decoderLogits, meanNegativeLogLikelihood } from '../helpers/decoder-logits.js';
import { type DecoderOptions, decoderModel } from '../helpers/decoder-model.js';
import { npy } from '../helpers/npy.js';

const LLAMA: DecoderOptions = { style: 'llama', keyValueHeads: 2 };
const TEXTS = [
  [3, 17, 60, 0, 5],
  [9, 9, 31, 42, 7, 1, 2, 3],
  [50, 4],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-language-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function written(name: string, options: DecoderOptions): Promise<string> {
  const path = join(folder, `${name}.onnx`);
  await writeModel(decoderModel(options), path, { force: true });
  return path;
}

function lines(name: string, rows: readonly unknown[]): string {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

/** Perplexity over all tokens of all texts, by the plain computation. */
function plainPerplexity(options: DecoderOptions, texts: readonly (readonly number[])[]): number {
  let [loss, tokens] = [0, 0];
  for (const text of texts) {
    loss += meanNegativeLogLikelihood(decoderLogits(options, text), text) * (text.length - 1);
    tokens += text.length - 1;
  }
  return Math.exp(loss / tokens);
}

/** Texts of one length, filled up on the left, with a mask. */
function padded(texts: readonly (readonly number[])[]) {
  const length = Math.max(...texts.map((text) => text.length));
  return texts.map((text) => ({
    input_ids: [...new Array<number>(length - text.length).fill(0), ...text],
    attention_mask: Array.from({ length }, (_, at) => (at < length - text.length ? 0 : 1)),
  }));
}

const quick = { latency: false } as const;

describe('a decoder with past', () => {
  it.each([
    ['gpt2', { style: 'gpt2', cacheNames: 'past_key_N' }],
    ['llama', LLAMA],
    ['gqa', { style: 'llama', keyValueHeads: 1, attention: 'gqa', width: 64 }],
  ] as const)('has the perplexity of the plain computation: %s', async (name, options) => {
    const path = await written(name, options);
    const expected = plainPerplexity(options, TEXTS);
    const data = lines(`${name}.jsonl`, TEXTS);
    const { comparison } = await compare(path, path, { kind: 'data', path: data }, quick);
    expect(comparison.samples).toBe(3);
    const [perplexity, accuracy] = comparison.metrics ?? [];
    expect(perplexity).toMatchObject({ metric: 'perplexity', output: 'logits', higherIsBetter: false, difference: 0 });
    expect(perplexity?.a.n).toBe(12);
    expect(Math.abs((perplexity?.a.value ?? 0) / expected - 1)).toBeLessThan(1e-4);
    expect(perplexity?.a.low).toBeLessThan(expected);
    expect(perplexity?.a.high).toBeGreaterThan(expected);
    expect(accuracy).toMatchObject({ metric: 'next-token accuracy' });
    expect(comparison.outputs.find(({ name: output }) => output === 'logits')?.top1Agreement?.value).toBe(1);
  });

  it('is fed the same with rows that are filled up on the left', async () => {
    const path = await written('left', LLAMA);
    const data = lines('left.jsonl', padded(TEXTS));
    const { comparison } = await compare(path, path, { kind: 'data', path: data }, quick);
    const [perplexity] = comparison.metrics ?? [];
    expect(perplexity?.a.n).toBe(12);
    expect(Math.abs((perplexity?.a.value ?? 0) / plainPerplexity(LLAMA, TEXTS) - 1)).toBeLessThan(1e-4);
  });

  it('says by how much another one is worse, with an interval over the samples', async () => {
    const a = await written('one', LLAMA);
    const b = await written('two', { ...LLAMA, seed: 2 });
    const data = lines(
      'both.jsonl',
      TEXTS.map((ids) => ({ input_ids: ids })),
    );
    const { comparison } = await compare(a, b, { kind: 'data', path: data }, quick);
    const [perplexity] = comparison.metrics ?? [];
    const { difference = 0, differenceLow = 0, differenceHigh = 0 } = perplexity ?? {};
    expect(
      Math.abs(difference / (plainPerplexity({ ...LLAMA, seed: 2 }, TEXTS) - plainPerplexity(LLAMA, TEXTS)) - 1),
    ).toBeLessThan(1e-3);
    expect(differenceLow).toBeLessThan(difference);
    expect(differenceHigh).toBeGreaterThan(difference);
  });

  it('names a token that its vocabulary does not have', async () => {
    const path = await written('range', LLAMA);
    const data = lines('range.jsonl', [
      [1, 2],
      [1, 2, 61],
    ]);
    await expect(compare(path, path, { kind: 'data', path: data }, quick)).rejects.toMatchObject({
      code: 'SO4010',
      message: 'Sample 1 has the token 61 at position 2',
      why: 'the vocabulary of the model has 61 tokens, 0 to 60',
    });
  });

  it('takes texts with a tokenizer', async () => {
    const options: DecoderOptions = { ...LLAMA, vocabulary: 500 };
    const path = await written('texts', options);
    const data = join(folder, 'lines.txt');
    writeFileSync(data, 'Beautiful is better than ugly.\nExplicit is better than implicit.\n');
    const tokenizerPath = join(import.meta.dirname, '../samples/texts/references/llama.json');
    const { comparison } = await compare(
      path,
      path,
      { kind: 'data', path: data },
      { ...quick, reading: { tokenizerPath, maxLength: 16 } },
    );
    expect(comparison.samples).toBe(2);
    expect(comparison.metrics?.[0]?.metric).toBe('perplexity');
  });

  it('is fed a stream of tokens in windows that follow each other', async () => {
    const path = await written('stream', LLAMA);
    const stream = Array.from({ length: 45 }, (_, at) => (at * at + 3 * at) % 61);
    const windows = [stream.slice(0, 20), stream.slice(20, 40), stream.slice(40)];
    const expected = plainPerplexity(LLAMA, windows);
    const flat = join(folder, 'stream.npy');
    writeFileSync(flat, npy('<u2', [45], new Uint8Array(Uint16Array.from(stream).buffer)));
    const hidden = { input_ids: [0, 0, ...stream], attention_mask: [0, 0, ...stream.map(() => 1)] };
    for (const data of [flat, lines('row.jsonl', [stream]), lines('hidden.jsonl', [hidden])]) {
      const { comparison } = await compare(
        path,
        path,
        { kind: 'data', path: data },
        { ...quick, reading: { maxLength: 20 } },
      );
      expect(comparison.samples).toBe(3);
      const [perplexity] = comparison.metrics ?? [];
      expect(perplexity?.a.n).toBe(42);
      expect(Math.abs((perplexity?.a.value ?? 0) / expected - 1)).toBeLessThan(1e-4);
      expect(comparison.warnings.join()).toContain('cut to windows of 20 tokens, which makes 3 samples');
    }
    // Without a length it is that of the table of positions.
    const learned = await written('learned', { style: 'gpt2', positions: 30 });
    const { comparison } = await compare(learned, learned, { kind: 'data', path: flat }, quick);
    expect(comparison.samples).toBe(2);
    expect(comparison.warnings.join()).toContain('windows of 30 tokens');
  });

  it('is quantized within a drop of its perplexity', async () => {
    const path = await written('quantized', { ...LLAMA, width: 64, inner: 256 });
    const eight = Array.from({ length: 8 }, (_, at) => (TEXTS[at % 3] ?? []).map((token) => (token + 7 * at) % 61));
    const evalPath = lines('quantized.jsonl', eight);
    const outputPath = join(folder, 'quantized.int8.onnx');
    const options = {
      mode: 'dynamic',
      evalPath,
      outputPath,
      maxDrop: 0.2,
      allowSlower: true,
      optimize: false,
    } as const;
    const report = await quantizeModel(path, options);
    const [perplexity] = report.accuracy?.metrics ?? [];
    expect(perplexity?.metric).toBe('perplexity');
    expect((perplexity?.difference ?? 1) / (perplexity?.a.value ?? 1)).toBeLessThanOrEqual(0.2);
    expect(report.verdict).not.toBe('fail');
    const [before, after] = [await readModel(path), await readModel(outputPath)];
    const names = (values: Iterable<{ readonly name: string }>) => Array.from(values, ({ name }) => name);
    expect(names(after.graph.inputs)).toEqual(names(before.graph.inputs));
    expect(names(after.graph.outputs)).toEqual(names(before.graph.outputs));
    before.source?.close();
    after.source?.close();
  });
});
