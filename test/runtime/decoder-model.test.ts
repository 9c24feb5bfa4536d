import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession, Tensor as NativeTensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyModel } from '../../src/ir/verify.js';
import { writeModel } from '../../src/ir/write-model.js';
import { importOnnxRuntime, type OnnxRuntime } from '../../src/runtime/onnx-runtime.js';
import { decoderLogits } from '../helpers/decoder-logits.js';
import { type DecoderOptions, decoderModel, decoderShape } from '../helpers/decoder-model.js';

const KINDS: readonly DecoderOptions[] = [
  { style: 'gpt2' },
  { style: 'gpt2', tied: false, cacheNames: 'past_key_N' },
  { style: 'llama', keyValueHeads: 2 },
  { style: 'llama', tied: false },
  { style: 'llama', keyValueHeads: 1, attention: 'gqa', width: 64 },
];
const TOKENS = [3, 17, 60, 0, 5, 5, 31];

let ort: OnnxRuntime;
let folder: string;
beforeAll(async () => {
  ort = await importOnnxRuntime();
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-decoder-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(KINDS.map((kind) => [JSON.stringify(kind), kind] as const))('a decoder %s', (name, kind) => {
  const shape = decoderShape(kind);
  const int64 = (values: readonly number[]) =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  const pastName = (output: string) => output.replace(/^present\./, 'past_key_values.').replace(/^present_/, 'past_');

  async function open(): Promise<InferenceSession> {
    const model = decoderModel(kind);
    expect(verifyModel(model)).toEqual([]);
    const path = join(folder, `${name.replace(/\W+/g, '-')}.onnx`);
    await writeModel(model, path, { force: true });
    return ort.InferenceSession.create(path, { logSeverityLevel: 3 });
  }

  async function step(session: InferenceSession, tokens: readonly number[], past: ReadonlyMap<string, NativeTensor>) {
    const [first] = past.values();
    const before = first?.dims[2] ?? 0;
    const feeds: Record<string, NativeTensor> = {
      input_ids: int64(tokens),
      attention_mask: int64(new Array<number>(before + tokens.length).fill(1)),
    };
    if (shape.attention === 'plain') feeds.position_ids = int64(tokens.map((_, at) => before + at));
    for (const input of session.inputNames)
      if (input.startsWith('past'))
        feeds[input] =
          past.get(input) ??
          new ort.Tensor('float32', new Float32Array(0), [1, shape.keyValueHeads, 0, shape.headSize]);
    const results = await session.run(feeds);
    const present = new Map<string, NativeTensor>();
    for (const [output, tensor] of Object.entries(results))
      if (output !== 'logits') present.set(pastName(output), tensor);
    return { logits: results.logits?.data as Float32Array, present };
  }

  it('gives what the plain computation gives, for a whole sequence and step by step', async () => {
    const expected = decoderLogits(kind, TOKENS);
    const session = await open();
    const whole = await step(session, TOKENS, new Map());
    let past: ReadonlyMap<string, NativeTensor> = new Map();
    for (const [at, token] of TOKENS.entries()) {
      const row = expected[at] as Float64Array;
      const one = await step(session, [token], past);
      past = one.present;
      for (let word = 0; word < shape.vocabulary; word++) {
        expect(whole.logits[at * shape.vocabulary + word]).toBeCloseTo(row[word] as number, 3);
        expect(one.logits[word]).toBeCloseTo(row[word] as number, 3);
      }
    }
    await session.release();
  });
});
