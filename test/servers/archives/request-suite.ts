/**
 * Archives of `package mar --preprocess image` and `text` in a real TorchServe: pictures and texts of real samples are sent at once,
 * to both models, and each response is compared with what ONNX Runtime makes of the sample's tensors.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { packageMar } from '../../../src/workflows/package/package-mar.js';
import { messageOf, Suite } from '../../conformance/suite.js';
import { modelsFolder } from '../../helpers/models-folder.js';
import { firstSamples } from '../packaged-models.js';
import { png } from './png.js';
import { startStore } from './start-store.js';

/** Requests to each model, all at once. */
const CONCURRENT = 8;
/** Of CIFAR-10 as the model was trained, by channel. */
const MEAN = [0.4914, 0.4822, 0.4465];
const STD = [0.247, 0.2435, 0.2616];
const SIDE = 32;

interface Request {
  readonly model: 'images' | 'texts';
  readonly body: Uint8Array;
  readonly type: string;
  /** Scores by class. */
  readonly expected: ArrayLike<number>;
}

/** @param folder of servers, as `npm run servers -- --install` makes it */
export async function requestSuite(root: string, folder: string): Promise<Suite> {
  const suite = new Suite('TorchServe: pictures and texts');
  const models = modelsFolder(root);
  const why = whyNot(folder, models);
  if (why !== undefined || models === undefined) {
    suite.skip(why ?? 'there is no folder of models (MODELS=FOLDER)');
    return suite;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-requests-'));
  try {
    const store = join(scratch, 'store');
    mkdirSync(store);
    const cifar = join(models, 'cifar10-resnet');
    const bank = join(models, 'minilm-banking77');
    await packageMar(join(cifar, 'model.onnx'), {
      name: 'images',
      outputPath: `${store}/`,
      preprocess: 'image',
      image: { mean: MEAN, std: STD },
      labelsPath: join(cifar, 'classes.json'),
      topK: 10,
      maxBatchDelayMs: 200,
    });
    await packageMar(join(bank, 'model.onnx'), {
      name: 'texts',
      outputPath: `${store}/`,
      preprocess: 'text',
      text: { tokenizerPath: join(bank, 'vocab.txt') },
      labelsPath: join(bank, 'labels.json'),
      outputName: 'logits',
      topK: 77,
      maxBatchDelayMs: 200,
    });
    const requests = [...(await pictures(cifar)), ...(await texts(bank))];
    const files = ['images=images.mar', 'texts=texts.mar'];
    const { server, inference } = await startStore(join(folder, 'bin'), scratch, store, files);
    try {
      const wrong = [
        post(`${inference}/predictions/images`, 'application/octet-stream', Buffer.from('not a picture')),
        post(`${inference}/predictions/texts`, 'application/json', Buffer.from('{"text": 3}')),
      ];
      const responses = await Promise.all(
        requests.map(({ model, body, type }) => post(`${inference}/predictions/${model}`, type, body)),
      );
      for (const [index, request] of requests.entries()) {
        const reason = differs(request, responses[index] as Answered);
        if (reason === undefined) suite.pass();
        else suite.fail(`${request.model} ${index}`, reason);
      }
      for (const { status, text } of await Promise.all(wrong)) {
        if (status === 400) suite.pass();
        else suite.fail('a wrong request', `got ${status}: ${text.slice(0, 300)}`);
      }
    } finally {
      await server.stop();
    }
  } catch (error) {
    suite.fail('start', messageOf(error));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  suite.close();
  return suite;
}

function whyNot(folder: string, models: string | undefined): string | undefined {
  if (!existsSync(join(folder, 'bin/torchserve'))) return `there is no ${join(folder, 'bin/torchserve')}`;
  if (models === undefined) return 'there is no folder of models (MODELS=FOLDER)';
  try {
    execFileSync(join(folder, 'ts/bin/python'), ['-c', 'import PIL, tokenizers'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `the Python of ${join(folder, 'ts')} has no Pillow or no tokenizers`;
  }
}

/** Pictures with the pixels that the samples were made of. */
async function pictures(folder: string): Promise<Request[]> {
  const session = await InferenceSession.create(join(folder, 'model.onnx'));
  const requests: Request[] = [];
  for (const feeds of await firstSamples(join(folder, 'model.onnx'), join(folder, 'eval.npz'), CONCURRENT)) {
    const data = (feeds.get('input')?.data ?? new Float32Array()) as Float32Array;
    const pixels = new Uint8Array(SIDE * SIDE * 3);
    const tensor = new Float32Array(data.length);
    for (let channel = 0; channel < 3; channel++) {
      for (let at = 0; at < SIDE * SIDE; at++) {
        const [mean = 0, std = 1] = [MEAN[channel], STD[channel]];
        const index = channel * SIDE * SIDE + at;
        const pixel = Math.round(((data[index] ?? 0) * std + mean) * 255);
        pixels[at * 3 + channel] = pixel;
        tensor[index] = (pixel / 255 - mean) / std;
      }
    }
    const { logits } = await session.run({ input: new Tensor('float32', tensor, [1, 3, SIDE, SIDE]) });
    requests.push({
      model: 'images',
      body: png(SIDE, SIDE, pixels),
      type: 'image/png',
      expected: logits?.data as Float32Array,
    });
  }
  return requests;
}

/** Texts whose words have the tokens of the samples. */
async function texts(folder: string): Promise<Request[]> {
  const session = await InferenceSession.create(join(folder, 'model.onnx'));
  const words = readFileSync(join(folder, 'vocab.txt'), 'utf8').split('\n');
  const requests: Request[] = [];
  for (const feeds of await firstSamples(join(folder, 'model.onnx'), join(folder, 'eval.npz'), CONCURRENT)) {
    const ids = Array.from((feeds.get('input_ids')?.data ?? []) as Iterable<bigint>).filter((id) => id !== 0n);
    const text = ids
      .slice(1, -1)
      .map((id) => words[Number(id)] ?? '')
      .join(' ')
      .replaceAll(' ##', '');
    const shape = [1, ids.length];
    const { logits } = await session.run({
      input_ids: new Tensor('int64', BigInt64Array.from(ids), shape),
      attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
    });
    const body = requests.length % 2 === 0 ? text : JSON.stringify({ text });
    const type = requests.length % 2 === 0 ? 'text/plain' : 'application/json';
    requests.push({ model: 'texts', body: Buffer.from(body), type, expected: logits?.data as Float32Array });
  }
  return requests;
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

async function post(url: string, type: string, body: Uint8Array): Promise<Answered> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(body) });
  return { status: response.status, text: await response.text() };
}

/** Why a response is not that of the sample. */
function differs({ expected }: Request, { status, text }: Answered): string | undefined {
  if (status !== 200) return `got ${status}: ${text.slice(0, 300)}`;
  const { predictions } = JSON.parse(text) as { readonly predictions: readonly { index: number; score: number }[] };
  if (predictions.length !== expected.length) return `${predictions.length} classes, not ${expected.length}`;
  for (const [place, { index, score }] of predictions.entries()) {
    const wanted = expected[index] ?? Number.NaN;
    if (!(Math.abs(score - wanted) <= 1e-3 + 1e-3 * Math.abs(wanted))) return `class ${index}: ${score}, not ${wanted}`;
    if (place > 0 && score > (predictions[place - 1]?.score ?? 0)) return 'the classes are not in order';
  }
  return undefined;
}
