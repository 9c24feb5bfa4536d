import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { createRandom } from '../../src/tensor/random.js';
import { npy } from './npy.js';

/** Inputs of a sample, and outputs of every layer. */
const WIDTH = 64;
const LAYERS = 8;
/** The layer whose weights and input 8 bits do not hold. */
const POISONED = 4;

/**
 * A chain of eight MatMul layers, of which `layer4` reads values that differ by orders: one outlier takes the whole range of
 * its input, and the rest is what the outputs depend on.
 * @returns text of the model, and samples of 64 numbers each, one after the other
 */
export function poisonedModel(samples = 40): { readonly text: string; readonly samples: Float32Array } {
  const random = createRandom(7);
  const number = (): number => random.float() * 2 - 1;
  const matrices: string[] = [];
  const nodes: string[] = [];
  let value = 'x';
  for (let layer = 0; layer < LAYERS; layer++) {
    const weights = Array.from({ length: WIDTH * WIDTH }, (_, i) => {
      const plain = (number() * 2) / Math.sqrt(WIDTH);
      // The outlier is read with weight zero.
      return layer === POISONED && Math.floor(i / WIDTH) === 0 ? 0 : plain;
    });
    matrices.push(`float[${WIDTH}, ${WIDTH}] w${layer} = {${weights.map((w) => w.toFixed(6)).join(',')}}`);
    if (layer === POISONED) {
      // One element becomes a thousand times the others.
      nodes.push(`p = Add (${value}, outlier)`);
      value = 'p';
    }
    const next = layer === LAYERS - 1 ? 'y' : `h${layer}`;
    nodes.push(`["layer${layer}"] m${layer} = MatMul (${value}, w${layer})`);
    nodes.push(layer === LAYERS - 1 ? `y = Identity (m${layer})` : `${next} = LeakyRelu <alpha = 0.3> (m${layer})`);
    value = next;
  }
  const outlier = Array.from({ length: WIDTH }, (_, i) => (i === 0 ? 400 : 0)).join(',');
  const text = `<ir_version: 8, opset_import: ["" : 17]> g (float[N, ${WIDTH}] x) => (float[N, ${WIDTH}] y) <${matrices.join(', ')}, float[1, ${WIDTH}] outlier = {${outlier}}> {
  ${nodes.join('\n  ')} }`;
  return { text, samples: Float32Array.from({ length: samples * WIDTH }, number) };
}

/** Writes the model and its 40 samples into a folder. */
export async function writePoisonedModel(folder: string): Promise<{ readonly path: string; readonly data: string }> {
  const [path, data] = [join(folder, 'model.onnx'), join(folder, 'x.npy')];
  const { text, samples } = poisonedModel();
  await writeModel(parseModel(text), path);
  writeFileSync(data, npy('<f4', [40, WIDTH], samples));
  return { path, data };
}
