/** What random graphs are written with: values with their sizes, and lines of ONNX text. */
import { toFloat16 } from '../../../src/tensor/float16.js';
import type { Random } from '../../../src/tensor/random.js';

export type ElementType = 'float' | 'float16' | 'double' | 'int64' | 'int32' | 'uint8' | 'bool' | 'string';

/** A size for each of two ways to feed the same graph: both numbers are the same where the size is fixed. */
export type Size = readonly [number, number];
export type Sizes = readonly Size[];

export const fixed = (size: number): Size => [size, size];
export const isFixed = ([a, b]: Size): boolean => a === b;
export const sameSize = (a: Size, b: Size): boolean => a[0] === b[0] && a[1] === b[1];
export const sameSizes = (a: Sizes, b: Sizes): boolean =>
  a.length === b.length && a.every((size, axis) => sameSize(size, b[axis] as Size));
export const product = (sizes: Sizes): Size => sizes.reduce<Size>(([a, b], [c, d]) => [a * c, b * d], [1, 1]);
export const ONE = fixed(1);

/** A value of the graph. */
export interface Item {
  readonly name: string;
  readonly type: ElementType;
  readonly sizes: Sizes;
  /** The same bits whatever is rearranged: it comes from inputs by moving, comparing and whole numbers only. */
  readonly exact: boolean;
  readonly constant: boolean;
  /** About the largest magnitude. */
  readonly bound: number;
}

export interface Result {
  readonly type: ElementType;
  readonly sizes: Sizes;
  readonly bound?: number;
}

/** An input that must be fed. */
export interface FedInput {
  readonly name: string;
  readonly type: ElementType;
  readonly sizes: Sizes;
  /** Integers are below it. */
  readonly exclusiveUpper: number;
}

/** What all scopes of one graph share. */
export interface Program {
  readonly random: Random;
  readonly opset: number;
  /** Before IR version 4 every constant must be an input too. */
  readonly constantsAreInputs: boolean;
  /** How inputs say their sizes: with symbols, with `?`, or not even how many they are. */
  readonly declares: 'symbols' | 'unknown sizes' | 'unknown ranks';
  /** Sizes of symbols. */
  readonly symbols: ReadonlyMap<string, Size>;
  readonly inputs: FedInput[];
  /** Declarations of graph inputs: overridable defaults too. */
  readonly inputTexts: string[];
  readonly functionTexts: string[];
  readonly domains: Set<string>;
  names: number;
}

/** Operators that give the bits of their inputs on. */
const MOVING: ReadonlySet<string> = new Set(
  `Identity Reshape Flatten Squeeze Unsqueeze Transpose Slice Gather GatherElements GatherND ScatterND Concat Split Pad Expand Tile
   Relu Neg Abs Min Max Clip Where Floor Ceil Round Sign Dropout DepthToSpace SpaceToDepth ReduceMax ReduceMin MaxPool Trilu
   CastLike ReverseSequence ScatterElements`.split(/\s+/),
);

export const isFloat = (type: ElementType): boolean => type === 'float' || type === 'float16' || type === 'double';

/** The most that a value may be for operators that build on it. */
const MOST = 200;

/** A graph, subgraph or function body under construction. */
export class Scope {
  readonly program: Program;
  readonly kind: 'main' | 'subgraph' | 'function';
  readonly parent: Scope | undefined;
  readonly lines: string[] = [];
  readonly initializers: string[] = [];
  readonly items: Item[] = [];
  /** Nodes that can be written a second time. */
  readonly repeatable: { readonly op: string; readonly inputs: readonly string[]; attributes: string; item: Item }[] =
    [];
  readonly used: Set<string> = new Set();

  constructor(program: Program, kind: 'main' | 'subgraph' | 'function', parent?: Scope) {
    this.program = program;
    this.kind = kind;
    this.parent = parent;
  }

  get opset(): number {
    return this.program.opset;
  }

  // --- chance -------------------------------------------------------------------------------------------------------

  below(count: number): number {
    return this.program.random.integer(count);
  }
  chance(probability: number): boolean {
    return this.program.random.float() < probability;
  }
  choose<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  number(): number {
    return Math.round(this.program.random.normal() * 500) / 1000;
  }

