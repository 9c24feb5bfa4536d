/** Small language models as exporters write them: decoders with keys and values of positions before, and random weights. */
import { attribute, floatAttribute } from '../../src/ir/attribute.js';
import type { Model } from '../../src/ir/model.js';
import { tensorType } from '../../src/ir/type.js';
import type { Value } from '../../src/ir/value.js';
import { DataType } from '../../src/tensor/dtype.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { DecoderWeights } from './decoder-weights.js';
import { Net } from './topologies/net.js';

/** What a decoder is like. Sizes are small unless given. */
export interface DecoderOptions {
  /** `gpt2`: learned positions, LayerNormalization, GELU, biases. `llama`: RoPE, RMS norm, gated SiLU, no biases. */
  readonly style: 'gpt2' | 'llama';
  readonly vocabulary?: number;
  /** Size of a hidden state. */
  readonly width?: number;
  readonly layers?: number;
  readonly heads?: number;
  /** Heads of keys and values; fewer than `heads` is grouped-query attention. `llama` only. */
  readonly keyValueHeads?: number;
  /** Size between the two products of the MLP. */
  readonly inner?: number;
  /** Most positions. */
  readonly positions?: number;
  /** Logits are products with the embedding itself. Default true. */
  readonly tied?: boolean;
  /** `plain`: operators of ONNX. `gqa`: GroupQueryAttention of com.microsoft, which rotates and masks itself. `llama` only. */
  readonly attention?: 'plain' | 'gqa';
  /** How past inputs are called; `N` is the layer. */
  readonly cacheNames?: 'past_key_values.N.key' | 'past_key_N';
  readonly seed?: number;
  /**
   * How large random weights are: `lively`, so that every part has a say in the logits, or as training of GPT-2 begins, with the larger
   * embeddings that it ends with: logits of tokens are then as far apart as those of a language model. Default `lively`.
   * Source of the latter: A. Radford and others, "Language models are unsupervised multitask learners", 2019, section 2.3.
   */
  readonly initialization?: 'lively' | 'gpt2';
}

/** A decoder as options say it, defaults filled in. */
export type DecoderShape = Required<DecoderOptions> & {
  /** Size of one head. */
  readonly headSize: number;
};

/** The sizes of GPT-2 small: 124 million weights. */
export const GPT2_SMALL = {
  style: 'gpt2',
  vocabulary: 50_257,
  width: 768,
  layers: 12,
  heads: 12,
  inner: 3072,
  positions: 1024,
} as const satisfies DecoderOptions;

/** Options with their defaults. */
export function decoderShape(options: DecoderOptions): DecoderShape {
  const heads = options.heads ?? 4;
  const width = options.width ?? 32;
  return {
    vocabulary: 61,
    layers: 2,
    inner: 2 * width,
    positions: 64,
    tied: true,
    attention: 'plain',
    cacheNames: 'past_key_values.N.key',
    seed: 1,
    initialization: 'lively',
    ...options,
    width,
    heads,
    keyValueHeads: options.style === 'gpt2' ? heads : (options.keyValueHeads ?? heads),
    headSize: width / heads,
  };
}

/**
 * Inputs `input_ids`, `attention_mask`, `position_ids` (not with `gqa`) and past keys and values of each layer
 * [batch_size, heads, past_sequence_length, headSize]; outputs `logits` and the keys and values with the new positions.
 * Opset 17. `decoderLogits` computes the same in float64.
 */
export function decoderModel(options: DecoderOptions): Model {
  return new DecoderBuilder(decoderShape(options)).build();
}

class DecoderBuilder {
  readonly #shape: DecoderShape;
  readonly #weights: DecoderWeights;
  readonly #net = new Net(17);
  readonly #constants = new Map<string, Value>();

  constructor(shape: DecoderShape) {
    this.#shape = shape;
    this.#weights = new DecoderWeights(shape);
  }

