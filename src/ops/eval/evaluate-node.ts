import { ServeOptError } from '../../errors.js';
import type { Node } from '../../ir/node.js';
import { formatBytes } from '../../tensor/byte-size.js';
import { DataType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { bindTypes } from '../infer/bind.js';
import { inputArity, type OpSchema, opSchema, outputArity } from '../schema.js';
import { CannotEvaluate, KernelContext, typeOfTensor } from './kernel-context.js';
import { kernelFor, movesOnly } from './kernels.js';

/** Where nothing else is said, no result may be larger than a protobuf message can be. */
const DEFAULT_MAX_BYTES = 2 ** 31 - 1;

/** Whether a kernel exists for an operator (domain '' = ai.onnx), for every version. */
export function hasKernel(domain: string, opType: string): boolean {
  return kernelFor(domain, opType) !== undefined;
}

export interface EvaluateOptions {
  /** No single result may be larger; 2^31 - 1 when absent. */
  readonly maxBytes?: number;
  /** Most that may be worked with at once: all inputs and results, as the kernel holds them. No limit when absent. */
  readonly maxWorkBytes?: number;
}

/**
 * Computes all present outputs of `node` from constants. `opset` is the version of the node's own domain import in its
 * graph (function bodies have their own). Large results are computed when they are read. A string is the reason why the
 * node cannot be computed here: type not supported, attribute is a reference, indices out of range, shapes that do not
 * fit, larger than `maxBytes`, a constant that cannot be read. Never throws for an ill-formed node.
 */
export function evaluateNode(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  opset: number,
  options: EvaluateOptions = {},
): readonly (Tensor | undefined)[] | string {
  const kernel = kernelFor(node.domain, node.opType);
  if (!kernel) return `${node.opType} has no kernel`;
  const schema = opSchema(node.domain, node.opType, opset);
  if (!schema || schema.deprecated) return `${node.opType} does not exist in version ${opset}`;
  const problem = attributeProblem(node, schema) ?? arityProblem(node, inputs, schema);
  if (problem !== undefined) return problem;
  const { maxBytes = DEFAULT_MAX_BYTES, maxWorkBytes = Number.POSITIVE_INFINITY } = options;
  const isMover = movesOnly(node.opType);
  let inputBytes = 0;
  for (const tensor of inputs) if (tensor) inputBytes += isMover ? heldBytes(tensor) : tensor.size * LANE_BYTES;
  if (inputBytes > maxWorkBytes)
    return `${node.opType} would process ${formatBytes(inputBytes)}; the limit is ${formatBytes(maxWorkBytes)} (--mem)`;
  const types = inputs.map((tensor) => tensor && typeOfTensor(tensor));
  const bindings = bindTypes(schema, types, node.outputs.length);
  if (bindings.problems[0] !== undefined) return bindings.problems[0];
  const outputTypes = bindings.outputs.map((type) =>
    type?.kind === 'tensor' ? type.dataType || undefined : undefined,
  );
  try {
    // Elements that are computed with take as much as a double each.
    const maxElements = isMover ? Number.POSITIVE_INFINITY : (maxWorkBytes - inputBytes) / LANE_BYTES;
    const context = new KernelContext(node, schema, inputs, outputTypes, { maxBytes, maxElements });
    const result = kernel(context);
    const tensors = Array.isArray(result) ? (result as readonly (Tensor | undefined)[]) : [result as Tensor];
    return presentOutputs(node, tensors);
  } catch (error) {
    if (error instanceof CannotEvaluate) return error.message;
    // Not even a bad file may stop what calls this: it will meet the error again where it needs the constant.
    if (error instanceof ServeOptError && error.code !== 'SO9001') return `a constant cannot be read: ${error.message}`;
    if (error instanceof RangeError) return `there is not enough memory: ${error.message}`;
    throw error;
  }
}

/** An element as kernels compute with it. */
const LANE_BYTES = 8;

/** Bytes of a tensor when it is read; a string costs a reference at least. */
function heldBytes(tensor: Tensor): number {
  return tensor.dataType === DataType.STRING ? tensor.size * LANE_BYTES : tensor.byteLength;
}

/** Attributes must be known to this version and be of its kinds. */
function attributeProblem(node: Node, schema: OpSchema): string | undefined {
  for (const { name, value } of node.attributes.values()) {
    const known = schema.attributes.get(name);
    if (!known) return `${node.opType} of version ${schema.sinceVersion} has no attribute ${name}`;
    if (value.kind === 'reference') return `attribute ${name} is a reference to one of the function`;
    if (value.kind !== known.kind) return `attribute ${name} is not of the kind ${known.kind}`;
  }
  return undefined;
}

function arityProblem(node: Node, inputs: readonly (Tensor | undefined)[], schema: OpSchema): string | undefined {
  const { min, max } = inputArity(schema);
  if (inputs.length > max) return `${node.opType} has at most ${max} inputs`;
  for (let slot = 0; slot < min; slot++) if (!inputs[slot]) return `input ${slot} is missing`;
  for (const [slot, value] of node.inputs.entries()) if (value && !inputs[slot]) return `input ${slot} is not constant`;
  if (node.outputs.length > outputArity(schema).max) return `${node.opType} has fewer outputs`;
  return undefined;
}

function presentOutputs(
  node: Node,
  tensors: readonly (Tensor | undefined)[],
): readonly (Tensor | undefined)[] | string {
  const outputs: (Tensor | undefined)[] = [];
  for (const [index, value] of node.outputs.entries()) {
    const tensor = tensors[index];
    if (value && !tensor) return `output ${index} is not supported`;
    outputs.push(value && tensor);
  }
  return outputs;
}
