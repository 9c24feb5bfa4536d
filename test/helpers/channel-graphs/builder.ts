/** Writes models as ONNX text: values have names, weights are random. */
import { toFloat16 } from '../../../src/tensor/float16.js';
import { createRandom, type Random } from '../../../src/tensor/random.js';

export class GraphBuilder {
  readonly random: Random;
  readonly opset: number;
  readonly lines: string[] = [];
  readonly weights: string[] = [];
  readonly inputs: string[] = [];
  readonly outputs: string[] = [];
  readonly domains: Set<string> = new Set();
  #names = 0;

  constructor(seed: number, opset: number) {
    this.random = createRandom(seed, 41);
    this.opset = opset;
  }

  // --- chance -------------------------------------------------------------------------------------------------------

  chance(probability: number): boolean {
    return this.random.float() < probability;
  }
  choose<T>(list: readonly T[]): T {
    return list[this.random.integer(list.length)] as T;
  }

  // --- values -------------------------------------------------------------------------------------------------------

  name(letter: string): string {
    return `${letter}${this.#names++}`;
  }

  input(type: string, dims: readonly (string | number)[]): string {
    const name = this.name('x');
    this.inputs.push(`${type}[${dims.join(',')}] ${name}`);
    return name;
  }

  output(value: string, dims: readonly (string | number)[], type = 'float'): void {
    this.outputs.push(`${type}[${dims.join(',')}] ${value}`);
  }

  /** A weight whose products keep about the size of what they are multiplied with. */
  weight(dims: readonly number[], fan = dims.slice(1).reduce((a, b) => a * b, 1)): string {
    return this.floats(dims, () => this.random.normal() / Math.sqrt(fan));
  }

  positive(dims: readonly number[]): string {
    return this.floats(dims, () => 0.5 + this.random.float());
  }

  floats(dims: readonly number[], make: () => number, type = 'float'): string {
    // Half precision is written as its bits.
    if (type === 'float16') return this.#constant(type, dims, () => String(toFloat16(make())));
    return this.#constant(type, dims, () => make().toFixed(4));
  }

  integers(type: string, dims: readonly number[], make: () => number): string {
    return this.#constant(type, dims, () => String(make()));
  }

  ints(values: readonly number[]): string {
    let at = 0;
    return this.#constant('int64', [values.length], () => String(values[at++]));
  }

  scalar(value: number, type = 'float'): string {
    return this.#constant(type, [], () => String(value));
  }

  #constant(type: string, dims: readonly number[], make: () => string): string {
    const name = this.name('c');
    const count = dims.reduce((a, b) => a * b, 1);
    const typeText = dims.length === 0 ? type : `${type}[${dims.join(',')}]`;
    const elements = Array.from({ length: count }, make).join(',');
    // Initializers and Constant nodes are cut in different ways.
    if (this.chance(0.25)) this.lines.push(`${name} = Constant <value: tensor = ${typeText} {${elements}}> ()`);
    else this.weights.push(`${typeText} ${name} = {${elements}}`);
    return name;
  }

  // --- nodes --------------------------------------------------------------------------------------------------------

  node(opType: string, inputs: readonly string[], attributes = '', domain = ''): string {
    return this.nodes(opType, inputs, 1, attributes, domain)[0] as string;
  }

  nodes(opType: string, inputs: readonly string[], count: number, attributes = '', domain = ''): string[] {
    const names = Array.from({ length: count }, () => this.name('v'));
    if (domain !== '') this.domains.add(domain);
    const operator = domain === '' ? opType : `${domain}.${opType}`;
    const given = attributes === '' ? '' : `<${attributes}> `;
    this.lines.push(`${names.join(', ')} = ${operator} ${given}(${inputs.join(', ')})`);
    return names;
  }

  /** A reduction, whose axes became an input at some operator set. */
  reduce(opType: string, x: string, axes: readonly number[], keepDims = 1): string {
    const since = opType === 'ReduceSum' ? 13 : 18;
    if (this.opset >= since) return this.node(opType, [x, this.ints(axes)], `keepdims = ${keepDims}`);
    return this.node(opType, [x], `axes = [${axes.join(',')}], keepdims = ${keepDims}`);
  }

  unsqueeze(x: string, axes: readonly number[]): string {
    if (this.opset >= 13) return this.node('Unsqueeze', [x, this.ints(axes)]);
    return this.node('Unsqueeze', [x], `axes = [${axes.join(',')}]`);
  }

  squeeze(x: string, axes: readonly number[]): string {
    if (this.opset >= 13) return this.node('Squeeze', [x, this.ints(axes)]);
    return this.node('Squeeze', [x], `axes = [${axes.join(',')}]`);
  }

  transpose(x: string, order: readonly number[]): string {
    return this.node('Transpose', [x], `perm = [${order.join(',')}]`);
  }

  slice(x: string, axis: number, start: number, end: number, step = 1): string {
    if (this.opset < 10) return this.node('Slice', [x], `axes = [${axis}], starts = [${start}], ends = [${end}]`);
    const steps = step === 1 && this.chance(0.5) ? [] : [this.ints([step])];
    return this.node('Slice', [x, this.ints([start]), this.ints([end]), this.ints([axis]), ...steps]);
  }

  split(x: string, axis: number, sizes: readonly number[]): string[] {
    const isEven = new Set(sizes).size === 1;
    const given = `axis = ${axis}`;
    if (isEven && this.opset < 18 && this.chance(0.5)) return this.nodes('Split', [x], sizes.length, given);
    if (isEven && this.opset >= 18 && this.chance(0.5))
      return this.nodes('Split', [x], sizes.length, `${given}, num_outputs = ${sizes.length}`);
    if (this.opset >= 13) return this.nodes('Split', [x, this.ints(sizes)], sizes.length, given);
    return this.nodes('Split', [x], sizes.length, `${given}, split = [${sizes.join(',')}]`);
  }

  /** One size of a value, as a list of one. */
  size(x: string, axis: number): string {
    const shape = this.node('Shape', [x]);
    if (this.chance(0.5)) return this.slice(shape, 0, axis, axis + 1);
    return this.unsqueeze(this.node('Gather', [shape, this.scalar(axis, 'int64')], 'axis = 0'), [0]);
  }

  /** Reshape to sizes that are numbers, or names of lists of one. */
  reshape(x: string, sizes: readonly (number | string)[]): string {
    if (sizes.every((size) => typeof size === 'number')) return this.node('Reshape', [x, this.ints(sizes as number[])]);
    const parts = sizes.map((size) => (typeof size === 'number' ? this.ints([size]) : size));
    return this.node('Reshape', [x, this.node('Concat', parts, 'axis = 0')]);
  }

  /** All sizes of a value, the first one computed: that of the batch. */
  sizesOf(x: string, others: readonly number[]): string {
    return this.node('Concat', [this.size(x, 0), this.ints(others)], 'axis = 0');
  }

  text(): string {
    const imports = [`"": ${this.opset}`, ...[...this.domains].map((domain) => `"${domain}": 1`)];
    const weights = this.weights.length === 0 ? '' : ` <${this.weights.join(', ')}>`;
    return `<ir_version: ${this.opset >= 21 ? 10 : 8}, opset_import: [${imports.join(', ')}]>\ng (${this.inputs.join(', ')}) => (${this.outputs.join(', ')})${weights} {\n  ${this.lines.join('\n  ')}\n}`;
  }
}
