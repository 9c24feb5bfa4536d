/**
 * `node bare-loop.js MODEL FEEDS.json SECONDS THREADS`: what a careful user would write by hand around onnxruntime-node: load, run
 * for a while to warm up, time each run. Prints `{"p50Ms","p99Ms","runs"}`.
 */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';

const [model, feedsPath, seconds, threads] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  logSeverityLevel: 4,
});
const feeds = {};
for (const { name, dims, values } of JSON.parse(readFileSync(feedsPath, 'utf8')))
  feeds[name] = new ort.Tensor('float32', Float32Array.from(values), dims);
const times = [];
const measure = async (ms, keep) => {
  const end = performance.now() + ms;
  for (let now = performance.now(); now < end; ) {
    await session.run(feeds);
    const after = performance.now();
    if (keep) times.push(after - now);
    now = performance.now();
  }
};
await measure(300, false);
await measure(Number(seconds) * 1000, true);
times.sort((a, b) => a - b);
const quantile = (p) => times[Math.max(0, Math.ceil(p * times.length) - 1)];
process.stdout.write(`${JSON.stringify({ p50Ms: quantile(0.5), p99Ms: quantile(0.99), runs: times.length })}\n`);
