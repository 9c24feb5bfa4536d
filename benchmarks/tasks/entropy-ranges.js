/** `entropy-ranges.js COUNT`: the entropy range of so many tensors, each with 2,048 bins in use, and how long they took in ms. */
import { observed, observedRange } from '../../dist/quantize/observers/index.js';
import { TensorStatistics } from '../../dist/quantize/observers/tensor-statistics.js';
import { U8_ACTIVATIONS } from '../../dist/quantize/scheme.js';
import { createRandom } from '../../dist/tensor/random.js';

const [count = '500'] = process.argv.slice(2);
const random = createRandom(1);
const values = Float32Array.from({ length: 20_000 }, () => random.normal());
const statistics = new TensorStatistics();
statistics.observe(values);
const data = statistics.data();
const start = performance.now();
for (let tensor = 0; tensor < Number(count); tensor++) observedRange(observed(data), 'entropy', U8_ACTIVATIONS);
process.stdout.write(`${(performance.now() - start).toFixed(0)} ms\n`);