  build(): Model {
    const { style, layers, vocabulary, keyValueHeads, headSize, tied, attention } = this.#shape;
    const net = this.#net;
    const { graph } = net.model;
    net.model.setOpset('com.microsoft', 1);
    const ids = net.input('input_ids', ['batch_size', 'sequence_length'], DataType.INT64);
    const mask = net.input('attention_mask', ['batch_size', 'total_sequence_length'], DataType.INT64);
    const isGqa = attention === 'gqa';
    const positions = isGqa ? undefined : net.input('position_ids', ['batch_size', 'sequence_length'], DataType.INT64);
    const past: [Value, Value][] = Array.from({ length: layers }, (_, layer) => {
      const shape = ['batch_size', keyValueHeads, 'past_sequence_length', headSize];
      const [key, value] = this.#cacheNames(layer, 'past');
      return [net.input(key, shape), net.input(value, shape)];
    });
    let hidden = net.op('Gather', [this.#weight('embedding'), ids]);
    if (style === 'gpt2' && positions)
      hidden = net.op('Add', [hidden, net.op('Gather', [this.#weight('positions'), positions])]);
    const attend = isGqa ? this.#groupQuery(mask) : this.#plainAttention(ids, mask, positions as Value);
    const present: Value[] = [];
    for (const [layer, [key, value]] of past.entries()) {
      const normed = this.#norm(hidden, `${layer}.norm1`);
      const q = this.#linear(normed, `${layer}.q`);
      const k = this.#linear(normed, `${layer}.k`);
      const v = this.#linear(normed, `${layer}.v`);
      const attended = attend(q, k, v, key, value);
      present.push(...attended.present);
      hidden = net.op('Add', [hidden, this.#linear(attended.output, `${layer}.o`)]);
      hidden = net.op('Add', [hidden, this.#mlp(this.#norm(hidden, `${layer}.norm2`), layer)]);
    }
    const last = this.#norm(hidden, 'norm');
    const head = tied ? net.transpose(this.#weight('embedding'), [1, 0]) : this.#weight('lm_head');
    const product = net.op('MatMul', [last, head]);
    if (product.producer) product.producer.name = 'lm_head/MatMul';
    this.#output('logits', product, ['batch_size', 'sequence_length', vocabulary]);
    for (const [index, value] of present.entries()) {
      const name = this.#cacheNames(index >> 1, 'present')[index & 1] as string;
      this.#output(name, value, ['batch_size', keyValueHeads, 'total_sequence_length', headSize]);
    }
    graph.name = `${style} decoder`;
    return net.model;
  }

  #cacheNames(layer: number, when: 'past' | 'present'): [string, string] {
    if (this.#shape.cacheNames === 'past_key_N') return [`${when}_key_${layer}`, `${when}_value_${layer}`];
    const name = when === 'past' ? 'past_key_values' : 'present';
    return [`${name}.${layer}.key`, `${name}.${layer}.value`];
  }

  /** Identity gives an output its name; the value itself may have another. */
  #output(name: string, value: Value, shape: (string | number)[]): void {
    const { graph } = this.#net.model;
    const type = tensorType(DataType.FLOAT, shape);
    const node = graph.addNode({ opType: 'Identity', inputs: [value], outputs: [{ name, type }] });
    graph.addOutput(node.output());
  }

  #weight(name: string): Value {
    const known = this.#constants.get(name);
    if (known) return known;
    const { data, dims } = this.#weights.get(name);
    const value = this.#net.model.graph.addInitializer(`model.${name}.weight`, Tensor.float32(data, dims));
    this.#constants.set(name, value);
    return value;
  }

  #linear(x: Value, name: string): Value {
    const product = this.#net.op('MatMul', [x, this.#weight(name)]);
    if (product.producer) product.producer.name = `layers.${name}/MatMul`;
    return this.#shape.style === 'gpt2' ? this.#net.op('Add', [product, this.#weight(`${name}.bias`)]) : product;
  }

  #norm(x: Value, name: string): Value {
    const net = this.#net;
    if (this.#shape.style === 'gpt2')
      return net.op('LayerNormalization', [x, this.#weight(name), this.#weight(`${name}.bias`)], {
        axis: -1,
        epsilon: 1e-5,
      });
    const mean = net.op('ReduceMean', [net.op('Pow', [x, net.scalar(2)])], { axes: [-1] });
    const root = net.op('Sqrt', [net.op('Add', [mean, net.scalar(1e-5)])]);
    return net.op('Mul', [net.op('Div', [x, root]), this.#weight(name)]);
  }

  #mlp(x: Value, layer: number): Value {
    const net = this.#net;
    if (this.#shape.style === 'gpt2') return this.#linear(net.gelu(this.#linear(x, `${layer}.up`)), `${layer}.down`);
    const gate = net.swish(this.#linear(x, `${layer}.gate`));
    return this.#linear(net.op('Mul', [gate, this.#linear(x, `${layer}.up`)]), `${layer}.down`);
  }

  #plainAttention(ids: Value, mask: Value, positions: Value): Attention {
    const net = this.#net;
    const { style, heads, keyValueHeads, headSize, width } = this.#shape;
    const hidden = this.#hiddenPlaces(ids, mask);
    const rotate = style === 'llama' ? this.#rotation(positions) : (x: Value) => x;
    const split = (x: Value, count: number) => net.transpose(net.reshape(x, [0, 0, count, headSize]), [0, 2, 1, 3]);
    const repeated = (x: Value): Value => {
      if (keyValueHeads === heads) return x;
      const ones = net.ints([1, 1, heads / keyValueHeads, 1, 1]);
      const spread = net.op('Expand', [net.op('Unsqueeze', [x, net.ints([2])]), ones]);
      return net.op('Reshape', [
        spread,
        net.op('Concat', [net.size(x, 0), net.ints([heads]), net.size(x, 2), net.ints([headSize])], { axis: 0 }),
      ]);
    };
    return (q, k, v, pastKey, pastValue) => {
      const key = net.op('Concat', [pastKey, rotate(split(k, keyValueHeads))], { axis: 2 });
      const value = net.op('Concat', [pastValue, split(v, keyValueHeads)], { axis: 2 });
      const product = net.op('MatMul', [rotate(split(q, heads)), net.transpose(repeated(key), [0, 1, 3, 2])]);
      const scaled = net.op('Mul', [product, net.scalar(1 / Math.sqrt(headSize))]);
      const scores = net.op('Where', [hidden, net.scalar(-1e9), scaled]);
      const mixed = net.op('MatMul', [net.op('Softmax', [scores], { axis: -1 }), repeated(value)]);
      const output = net.reshape(net.transpose(mixed, [0, 2, 1, 3]), [0, 0, width]);
      return { output, present: [key, value] };
    };
  }

  /** [batch, 1, new, all]: later positions, and those that the mask hides. */
  #hiddenPlaces(ids: Value, mask: Value): Value {
    const net = this.#net;
    const at = (x: Value, axis: number) => net.op('Gather', [net.op('Shape', [x]), net.int(axis)], { axis: 0 });
    const total = at(mask, 1);
    const past = net.op('Sub', [total, at(ids, 1)]);
    const keys = net.op('Range', [net.int(0), total, net.int(1)]);
    const queries = net.op('Unsqueeze', [net.op('Range', [past, total, net.int(1)]), net.ints([1])]);
    const later = net.op('Greater', [keys, queries]);
    const masked = net.op('Equal', [net.op('Unsqueeze', [mask, net.ints([1, 2])]), net.int(0)]);
    return net.op('Or', [later, masked]);
  }

  #rotation(positions: Value): (x: Value) => Value {
    const net = this.#net;
    const half = this.#shape.headSize / 2;
    const table = (name: string) =>
      net.op('Unsqueeze', [net.op('Gather', [this.#weight(name), positions]), net.ints([1])]);
    const [cos, sin] = [table('cos'), table('sin')];
    return (x) => {
      const [a, b] = net.split(x, -1, [half, half]) as [Value, Value];
      const first = net.op('Sub', [net.op('Mul', [a, cos]), net.op('Mul', [b, sin])]);
      const second = net.op('Add', [net.op('Mul', [b, cos]), net.op('Mul', [a, sin])]);
      return net.op('Concat', [first, second], { axis: -1 });
    };
  }

  #groupQuery(mask: Value): Attention {
    const net = this.#net;
    const { heads, keyValueHeads, headSize } = this.#shape;
    const counted = net.op('ReduceSum', [mask, net.ints([1])], { keepdims: 0 });
    const lengths = net.op('Cast', [net.op('Sub', [counted, net.int(1)])], { to: DataType.INT32 });
    const total = net.op('Gather', [net.op('Shape', [mask]), net.int(1)], { axis: 0 });
    const size = net.op('Cast', [total], { to: DataType.INT32 });
    return (q, k, v, pastKey, pastValue) => {
      const node = net.model.graph.addNode({
        opType: 'GroupQueryAttention',
        domain: 'com.microsoft',
        inputs: [q, k, v, pastKey, pastValue, lengths, size, this.#weight('cos'), this.#weight('sin')],
        outputs: [{}, {}, {}],
        attributes: [
          attribute('num_heads', heads),
          attribute('kv_num_heads', keyValueHeads),
          attribute('do_rotary', 1),
          floatAttribute('scale', 1 / Math.sqrt(headSize)),
        ],
      });
      return { output: node.output(0), present: [node.output(1), node.output(2)] };
    };
  }
}

/** Attention over past and new positions; the projections come flat. */
type Attention = (
  q: Value,
  k: Value,
  v: Value,
  pastKey: Value,
  pastValue: Value,
) => { readonly output: Value; readonly present: readonly [Value, Value] };