  // --- values -------------------------------------------------------------------------------------------------------

  /** Existing values that fit, of enclosing graphs too; recent ones more likely. */
  pick(fits: (item: Item) => boolean): Item | undefined {
    const seen: Item[] = [];
    for (let scope: Scope | undefined = this; scope; scope = scope.kind === 'function' ? undefined : scope.parent)
      seen.unshift(...scope.items.filter((item) => item.bound <= MOST && fits(item)));
    if (seen.length === 0) return undefined;
    return this.chance(0.6) ? seen[seen.length - 1 - this.below(Math.min(4, seen.length))] : this.choose(seen);
  }

  /** An existing value of exactly these sizes, or a new input or constant. */
  tensor(type: ElementType, sizes: Sizes): Item {
    const found = this.chance(0.75)
      ? this.pick((item) => item.type === type && sameSizes(item.sizes, sizes))
      : undefined;
    return found ?? this.fresh(type, sizes);
  }

  /** A new graph input, or a constant where there are inputs enough or none can be. */
  fresh(type: ElementType, sizes: Sizes, exclusiveUpper = 2): Item {
    const root = this.root();
    if (root.kind === 'function' && !sizes.every(isFixed)) {
      const alike = this.pick((item) => item.type === type && sameSizes(item.sizes, sizes));
      if (alike) return alike;
    }
    if (root.kind === 'function' || (root.program.inputs.length >= 5 && sizes.every(isFixed)))
      return this.constant(
        type,
        sizes.map(([size]) => size),
      );
    return this.input(type, sizes, exclusiveUpper);
  }

  input(type: ElementType, sizes: Sizes, exclusiveUpper = 2): Item {
    const root = this.root();
    const item = { name: this.name('x'), type, sizes, exact: true, constant: false, bound: 4 };
    root.program.inputs.push({ name: item.name, type, sizes, exclusiveUpper });
    root.program.inputTexts.push(`${this.inputType(item)} ${item.name}`);
    root.items.push(item);
    return item;
  }

  root(): Scope {
    let scope: Scope = this;
    while (scope.kind === 'subgraph' && scope.parent) scope = scope.parent;
    return scope;
  }

