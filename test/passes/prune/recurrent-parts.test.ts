import { describe, expect, it } from 'vitest';
import type { Model } from '../../../src/ir/model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { printModel } from '../../../src/ir/text/print-model.js';
import { constantTensor } from '../../../src/ir/walk.js';
import { RecurrentParts } from '../../../src/passes/prune/recurrent-parts.js';
import { createRandom } from '../../../src/tensor/random.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { runModel } from '../../helpers/run-model.js';

const random = createRandom(5);

function weight(name: string, ...dims: readonly number[]): string {
  const numbers = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (random.float() - 0.5).toFixed(3));
  return `float[${dims.join(',')}] ${name} = {${numbers.join(',')}}`;
}

/** A recurrent layer whose states are the sums of its parts: its activation changes nothing. */
function linearLayer(direction: string, inputs = 'x, w, r, b'): Model {
  const directions = direction === 'bidirectional' ? 2 : 1;
  const ones = Array(directions).fill('1.0').join(', ');
  const names = Array(directions).fill('"Affine"').join(', ');
  const constants = [weight('w', directions, 4, 3), weight('r', directions, 4, 4), weight('b', directions, 8)];
  return parseModel(`<ir_version: 8, opset_import: ["": 17]>
    g (float[5, 2, 3] x, float[${directions}, 2, 4] h) => (float[5, ${directions}, 2, 4] y) <${constants.join(', ')}> {
      [layer] y = RNN <hidden_size = 4, direction = "${direction}", activations = [${names}], activation_alpha = [${ones}]> (${inputs})
    }`);
}

function products(model: Model) {
  return [...model.graph.nodes].filter((node) => node.is('MatMul'));
}

describe('RecurrentParts', () => {
  it.each([
    ['forward', 'x, w, r, b'],
    ['reverse', 'x, w, r, b, , h'],
    ['bidirectional', 'x, w, r, b, , h'],
    ['bidirectional', 'x, w, r'],
  ])('gives the sums that the states of a %s layer (%s) come from', async (direction, inputs) => {
    const model = linearLayer(direction, inputs);
    new RecurrentParts(model);
    const sums = [...model.graph.nodes].filter((node) => node.is('Add'));
    for (const sum of sums) model.graph.addOutput(sum.output());
    const [states = [], ...parts] = await runModel(model);
    const directions = sums.length / 2;
    const width = 2 * 4;
    for (let d = 0; d < directions; d++)
      for (let step = 0; step < 5; step++)
        for (let at = 0; at < width; at++) {
          const sum =
            (parts[d]?.[step * width + at] as number) + (parts[directions + d]?.[step * width + at] as number);
          expect(states[(step * directions + d) * width + at]).toBeCloseTo(sum, 4);
        }
  });

  it('writes what a part has into the layer, and leaves nothing behind', () => {
    const model = linearLayer('bidirectional');
    const before = printModel(model);
    const untouched = new RecurrentParts(model);
    for (const product of products(model)) untouched.putBack(product);
    untouched.remove();
    expect(printModel(model)).toBe(before);
    const parts = new RecurrentParts(model);
    const [, , , backward] = products(model);
    const value = backward?.input(1);
    if (!backward || !value) throw new Error('there is no part of the states');
    value.tensor = Tensor.float32(
      Float32Array.from({ length: 16 }, (_, at) => at),
      [4, 4],
    );
    parts.putBack(backward);
    parts.remove();
    const [layer] = model.graph.nodes;
    const weights = constantTensor(layer?.input(2))?.bytes();
    // [direction, gate, state] of the layer, [state, gate] of the part.
    expect([...new Float32Array(weights?.slice().buffer ?? new ArrayBuffer(0))].slice(16)).toEqual([
      0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,
    ]);
    expect(model.graph.nodes.size).toBe(1);
  });

  it('leaves layers alone whose states are not those of every step', () => {
    const model = linearLayer('forward', 'x, w, r, b, h');
    expect(new RecurrentParts(model).isEmpty).toBe(true);
  });
});
