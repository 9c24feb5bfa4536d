/**
 * Two sessions without spinning threads, each sample through both, written by hand: what `compare` is held against.
 * `node bare-loop.js A.onnx B.onnx SAMPLES.npz COUNT` prints the time of the loop in ms; loading does not count.
 */
import ort from 'onnxruntime-node';
import { readModel } from '../../dist/ir/read-model.js';
import { openDataset } from '../../dist/samples/dataset/open-dataset.js';
import { inputSpecs } from '../../dist/samples/value-specs.js';

const [a, b, data, count] = process.argv.slice(2);
const options = {
  executionProviders: ['cpu'],
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};
const sessions = [await ort.InferenceSession.create(a, options), await ort.InferenceSession.create(b, options)];
const model = await readModel(a);
const reader = await openDataset(data, inputSpecs(model));
const total = Math.min(Number(count), reader.count);
const begun = performance.now();
for (let sample = 0; sample < total; sample++) {
  const read = await reader.read(sample, 1);
  const feeds = {};
  for (const [name, { data: values, dims }] of read) feeds[name] = new ort.Tensor('float32', values, dims);
  for (const session of sessions) await session.run(feeds);
}
process.stdout.write(`${performance.now() - begun}\n`);