  /** A constant of small random numbers, in one of the ways in which constants are written. */
  constant(type: ElementType, dims: readonly number[], positive = false): Item {
    const count = dims.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: count }, () => {
      if (type === 'bool') return this.below(2);
      if (!isFloat(type)) return this.below(3);
      return positive ? Number((Math.abs(this.number()) + 0.1).toFixed(3)) : this.number();
    });
    return this.values(type, dims, values);
  }

  /** A constant of given elements. */
  values(type: ElementType, dims: readonly number[], values: readonly (number | bigint)[]): Item {
    const name = this.name('c');
    const sizes = dims.map(fixed);
    const bound = Math.max(1, ...values.map((value) => Math.abs(Number(value))));
    const item = { name, type, sizes, exact: true, constant: true, bound };
    const numbers = type === 'float16' ? values.map((value) => toFloat16(Number(value))) : values;
    const typeText = `${type}${dims.length === 0 ? '' : `[${dims.join(',')}]`}`;
    const elements = `{${numbers.map((number) => (Object.is(number, -0) ? '-0' : number)).join(',')}}`;
    const way = this.program.random.float();
    const asNode = this.kind === 'function' || (this.kind === 'subgraph' && this.program.constantsAreInputs);
    if (asNode || way < 0.3) {
      const short = this.shortConstant(type, dims, values);
      const attribute = short !== undefined && this.chance(0.4) ? short : `value: tensor = ${typeText} ${elements}`;
      this.lines.push(`${name} = Constant <${attribute}> ()`);
    } else {
      this.initializers.push(`${typeText} ${name} = ${elements}`);
      // A default that callers can override is no constant, though it may be left as it is.
      const listed = this.program.constantsAreInputs || way > 0.98;
      if (listed && this.kind === 'main') this.program.inputTexts.push(`${typeText} ${name}`);
    }
    return item;
  }

  private shortConstant(
    type: ElementType,
    dims: readonly number[],
    values: readonly (number | bigint)[],
  ): string | undefined {
    if (this.opset < 12 || (type !== 'float' && type !== 'int64')) return undefined;
    const word = type === 'float' ? 'float' : 'int';
    if (dims.length === 0) return `value_${word}: ${word} = ${values[0]}`;
    if (dims.length === 1 && values.length > 0) return `value_${word}s: ${word}s = [${values.join(',')}]`;
    return undefined;
  }

  /** A constant of one number: a scalar or, now and then, one element of rank 1. */
  scalar(type: ElementType, value: number, rank = this.chance(0.75) ? 0 : 1): Item {
    return this.values(type, new Array<number>(rank).fill(1), [value]);
  }

  /** A one-dimensional int64 constant. */
  ints(values: readonly (number | bigint)[]): Item {
    return this.values('int64', [values.length], values);
  }

  // --- nodes --------------------------------------------------------------------------------------------------------

  node(op: string, inputs: readonly (Item | undefined)[], result: Result, attributes = ''): Item {
    const [item] = this.multi(op, inputs, [result], attributes) as [Item];
    this.repeatable.push({ op, inputs: inputs.map((input) => input?.name ?? ''), attributes, item });
    return item;
  }

  /** A node with the type and sizes of its first input. */
  same(op: string, inputs: readonly [Item, ...(Item | undefined)[]], bound = inputs[0].bound, attributes = ''): Item {
    return this.node(op, inputs, { type: inputs[0].type, sizes: inputs[0].sizes, bound }, attributes);
  }

  multi(op: string, inputs: readonly (Item | undefined)[], results: readonly Result[], attributes = ''): Item[] {
    const given = inputs.filter((input) => input !== undefined);
    const exact = given.every((input) => input.exact);
    const items = results.map(({ type, sizes, bound }) => ({
      name: this.name('v'),
      type,
      sizes,
      exact: exact && (!isFloat(type) || MOVING.has(op)),
      constant: given.length > 0 && given.every((input) => input.constant),
      bound: bound ?? Math.max(1, ...given.map((input) => input.bound)),
    }));
    for (const { name } of given) this.use(name);
    const words = inputs.map((input) => input?.name ?? '').join(', ');
    this.lines.push(
      `${items.map(({ name }) => name).join(', ')} = ${op} ${attributes === '' ? '' : `<${attributes}> `}(${words})`,
    );
    this.items.push(...items);
    return items;
  }

  use(name: string): void {
    for (let scope: Scope | undefined = this; scope; scope = scope.parent) scope.used.add(name);
  }

  name(letter: string): string {
    return `${letter}${this.program.names++}`;
  }

  // --- text ---------------------------------------------------------------------------------------------------------

  /** A type with symbols where a size is one, `?` where it is computed. */
  typeText({ type, sizes }: { readonly type: ElementType; readonly sizes: Sizes }): string {
    if (sizes.length === 0) return type;
    const dims = sizes.map((size) => {
      for (const [symbol, known] of this.program.symbols) if (!isFixed(size) && sameSize(size, known)) return symbol;
      return isFixed(size) ? String(size[0]) : '?';
    });
    return `${type}[${dims.join(',')}]`;
  }

  private inputType(item: { readonly type: ElementType; readonly sizes: Sizes }): string {
    const { declares } = this.program;
    if (declares === 'symbols' || item.sizes.every(isFixed)) return this.typeText(item);
    if (declares === 'unknown ranks' && this.chance(0.5)) return `${item.type}[]`;
    return `${item.type}[${item.sizes.map((size) => (isFixed(size) ? size[0] : '?')).join(',')}]`;
  }

  /** `(inputs) => (outputs) <initializers> { nodes }`. */
  body(name: string, inputs: readonly string[], outputs: readonly string[]): string {
    const weights = this.initializers.length === 0 ? '' : `<${this.initializers.join(', ')}> `;
    return `${name} (${inputs.join(', ')}) => (${outputs.join(', ')}) ${weights}{\n  ${this.lines.join('\n  ')}\n}`;
  }
}

/** Adds something to a graph; false where nothing there fits it. */
export type Block = (scope: Scope) => boolean | undefined;
