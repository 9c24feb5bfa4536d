/** A decoder of the size of GPT-2 with a cache, whose tokens and interface stay with weights of 8 bits. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModel } from '../../src/ir/read-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import type { QuantizeReport } from '../../src/report/types.js';
import { createRandom } from '../../src/tensor/random.js';
import { type DecoderOptions, decoderModel, GPT2_SMALL } from '../helpers/decoder-model.js';
import { messageOf, print, Suite } from './suite.js';

/** Share of the decoder's tokens that have to stay. */
const EQUAL_TOKENS = 0.995;
/** Signal to noise that the logits have to keep, in dB: tokens far apart would stay equal with less. */
const LEAST_SQNR_DB = 33;
const [SEQUENCES, LENGTH] = [8, 64];
/**
 * Of 50,257 independent normal logits of deviation σ, the first two are σ/4.6 apart on average, and noise of 1 % of σ (40 dB: 8 bits over twelve
 * layers) changes which is first in 2.6 % of positions, whatever the quantizer. So embeddings are those of a trained model.
 */
const DECODER: DecoderOptions = { ...GPT2_SMALL, initialization: 'gpt2' };

/** @param shape GPT-2 as its training begins unless given */
export async function decoderSuite(root: string, shape: DecoderOptions = DECODER): Promise<Suite> {
  const suite = new Suite('a decoder of the size of GPT-2 with weights of 8 bits');
  const folder = mkdtempSync(join(tmpdir(), 'serve-opt-decoder-'));
  try {
    const [path, outputPath, dataPath] = ['decoder.onnx', 'out.onnx', 'tokens.jsonl'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await writeModel(decoderModel(shape), path);
    const random = createRandom(17, 1);
    const vocabulary = shape.vocabulary ?? 0;
    const lines = Array.from({ length: SEQUENCES }, () =>
      JSON.stringify({ input_ids: Array.from({ length: LENGTH }, () => Math.floor(random.float() * vocabulary)) }),
    );
    writeFileSync(dataPath, `${lines.join('\n')}\n`);
    for (const operators of ['ort', 'portable'] as const) {
      const words = ['--mode', 'int8-weights', '--method', 'rtn', '--operators', operators, '--data', dataPath];
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(root, 'bin', 'serve-opt.js'), 'quantize', path, '-o', outputPath, '--force', '--json', ...words],
        { encoding: 'utf8', maxBuffer: 2 ** 26 },
      );
      if (status !== 0) {
        suite.fail(operators, `exit ${status}: ${stderr}${stdout}`);
        continue;
      }
      const { result: report } = JSON.parse(stdout) as { readonly result: QuantizeReport };
      const logits = report.verification.comparison?.outputs.find(({ top1Agreement }) => top1Agreement);
      const { top1Agreement: agreement, sqnrDb = Number.NaN } = logits ?? {};
      print(
        `${operators}: equal tokens ${agreement?.value}, n = ${agreement?.n}, SQNR of the logits ${sqnrDb.toFixed(1)} dB`,
      );
      if (sqnrDb >= LEAST_SQNR_DB) suite.pass();
      else suite.fail(operators, `logits have ${sqnrDb.toFixed(1)} dB, less than ${LEAST_SQNR_DB}`);
      if ((agreement?.value ?? 0) >= EQUAL_TOKENS) suite.pass();
      else suite.fail(operators, `${agreement?.value} of tokens are equal, less than ${EQUAL_TOKENS}`);
      if ((await interfaceOf(outputPath)) === (await interfaceOf(path))) suite.pass();
      else suite.fail(operators, 'inputs and outputs are not those of the original');
    }
  } catch (error) {
    suite.fail('the decoder', messageOf(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  suite.close();
  return suite;
}

async function interfaceOf(path: string): Promise<string> {
  const model = await readModel(path);
  try {
    const { inputs, outputs } = model.graph;
    return JSON.stringify([inputs, outputs].map((values) => values.map(({ name, type }) => ({ name, type }))));
  } finally {
    model.source?.close();
  }
}
