import type { Node } from '../../ir/node.js';
import type { TensorType } from '../../ir/type.js';
import { formatBytes } from '../../tensor/byte-size.js';
import { DataType, type DataTypeCode, dataTypeName, rawByteLength } from '../../tensor/dtype.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { isCarriedInteger } from '../infer/elements.js';
import { NodeAttributes } from '../node-attributes.js';
import type { OpSchema } from '../schema.js';

/** How a kernel says that it cannot compute a node; `evaluateNode` turns it into its answer. */
export class CannotEvaluate extends Error {}

/** Ends the kernel: `reason` says why the node is not computed here. */
export function refuse(reason: string): never {
  throw new CannotEvaluate(reason);
}

/** What a kernel may make. */
export interface KernelLimits {
  /** Bytes of one result. */
  readonly maxBytes: number;
  /** Elements of one result. */
  readonly maxElements: number;
}

/** One node as a kernel sees it: constant inputs and attributes with defaults. The inputs have types that the schema allows. */
export class KernelContext extends NodeAttributes {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly #outputTypes: readonly (DataTypeCode | undefined)[];
  readonly #limits: KernelLimits;

  constructor(
    node: Node,
    schema: OpSchema,
    inputs: readonly (Tensor | undefined)[],
    outputTypes: readonly (DataTypeCode | undefined)[],
    limits: KernelLimits,
  ) {
    super(node, schema);
    this.inputs = inputs;
    this.#outputTypes = outputTypes;
    this.#limits = limits;
  }

  get outputCount(): number {
    return this.node.outputs.length;
  }

  optional(slot: number): Tensor | undefined {
    return this.inputs[slot];
  }
  /** An input that must be there. */
  input(slot: number): Tensor {
    return this.inputs[slot] ?? refuse(`input ${slot} is missing`);
  }
  /** All inputs of a variadic operator, from `first`. */
  allInputs(first = 0): Tensor[] {
    return this.inputs.slice(first).map((tensor, at) => tensor ?? refuse(`input ${first + at} is missing`));
  }

  /** The element type that the schema gives an output. */
  outputType(index = 0): DataTypeCode {
    return this.#outputTypes[index] ?? refuse(`the type of output ${index} is unknown`);
  }

  requiredInt(name: string): number {
    return this.int(name) ?? refuse(`attribute ${name} is missing`);
  }
  requiredInts(name: string): number[] {
    return this.ints(name) ?? refuse(`attribute ${name} is missing`);
  }
  requiredFloat(name: string): number {
    return this.float(name) ?? refuse(`attribute ${name} is missing`);
  }
  flag(name: string): boolean {
    return (this.int(name) ?? 0) !== 0;
  }

  /** The elements of an integer input; undefined when it is absent. Rounded beyond 2^53. */
  integers(slot: number): number[] | undefined {
    const tensor = this.inputs[slot];
    if (!tensor) return undefined;
    if (!isCarriedInteger(tensor.dataType)) refuse(`input ${slot} is ${dataTypeName(tensor.dataType)}, not an integer`);
    return tensor.integers();
  }
  /** A list of integers that old versions have as an attribute and new ones as an input; undefined when neither is there. */
  attributeOrInput(name: string, slot: number): number[] | undefined {
    return this.schema.attributes.has(name) ? this.ints(name) : this.integers(slot);
  }
  /** The only element of an integer input. */
  integer(slot: number): number {
    const values = this.integers(slot);
    return values?.length === 1 ? (values[0] as number) : refuse(`input ${slot} must have one element`);
  }

  /** An axis counted from the front. */
  axis(axis: number, rank: number, limit = rank): number {
    const resolved = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(resolved) || resolved < 0 || resolved >= limit)
      refuse(`axis ${axis} is out of range for rank ${rank}`);
    return resolved;
  }
  /** Several axes counted from the front, each at most once. */
  axes(axes: readonly number[], rank: number): number[] {
    const resolved = axes.map((axis) => this.axis(axis, rank));
    if (new Set(resolved).size !== resolved.length) refuse(`axes [${axes.join(',')}] are not unique`);
    return resolved;
  }

  /** Refuses a result that is no tensor or too large. Kernels call it before they make anything of a new size. */
  allow(dataType: DataTypeCode, dims: readonly number[]): void {
    // -0 comes of an empty axis times something negative.
    for (const dim of dims)
      if (!Number.isSafeInteger(dim) || dim < 0 || Object.is(dim, -0)) refuse(`an output would have the size ${dim}`);
    const count = elementCount(dims);
    // A string costs a reference at least.
    const byteLength = dataType === DataType.STRING ? count * 8 : (rawByteLength(dataType, count) ?? count);
    const { maxBytes, maxElements } = this.#limits;
    if (byteLength > maxBytes || count > maxElements) {
      const limit = Math.min(maxBytes, maxElements * 8);
      refuse(
        `${this.node.opType} would produce ${formatBytes(byteLength)}; the limit is ${formatBytes(limit)} (--mem)`,
      );
    }
  }
}

/** Computes the outputs of a node: all of them, or the only one. */
export type Kernel = (context: KernelContext) => Tensor | readonly (Tensor | undefined)[];

/** Operator names, separated by spaces, and their kernel. */
export type KernelTable = readonly (readonly [names: string, kernel: Kernel])[];

/** The type of a tensor, for the schema. */
export function typeOfTensor(tensor: Tensor): TensorType {
  return { kind: 'tensor', dataType: tensor.dataType, shape: tensor.dims };
}
