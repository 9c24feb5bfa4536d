/** Builds networks with the layers that frameworks have, in the operators that their exporters write; weights are random. */
import { type Attribute, attribute, floatAttribute } from '../../../src/ir/attribute.js';
import { Model } from '../../../src/ir/model.js';
import { type Dim, tensorType } from '../../../src/ir/type.js';
import type { Value } from '../../../src/ir/value.js';
import { DataType, type DataTypeCode } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';

export type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

export class Net {
  readonly model: Model;
  #state = 1;
  #count = 0;

  constructor(opset = 17) {
    this.model = new Model();
    this.model.setOpset('', opset);
  }

  input(name: string, shape: readonly Dim[], dataType: DataTypeCode = DataType.FLOAT): Value {
    const value = this.model.graph.newValue(name, tensorType(dataType, [...shape]));
    this.model.graph.addInput(value);
    return value;
  }

  output(value: Value, shape: readonly Dim[]): void {
    value.type = tensorType(DataType.FLOAT, [...shape]);
    this.model.graph.addOutput(value);
  }

  op(opType: string, inputs: readonly (Value | undefined)[], attributes: Attributes = {}): Value {
    const list: Attribute[] = Object.entries(attributes).map(([name, value]) =>
      typeof value === 'number' && !Number.isInteger(value) ? floatAttribute(name, value) : attribute(name, value),
    );
    return this.model.graph
      .addNode({ opType, name: this.#name(opType), inputs, outputs: [{}], attributes: list })
      .output();
  }

  split(x: Value, axis: number, sizes: readonly number[]): Value[] {
    const node = this.model.graph.addNode({
      opType: 'Split',
      name: this.#name('Split'),
      inputs: [x, this.ints(sizes)],
      outputs: sizes.map(() => ({})),
      attributes: [attribute('axis', axis)],
    });
    return sizes.map((_, index) => node.output(index));
  }

  /** Uniform numbers whose products keep about the size of what they are multiplied with. */
  weight(dims: readonly number[], fan = dims.slice(1).reduce((a, b) => a * b, 1)): Value {
    const limit = Math.sqrt(3 / fan);
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
    for (let at = 0; at < data.length; at++) data[at] = (2 * this.#next() - 1) * limit;
    return this.model.graph.addInitializer('w', Tensor.float32(data, [...dims]));
  }

  vector(size: number, from = -0.5, to = 0.5): Value {
    const data = Float32Array.from({ length: size }, () => from + (to - from) * this.#next());
    return this.model.graph.addInitializer('v', Tensor.float32(data, [size]));
  }

  ints(values: readonly number[]): Value {
    return this.model.graph.addInitializer('i', Tensor.int64(values));
  }
  int(value: number): Value {
    return this.model.graph.addInitializer('i', Tensor.int64([value], []));
  }
  scalar(value: number): Value {
    return this.model.graph.addInitializer('s', Tensor.float32([value], []));
  }

  #name(opType: string): string {
    return `${opType}_${this.#count++}`;
  }

  #next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }

  // --- layers of image networks ---------------------------------------------------------------------------------------

  conv(x: Value, from: number, to: number, { side = 3, stride = 1, group = 1, bias = false } = {}): Value {
    const pad = (side - 1) >> 1;
    const w = this.weight([to, from / group, side, side]);
    return this.op('Conv', bias ? [x, w, this.vector(to)] : [x, w], {
      kernel_shape: [side, side],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group,
    });
  }

  batchNorm(x: Value, channels: number): Value {
    const vectors = [
      this.vector(channels, 0.5, 1.5),
      this.vector(channels),
      this.vector(channels),
      this.vector(channels, 0.5, 1.5),
    ];
    return this.op('BatchNormalization', [x, ...vectors]);
  }

  convNorm(x: Value, from: number, to: number, options: Parameters<Net['conv']>[3] = {}): Value {
    return this.batchNorm(this.conv(x, from, to, options), to);
  }

  relu(x: Value): Value {
    return this.op('Relu', [x]);
  }

  swish(x: Value): Value {
    return this.op('Mul', [x, this.op('Sigmoid', [x])]);
  }

  classify(x: Value, channels: number, classes: number): void {
    const flat = this.op('Flatten', [this.op('GlobalAveragePool', [x])]);
    const y = this.op('Gemm', [flat, this.weight([classes, channels]), this.vector(classes)], { transB: 1 });
    this.output(y, ['N', classes]);
  }

  // --- layers of sequence networks ------------------------------------------------------------------------------------

  linear(x: Value, from: number, to: number, bias = true): Value {
    const y = this.op('MatMul', [x, this.weight([from, to], from)]);
    return bias ? this.op('Add', [this.vector(to), y]) : y;
  }

  layerNorm(x: Value, width: number): Value {
    const centred = this.op('Sub', [x, this.op('ReduceMean', [x], { axes: [-1] })]);
    const variance = this.op('ReduceMean', [this.op('Pow', [centred, this.scalar(2)])], { axes: [-1] });
    const root = this.op('Sqrt', [this.op('Add', [variance, this.scalar(1e-5)])]);
    const scaled = this.op('Mul', [this.op('Div', [centred, root]), this.vector(width, 0.5, 1.5)]);
    return this.op('Add', [scaled, this.vector(width)]);
  }

  rmsNorm(x: Value, width: number): Value {
    const mean = this.op('ReduceMean', [this.op('Pow', [x, this.scalar(2)])], { axes: [-1] });
    const root = this.op('Sqrt', [this.op('Add', [mean, this.scalar(1e-5)])]);
    return this.op('Mul', [this.op('Mul', [x, this.op('Reciprocal', [root])]), this.vector(width, 0.5, 1.5)]);
  }

  gelu(x: Value): Value {
    const erf = this.op('Erf', [this.op('Div', [x, this.scalar(Math.SQRT2)])]);
    return this.op('Mul', [this.op('Mul', [x, this.op('Add', [erf, this.scalar(1)])]), this.scalar(0.5)]);
  }

  /** One size as a list of one, as torch writes it. */
  size(x: Value, axis: number): Value {
    const picked = this.op('Gather', [this.op('Shape', [x]), this.int(axis)], { axis: 0 });
    return this.op('Unsqueeze', [picked, this.ints([0])]);
  }

  reshape(x: Value, sizes: readonly (number | Value)[]): Value {
    if (sizes.every((size) => typeof size === 'number')) return this.op('Reshape', [x, this.ints(sizes as number[])]);
    const parts = sizes.map((size) => (typeof size === 'number' ? this.ints([size]) : size));
    return this.op('Reshape', [x, this.op('Concat', parts, { axis: 0 })]);
  }

  transpose(x: Value, perm: readonly number[]): Value {
    return this.op('Transpose', [x], { perm });
  }

  /** Heads [N, h, S, d]: softmax(q·kᵀ / √d)·v as [N, S, h·d]. The root is of the size that the model reads. */
  attend(q: Value, k: Value, v: Value, heads: number, width: number): Value {
    const size = this.op('Cast', [this.op('Gather', [this.op('Shape', [q]), this.int(-1)], { axis: 0 })], { to: 1 });
    const scores = this.op('Div', [this.op('MatMul', [q, this.transpose(k, [0, 1, 3, 2])]), this.op('Sqrt', [size])]);
    const y = this.transpose(this.op('MatMul', [this.op('Softmax', [scores], { axis: -1 }), v]), [0, 2, 1, 3]);
    return this.reshape(y, [this.size(y, 0), this.size(y, 1), heads * width]);
  }

  splitHeads(x: Value, heads: number, width: number): Value {
    return this.transpose(this.reshape(x, [this.size(x, 0), this.size(x, 1), heads, width]), [0, 2, 1, 3]);
  }
}
