/** Decoders in the shape of GPT-2 with random weights and a cache, which tests write for themselves. */

import type { Attribute } from '../../src/ir/attribute.js';
import { attribute, floatAttribute } from '../../src/ir/attribute.js';
import { tensorType } from '../../src/ir/type.js';
import type { Value } from '../../src/ir/value.js';
import { DataType } from '../../src/tensor/dtype.js';
import { createRandom } from '../../src/tensor/random.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { writeGraph } from './small-models.js';

/** Sizes of a decoder. GPT-2 has 12 layers of width 768 with 12 heads and 50,257 tokens. */
export interface DecoderSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
}

/**
 * Inputs: `input_ids` [B, S] INT64, `past_key.N` and `past_value.N` [B, heads, P, width / heads]; outputs: `logits` [B, S, vocabulary], which the
 * transposed table of embeddings gives, and `present_key.N`, `present_value.N` [B, heads, P + S, width / heads].
 */
export function writeDecoder(path: string, { layers, width, heads, vocabulary }: DecoderSizes): Promise<void> {
  const random = createRandom(layers, width);
  return writeGraph(path, (graph) => {
    let count = 0;
    const float = (...shape: (number | string)[]) => tensorType(DataType.FLOAT, shape);
    const add = (opType: string, inputs: Value[], attributes: Attribute[] = [], name = `${opType}_${count++}`): Value =>
      graph.addNode({ opType, name, inputs, outputs: [{ name }], attributes }).output();
    const weights = (name: string, dims: number[], size = 1 / Math.sqrt(dims[0] as number)): Value => {
      const length = dims.reduce((product, dim) => product * dim, 1);
      const values = Float32Array.from({ length }, () => (random.float() * 2 - 1) * size);
      return graph.addInitializer(name, Tensor.float32(values, dims));
    };
    const ints = (name: string, values: number[]): Value =>
      graph.addInitializer(name, Tensor.int64(values, [values.length]));
    const input = (name: string, type: ReturnType<typeof tensorType>): Value => {
      const value = graph.newValue(name, type);
      graph.addInput(value);
      return value;
    };
    const headWidth = width / heads;
    const ids = input('input_ids', tensorType(DataType.INT64, ['B', 'S']));
    const pasts = Array.from({ length: layers }, (_, layer) =>
      ['key', 'value'].map((part) => input(`past_${part}.${layer}`, float('B', heads, 'P', headWidth))),
    );
    const split = ints('split_shape', [0, 0, heads, headWidth]);
    const merge = ints('merge_shape', [0, 0, width]);
    const table = weights('wte', [vocabulary, width], 0.3);
    const scale = graph.addInitializer('attention_scale', Tensor.float32([1 / Math.sqrt(headWidth)], []));
    const normalized = (x: Value, name: string): Value =>
      add(
        'LayerNormalization',
        [
          x,
          graph.addInitializer(`${name}.weight`, Tensor.float32(new Float32Array(width).fill(1), [width])),
          weights(`${name}.bias`, [width], 0.1),
        ],
        [attribute('axis', -1), floatAttribute('epsilon', 1e-5)],
      );
    const linear = (x: Value, name: string, from: number, to: number): Value =>
      add('Add', [add('MatMul', [x, weights(`${name}.weight`, [from, to])]), weights(`${name}.bias`, [to], 0.1)]);
    let x = add('Gather', [table, ids]);
    const presents: Value[] = [];
    for (const [layer, past] of pasts.entries()) {
      const inner = normalized(x, `h.${layer}.ln_1`);
      const [query, key, value] = ['q', 'k', 'v'].map((part) =>
        add(
          'Transpose',
          [add('Reshape', [linear(inner, `h.${layer}.attn.${part}`, width, width), split])],
          [attribute('perm', [0, 2, 1, 3])],
        ),
      ) as [Value, Value, Value];
      const [keys, values] = [key, value].map((now, at) =>
        add(
          'Concat',
          [past[at] as Value, now],
          [attribute('axis', 2)],
          `present_${at === 0 ? 'key' : 'value'}.${layer}`,
        ),
      ) as [Value, Value];
      presents.push(keys, values);
      const scores = add('Mul', [
        add('MatMul', [query, add('Transpose', [keys], [attribute('perm', [0, 1, 3, 2])])]),
        scale,
      ]);
      const mixed = add('MatMul', [add('Softmax', [scores], [attribute('axis', -1)]), values]);
      const joined = add('Reshape', [add('Transpose', [mixed], [attribute('perm', [0, 2, 1, 3])]), merge]);
      x = add('Add', [x, linear(joined, `h.${layer}.attn.o`, width, width)]);
      const wide = linear(normalized(x, `h.${layer}.ln_2`), `h.${layer}.mlp.up`, width, 4 * width);
      x = add('Add', [x, linear(add('Tanh', [wide]), `h.${layer}.mlp.down`, 4 * width, width)]);
    }
    const turned = add('Transpose', [table], [attribute('perm', [1, 0])]);
    const logits = add('MatMul', [normalized(x, 'ln_f'), turned], [], 'logits');
    logits.type = float('B', 'S', vocabulary);
    graph.addOutput(logits);
    for (const present of presents) {
      present.type = float('B', heads, 'T', headWidth);
      graph.addOutput(present);
    }
  });
}
